//! The cells of a row of an ods file.
//!
//! A cell has a value and the text that people see. The value counts (`12.5`, `2024-03-01`), because what is shown may be
//! half of it and follows the language of whoever wrote it (`12,50 €`, `01.03.24`); but where the text has all digits of a
//! whole number and only arranges them, the text counts: it is what people would type (`00123`, `078-05-1120`). That is
//! what xlsx files come to as well, where the number format says how digits are arranged.

use quick_xml::events::BytesStart;

use super::row_shape::MAX_RECORD;
use super::shown;
use super::xml::{Xml, XmlNode, find_attribute};

/// A cell that says something, or is merged with others.
pub(super) struct OdsCell {
    pub column: u32,
    pub repeated: u32,
    /// How many rows and columns it covers.
    pub spanned: (u32, u32),
    /// What stands there instead of a value, where it has none.
    pub shown: Result<String, String>,
}

/// Reads the cells of a row whose element was begun.
pub(super) fn read_cells<R: std::io::BufRead>(xml: &mut Xml<R>, cells: &mut Vec<OdsCell>) -> Result<(), String> {
    cells.clear();
    let mut buffer = Vec::new();
    let mut text = String::new();
    let mut column = 0_u32;
    loop {
        match xml.next(&mut buffer)? {
            XmlNode::Start(element) => match element.name().as_ref() {
                "table:table-cell" => {
                    let spanned = (
                        repeat_count(&element, "table:number-rows-spanned")?,
                        repeat_count(&element, "table:number-columns-spanned")?,
                    );
                    let repeated = repeat_count(&element, "table:number-columns-repeated")?;
                    let value = OdsValue::of(&element)?;
                    read_content(xml, &mut buffer, &mut text)?;
                    let shown = value.show_value(&text);
                    if spanned != (1, 1) || shown.as_ref().map_or(true, |text| !text.is_empty()) {
                        cells.push(OdsCell { column, repeated, spanned, shown });
                    }
                    column = column.saturating_add(repeated);
                }
                // Whatever lies below a merged cell, nobody sees it.
                "table:covered-table-cell" => {
                    column = column.saturating_add(repeat_count(&element, "table:number-columns-repeated")?);
                    xml.skip_element(&mut buffer)?;
                }
                _ => xml.skip_element(&mut buffer)?,
            },
            XmlNode::End => return Ok(()),
            XmlNode::Text(_) | XmlNode::Nothing | XmlNode::Eof => {}
        }
    }
}

/// How often something stands there; once where nothing is said.
pub(super) fn repeat_count(element: &BytesStart<'_>, name: &str) -> Result<u32, String> {
    match find_attribute(element, name)? {
        None => Ok(1),
        Some(text) => text.trim().parse::<u32>().map(|count| count.max(1)).map_err(|_| format!("{name} is {text:?}")),
    }
}

/// What the attributes of a cell say of its value.
struct OdsValue {
    kind: OdsValueKind,
    /// As it is written for programs.
    value: Option<String>,
    is_error: bool,
    is_formula: bool,
}

#[derive(Clone, Copy)]
enum OdsValueKind {
    Number,
    /// A number that is scaled or has a unit when it is shown.
    Amount,
    Truth,
    Date,
    Time,
    Text,
}

impl OdsValue {
    fn of(element: &BytesStart<'_>) -> Result<Self, String> {
        let (kind, name) = match find_attribute(element, "office:value-type")?.as_deref() {
            Some("float") => (OdsValueKind::Number, "office:value"),
            Some("percentage" | "currency") => (OdsValueKind::Amount, "office:value"),
            Some("boolean") => (OdsValueKind::Truth, "office:boolean-value"),
            Some("date") => (OdsValueKind::Date, "office:date-value"),
            Some("time") => (OdsValueKind::Time, "office:time-value"),
            _ => (OdsValueKind::Text, "office:string-value"),
        };
        Ok(Self {
            kind,
            value: find_attribute(element, name)?.map(std::borrow::Cow::into_owned),
            is_error: find_attribute(element, "calcext:value-type")?.is_some_and(|kind| kind == "error"),
            is_formula: find_attribute(element, "table:formula")?.is_some(),
        })
    }

