//! What csv-core forgives and a person should know of: a quote that nothing closes, and text after a closing quote,
//! which is what an unclosed quote looks like when a later one happens to close it.

/// How the quotes of one record stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Quoting {
    Sound,
    /// The record ends (with the file) inside the cell whose quote opens here.
    Open {
        at: usize,
    },
    /// The quote here closes its cell, and yet text follows it.
    TextAfter {
        at: usize,
    },
}

/// Checks one record, with or without its line terminator. A quote inside a cell that does not begin with one is text,
/// as it is for csv-core.
pub(super) fn check(record: &[u8], delimiter: u8) -> Quoting {
    let mut open = None;
    let mut quotes = memchr::memchr_iter(b'"', record);
    while let Some(at) = quotes.next() {
        if open.is_none() {
            if at == 0 || record[at - 1] == delimiter {
                open = Some(at);
            }
            continue;
        }
        match record.get(at + 1) {
            // A doubled quote is one quote of the text.
            Some(b'"') => {
                quotes.next();
            }
            None | Some(b'\n' | b'\r') => open = None,
            Some(byte) if *byte == delimiter => open = None,
            Some(_) => return Quoting::TextAfter { at },
        }
    }
    open.map_or(Quoting::Sound, |at| Quoting::Open { at })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_a_quote_can_stand() {
        for (record, expected) in [
            ("a,b", Quoting::Sound),
            ("\"a\",\"b\"\r", Quoting::Sound),
            ("\"\",\"a\"\"b\"\n", Quoting::Sound),
            ("\"\"\"a\"\"\"", Quoting::Sound),
            ("5\" pipe,a\"b\"", Quoting::Sound),
            ("\"a,b\nc\",d", Quoting::Sound),
            ("\"", Quoting::Open { at: 0 }),
            ("a,\"b", Quoting::Open { at: 2 }),
            ("a,\"b\"\"", Quoting::Open { at: 2 }),
            ("\"a\",\"b,c\nd\n", Quoting::Open { at: 4 }),
            ("\"a\"b,c", Quoting::TextAfter { at: 2 }),
            ("\"a,b\n\"c\",d", Quoting::TextAfter { at: 5 }),
        ] {
            assert_eq!(check(record.as_bytes(), b','), expected, "{record:?}");
        }
    }
}
