//! Whether a file is the archive that a spreadsheet is, and how far it expands, asked before anything of it is read.

use std::io::{Cursor, Read};

use zip::ZipArchive;

use super::error::{Fault, Trouble};
use super::packed::Bounds;

/// Spreadsheets pack 10:1 to 40:1. Their sheet and their texts are held in memory while they are read.
pub(super) const BOUNDS: Bounds = Bounds { free: 64 << 20, ratio: 200, most: 2 << 30 };

/// What encrypted workbooks and the Excel files before 2007 begin with.
const OLE: &[u8] = b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1";

/// The name of the stream that an encrypted workbook is in.
const ENCRYPTED: &str = "EncryptedPackage";

/// Refuses what is no archive, and one that expands beyond `bounds`: first by what its directory says, then by what its
/// entries hold, because a directory may lie.
pub(super) fn check(bytes: &[u8], bounds: Bounds) -> Result<(), Trouble> {
    if bytes.is_empty() {
        return Err(Fault::Empty.into());
    }
    if bytes.starts_with(OLE) {
        let name: Vec<u8> = ENCRYPTED.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let is_encrypted = memchr::memmem::find(bytes, &name).is_some();
        return Err(if is_encrypted {
            Fault::Encrypted
        } else {
            Fault::NoWorkbook("an Excel file from before 2007 (xls)")
        }
        .into());
    }
    if !bytes.starts_with(b"PK\x03\x04") {
        let is_text =
            std::str::from_utf8(&bytes[..bytes.len().min(1 << 10)]).map_or_else(|e| e.error_len().is_none(), |_| true);
        return Err(Fault::NoWorkbook(if is_text { "text, such as CSV" } else { "something else" }).into());
    }
    let broken =
        |error: zip::result::ZipError| Trouble::from(Fault::Workbook(format!("the archive is damaged: {error}")));
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(broken)?;
    let mut sizes = Vec::with_capacity(archive.len());
    for at in 0..archive.len() {
        let entry = archive.by_index_raw(at).map_err(broken)?;
        if entry.encrypted() {
            return Err(Fault::Encrypted.into());
        }
        sizes.push(entry.size());
    }
    let from = bytes.len() as u64;
    let said = sizes.iter().fold(0_u64, |sum, size| sum.saturating_add(*size));
    if bounds.are_exceeded(said, from) {
        return Err(Fault::Expands { bytes: said, from }.into());
    }
    for (at, said) in sizes.into_iter().enumerate() {
        let mut entry = archive.by_index(at).map_err(broken)?;
        let name = entry.name().map_err(broken)?.into_owned();
        let found = std::io::copy(&mut entry.by_ref().take(said.saturating_add(1)), &mut std::io::sink());
        match found {
            Ok(found) if found == said => {}
            Ok(_) => return Err(Fault::Workbook(format!("{name} expands to more than its directory says")).into()),
            Err(error) => return Err(Fault::Workbook(format!("{name} is damaged: {error}")).into()),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use zip::ZipWriter;
    use zip::write::SimpleFileOptions;

    use super::*;

    fn archive(name: &str, content: &[u8]) -> Vec<u8> {
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        zip.start_file(name, SimpleFileOptions::default()).unwrap();
        zip.write_all(content).unwrap();
        zip.finish().unwrap().into_inner()
    }

    fn refused(bytes: &[u8], bounds: Bounds) -> Fault {
        check(bytes, bounds).unwrap_err().fault
    }

    #[test]
    fn what_is_no_workbook_is_told_by_what_it_is() {
        assert_eq!(refused(b"", BOUNDS), Fault::Empty);
        assert_eq!(refused("id,näme\n1,Ana\n".as_bytes(), BOUNDS), Fault::NoWorkbook("text, such as CSV"));
        assert_eq!(refused(b"\xFF\xD8\xFF\xE0 a picture", BOUNDS), Fault::NoWorkbook("something else"));
        let mut old = OLE.to_vec();
        old.extend_from_slice(&[0; 600]);
        assert_eq!(refused(&old, BOUNDS), Fault::NoWorkbook("an Excel file from before 2007 (xls)"));
        old.extend(ENCRYPTED.encode_utf16().flat_map(u16::to_le_bytes));
        assert_eq!(refused(&old, BOUNDS), Fault::Encrypted);
    }

    #[test]
    fn an_archive_that_expands_too_far_is_refused_by_its_directory() {
        let zip = archive("xl/worksheets/sheet1.xml", &vec![b' '; 1 << 20]);
        let bounds = Bounds { free: 1 << 19, ratio: 200, most: 1 << 30 };
        assert!(matches!(refused(&zip, bounds), Fault::Expands { bytes: 1_048_576, .. }));
        assert!(check(&zip, Bounds { free: 1 << 20, ..bounds }).is_ok());
        assert!(matches!(refused(&zip, Bounds { free: 1 << 20, most: 1 << 19, ..bounds }), Fault::Expands { .. }));
    }

    #[test]
    fn a_directory_that_lies_is_found_out() {
        let mut zip = archive("sheet.xml", &vec![b' '; 1 << 20]);
        // The size stands in the entry's own head and in the directory.
        let size = (1_u32 << 20).to_le_bytes();
        let places: Vec<usize> = memchr::memmem::find_iter(&zip, &size).collect();
        assert!(!places.is_empty());
        for at in places {
            zip[at..at + 4].copy_from_slice(&1_000_u32.to_le_bytes());
        }
        assert!(matches!(refused(&zip, BOUNDS), Fault::Workbook(_)));
    }

    #[test]
    fn an_archive_that_was_cut_or_damaged_is_refused() {
        let zip = archive("sheet.xml", "<row/>".repeat(5_000).as_bytes());
        for cut in [zip.len() - 1, zip.len() / 2, 5] {
            assert!(matches!(refused(&zip[..cut], BOUNDS), Fault::Workbook(_)), "{cut}");
        }
        let mut flipped = zip.clone();
        flipped[60] ^= 0x40;
        assert!(check(&flipped, BOUNDS).is_err());
    }
}
