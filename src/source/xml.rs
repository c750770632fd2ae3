//! XML as far as a table needs it: elements and texts. Nothing is known but what stands in the file itself: no entities
//! beyond the five of XML and those for characters, and nothing is fetched. What ends before its root does was cut short
//! and is an error, never a shorter table.

use std::borrow::Cow;
use std::io::{self, BufRead, Read};

use quick_xml::escape::resolve_xml_entity;
use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

/// How deep elements may lie in each other; a table needs a dozen levels.
const DEEPEST: u32 = 256;

/// The most bytes of one tag or one text.
const MOST: usize = 32 << 20;

pub(super) enum XmlNode<'b> {
    /// An element begins. Each ends as well, also one without content.
    Start(BytesStart<'b>),
    End,
    Text(Cow<'b, str>),
    /// A comment and the like.
    Nothing,
    /// The file ends, after its root.
    Eof,
}

pub(super) struct Xml<R> {
    reader: Reader<Limited<R>>,
    depth: u32,
}

impl<R: BufRead> Xml<R> {
    pub(super) fn new(from: R) -> Self {
        let mut reader = Reader::from_reader(Limited { from, left: MOST });
        reader.config_mut().expand_empty_elements = true;
        Self { reader, depth: 0 }
    }

    /// What comes next, in `buffer`.
    ///
    /// # Errors
    /// What is wrong, for people: no XML, or XML that ends in the middle.
    pub(super) fn next<'b>(&mut self, buffer: &'b mut Vec<u8>) -> Result<XmlNode<'b>, String> {
        buffer.clear();
        self.reader.get_mut().left = MOST;
        let node = match self.reader.read_event_into(buffer).map_err(|error| error.to_string())? {
            Event::Start(start) | Event::Empty(start) => {
                self.depth += 1;
                if self.depth > DEEPEST {
                    return Err(format!("its elements are nested more than {DEEPEST} deep"));
                }
                XmlNode::Start(start)
            }
            Event::End(_) => {
                // An end without a beginning is refused before it comes here.
                self.depth = self.depth.saturating_sub(1);
                XmlNode::End
            }
            Event::Text(text) => XmlNode::Text(text.xml10_content()),
            Event::CData(text) => XmlNode::Text(text.xml10_content()),
            Event::GeneralRef(name) => match name.resolve_char_ref().map_err(|error| error.to_string())? {
                Some(char) => XmlNode::Text(Cow::Owned(char.to_string())),
                None => match resolve_xml_entity(&name) {
                    Some(text) => XmlNode::Text(Cow::Borrowed(text)),
                    None => return Err(format!("it has an entity {:?} that is not known", &*name)),
                },
            },
            Event::Decl(_) | Event::PI(_) | Event::Comment(_) | Event::DocType(_) => XmlNode::Nothing,
            Event::Eof if self.depth == 0 => XmlNode::Eof,
            Event::Eof => return Err("it ends in the middle: it was cut short".to_owned()),
        };
        Ok(node)
    }

    /// Passes over the rest of the element that was begun last.
    pub(super) fn skip_element(&mut self, buffer: &mut Vec<u8>) -> Result<(), String> {
        let outside = self.depth.saturating_sub(1);
        while self.depth > outside {
            self.next(buffer)?;
        }
        Ok(())
    }
}

/// The value of an attribute, if the element has it.
pub(super) fn find_attribute<'e>(element: &'e BytesStart<'_>, name: &str) -> Result<Option<Cow<'e, str>>, String> {
    let found = element.try_get_attribute(name).map_err(|error| error.to_string())?;
    found.map(|found| found.normalized_value(XmlVersion::Explicit1_0).map_err(|error| error.to_string())).transpose()
}

/// A reader that gives out only so much before somebody lets it go on, so that no single text fills the memory.
struct Limited<R> {
    from: R,
    left: usize,
}

impl<R: BufRead> Read for Limited<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let count = self.fill_buf()?.read(out)?;
        self.consume(count);
        Ok(count)
    }
}

impl<R: BufRead> BufRead for Limited<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.left == 0 {
            return Err(io::Error::other(format!("one text in it is longer than {} MiB", MOST >> 20)));
        }
        let ahead = self.from.fill_buf()?;
        Ok(&ahead[..ahead.len().min(self.left)])
    }

    fn consume(&mut self, count: usize) {
        self.left -= count.min(self.left);
        self.from.consume(count);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The texts of a document, with its elements as brackets.
    fn read(xml: &[u8]) -> Result<String, String> {
        let (mut xml, mut buffer, mut out) = (Xml::new(xml), Vec::new(), String::new());
        loop {
            match xml.next(&mut buffer)? {
                XmlNode::Start(element) if element.name().as_ref() == "skipped" => xml.skip_element(&mut buffer)?,
                XmlNode::Start(_) => out.push('('),
                XmlNode::End => out.push(')'),
                XmlNode::Text(text) => out.push_str(&text),
                XmlNode::Nothing => {}
                XmlNode::Eof => return Ok(out),
            }
        }
    }

    #[test]
    fn elements_and_texts_come_as_they_stand_there() {
        let xml = b"<?xml version=\"1.0\"?><!-- no --><a>1 &lt; &#50;<b/><![CDATA[&]]><skipped>x<b>y</b></skipped><c>\xC3\xA9</c></a>\n";
        assert_eq!(read(xml).unwrap(), "(1 < 2()&(é))\n");
    }

    #[test]
    fn what_is_no_whole_document_is_refused() {
        let whole = "<a><b x=\"1\">text</b><skipped><d/></skipped></a>";
        for cut in 1..whole.len() {
            assert!(read(&whole.as_bytes()[..cut]).is_err(), "{}", &whole[..cut]);
        }
        assert!(read(b"<a></b></a>").is_err());
        assert!(read(b"<a>&eacute;</a>").unwrap_err().contains("not known"));
        assert!(read("<a>".repeat(300).as_bytes()).unwrap_err().contains("256 deep"));
        assert!(read(b"<a>\xFF</a>").is_err());
    }

    #[test]
    fn one_text_is_bounded_and_many_are_not() {
        let long = |length: usize| format!("<a>{}</a>", "x".repeat(length));
        assert!(read(long(MOST + 1).as_bytes()).unwrap_err().contains("longer than 32 MiB"));
        let many = format!("<a>{}</a>", format!("<b>{}</b>", "x".repeat(1 << 20)).repeat(33));
        assert!(read(many.as_bytes()).is_ok());
    }
}
