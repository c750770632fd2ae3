//! The header: which line it is, what it names, and whether the file was cut by the right delimiter at all.

use super::error::{Fault, Trouble};
use super::quotes::Quoting;
use super::records::Records;
use super::sniff;

/// Reads the names of the columns, trimmed; the records after it are the rows. Lines before `header_row` (1-based) are
/// skipped as they are; blank lines before the names are skipped too.
pub(super) fn read(records: &mut Records, header_row: u32) -> Result<Vec<String>, Trouble> {
    let mut fault = Fault::Empty;
    for _ in 1..header_row {
        if !records.skip_line()? {
            break;
        }
        fault = Fault::NoHeader { header_row };
    }
    let delimiter = records.delimiter;
    let Some(header) = records.next()? else { return Err(fault.into()) };
    let line = header.line;
    let at_line = |fault| Trouble::from(fault).at_line(line);
    let quoting = header.quoting;
    let names: Vec<String> = (0..header.len()).map(|at| trim_name(header.cell(at)).to_owned()).collect();
    // Asked first: quoted names behind the wrong delimiter look like quotes that do not match.
    if names.len() == 1 {
        let header = header.bytes.to_vec();
        if let Some(meant) = sniff::delimiter_meant(&header, records.ahead(), delimiter) {
            return Err(at_line(Fault::LooksDelimited(meant)));
        }
    }
    if quoting != Quoting::Sound {
        return Err(at_line(Fault::HeaderQuotes));
    }
    check(&names).map_err(at_line)?;
    Ok(names)
}

/// Without blanks around it, and without the byte order marks that files joined by `cat` have in odd places.
pub(super) fn trim_name(name: &str) -> &str {
    name.trim_matches(|char: char| char.is_whitespace() || char == '\u{FEFF}')
}

/// Every name is there, and none twice.
pub(super) fn check(names: &[String]) -> Result<(), Fault> {
    let positions = |wanted: &str| (1..).zip(names).filter(|(_, name)| *name == wanted).map(|(at, _)| at).collect();
    if names.iter().any(String::is_empty) {
        return Err(Fault::UnnamedColumns(positions("")));
    }
    let mut seen = std::collections::HashSet::new();
    match names.iter().find(|name| !seen.insert(name.as_str())) {
        Some(name) => Err(Fault::DuplicateColumn { name: name.clone(), columns: positions(name) }),
        None => Ok(()),
    }
}