    /// The text of the cell whose paragraphs are `text`.
    fn show_value(self, text: &str) -> Result<String, String> {
        if self.is_error || (self.is_formula && is_error(text)) {
            return Err(if text.is_empty() { "an error".to_owned() } else { text.to_owned() });
        }
        let Some(value) = self.value else { return Ok(text.to_owned()) };
        match self.kind {
            OdsValueKind::Text => Ok(value),
            OdsValueKind::Number => shown::show_number(&value, Some(text)),
            OdsValueKind::Amount => shown::show_number(&value, None),
            OdsValueKind::Truth => Ok(if value.eq_ignore_ascii_case("true") { "TRUE" } else { "FALSE" }.to_owned()),
            OdsValueKind::Date => Ok(shown::iso_date(&value)),
            OdsValueKind::Time => Ok(shown::clock_time(&value).unwrap_or(value)),
        }
    }
}

/// What a formula shows that has no value, where the file does not say it in another way.
fn is_error(text: &str) -> bool {
    let number = text.strip_prefix("Err:");
    number.is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()))
        || ["#N/A", "#VALUE!", "#REF!", "#DIV/0!", "#NAME?", "#NUM!", "#NULL!"].contains(&text)
}

/// Reads the paragraphs of a cell whose element was begun, each on a line.
fn read_content<R: std::io::BufRead>(xml: &mut Xml<R>, buffer: &mut Vec<u8>, text: &mut String) -> Result<(), String> {
    text.clear();
    let mut is_first = true;
    loop {
        match xml.next(buffer)? {
            XmlNode::Start(element) if matches!(element.name().as_ref(), "text:p" | "text:h") => {
                if !std::mem::take(&mut is_first) {
                    push(text, "\n");
                }
                read_paragraph(xml, buffer, text)?;
            }
            // Notes and pictures, which hold paragraphs of their own.
            XmlNode::Start(_) => xml.skip_element(buffer)?,
            XmlNode::End => return Ok(()),
            XmlNode::Text(_) | XmlNode::Nothing | XmlNode::Eof => {}
        }
    }
}

/// Several blanks, tabs and line breaks count as one, as they do on a web page; those that count are elements.
fn read_paragraph<R: std::io::BufRead>(
    xml: &mut Xml<R>,
    buffer: &mut Vec<u8>,
    text: &mut String,
) -> Result<(), String> {
    let (mut open, mut after_blank) = (1_u32, true);
    while open > 0 {
        match xml.next(buffer)? {
            XmlNode::Text(piece) => {
                for word in piece.split_inclusive([' ', '\t', '\n', '\r']) {
                    let trimmed = word.trim_end_matches([' ', '\t', '\n', '\r']);
                    push(text, trimmed);
                    after_blank &= trimmed.is_empty();
                    if trimmed.len() < word.len() && !std::mem::replace(&mut after_blank, true) {
                        push(text, " ");
                    }
                }
            }
            XmlNode::Start(element) => {
                let blanks = match element.name().as_ref() {
                    "text:s" => Some((" ", repeat_count(&element, "text:c")? as usize)),
                    "text:tab" => Some(("\t", 1)),
                    "text:line-break" => Some(("\n", 1)),
                    "office:annotation" | "text:note" | "text:ruby-text" => Some(("", 0)),
                    name if name.starts_with("draw:") => Some(("", 0)),
                    _ => None,
                };
                match blanks {
                    None => open += 1,
                    Some((blank, times)) => {
                        (0..times.min(MAX_RECORD)).for_each(|_| push(text, blank));
                        after_blank &= times == 0;
                        xml.skip_element(buffer)?;
                    }
                }
            }
            XmlNode::End => open -= 1,
            XmlNode::Nothing | XmlNode::Eof => {}
        }
    }
    Ok(())
}

/// Adds to the text of a cell, which ends beyond what a row can hold: such a row is refused for it.
fn push(text: &mut String, piece: &str) {
    if text.len() <= MAX_RECORD {
        text.push_str(piece);
    }
}
