//! The sheets of an ods file, read from its `content.xml` as a stream.
//!
//! They are read here and not by calamine, which keeps no text that a cell shows and no merged cells, holds all sheets in
//! memory with every repeated row written out, and never comes back from a file that ends inside a sheet.

use std::collections::HashSet;
use std::io::{BufReader, Cursor, Read};

use calamine::Dimensions;
use zip::ZipArchive;
use zip::read::ZipFile;
use zip::result::ZipError;

use super::error::{Fault, Trouble};
use super::grid::{Grid, MOST_ROWS};
use super::ods_cells::{OdsCell, read_cells, repeat_count};
use super::xml::{Xml, XmlNode, find_attribute};

const CONTENT: &str = "content.xml";
const MANIFEST: &str = "META-INF/manifest.xml";
const SPREADSHEET: &str = "application/vnd.oasis.opendocument.spreadsheet";

type Archive<'a> = ZipArchive<Cursor<&'a [u8]>>;
type ZipEntryXml<'z, 'a> = Xml<BufReader<ZipFile<'z, Cursor<&'a [u8]>>>>;

/// A sheet, and whether people see it.
pub(super) struct SheetName {
    pub name: String,
    pub is_visible: bool,
}

pub(super) struct Ods<'a> {
    archive: Archive<'a>,
}

impl<'a> Ods<'a> {
    /// # Errors
    /// What is encrypted, or no ods file.
    pub(super) fn open(bytes: &'a [u8]) -> Result<Self, Fault> {
        let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(|error| damaged_zip(&error))?;
        if is_encrypted(&mut archive)? {
            return Err(Fault::Encrypted);
        }
        let has = |archive: &Archive<'_>, name: &str| archive.index_for_name(name).is_some();
        if has(&archive, "xl/workbook.xml") {
            return Err(Fault::Workbook("it is an xlsx file by what is in it".into()));
        }
        if let Ok(entry) = archive.by_name("mimetype") {
            let mut kind = String::new();
            // What cannot be read is no spreadsheet either.
            let _ = entry.take(100).read_to_string(&mut kind);
            if !kind.starts_with(SPREADSHEET) {
                return Err(Fault::Workbook(format!("it is no spreadsheet but {:?}", kind.trim())));
            }
        }
        if !has(&archive, CONTENT) {
            return Err(Fault::Workbook(format!("there is no {CONTENT} in it")));
        }
        Ok(Self { archive })
    }

    /// All sheets, in their order. The whole content is passed over, so that what comes after this was seen to be whole.
    pub(super) fn list_sheets(&mut self) -> Result<Vec<SheetName>, Fault> {
        let mut sheets = Vec::new();
        self.each_table(|_, name, is_visible| {
            sheets.push(SheetName { name: name.to_owned(), is_visible });
            Ok(TableOutcome::Skip)
        })?;
        Ok(sheets)
    }

    /// Reads one sheet into a grid.
    pub(super) fn read(&mut self, sheet: &str, grid: &mut Grid) -> Result<(), Trouble> {
        self.each_table(|xml, name, _| {
            if name != sheet {
                return Ok(TableOutcome::Skip);
            }
            read_table(xml, grid)?;
            Ok(TableOutcome::Read)
        })
    }

    /// Calls `each` for every sheet, with its name and whether it is seen, until one was read.
    fn each_table<E: From<Fault>>(
        &mut self,
        mut each: impl FnMut(&mut ZipEntryXml<'_, 'a>, &str, bool) -> Result<TableOutcome, E>,
    ) -> Result<(), E> {
        let mut xml = open_entry(&mut self.archive, CONTENT)?;
        let mut buffer = Vec::new();
        let mut hidden = HashSet::new();
        loop {
            let XmlNode::Start(element) = (match xml.next(&mut buffer).map_err(broken_content)? {
                XmlNode::Eof => return Ok(()),
                node => node,
            }) else {
                continue;
            };
            match element.name().as_ref() {
                "office:document-content" | "office:body" | "office:spreadsheet" => {}
                "office:automatic-styles" => hidden = hidden_styles(&mut xml, &mut buffer).map_err(broken_content)?,
                "table:table" => {
                    let name = find_attribute(&element, "table:name")
                        .map_err(broken_content)?
                        .unwrap_or_default()
                        .into_owned();
                    let style =
                        find_attribute(&element, "table:style-name").map_err(broken_content)?.unwrap_or_default();
                    let is_visible = !hidden.contains(&*style);
                    match each(&mut xml, &name, is_visible)? {
                        TableOutcome::Skip => xml.skip_element(&mut buffer).map_err(broken_content)?,
                        TableOutcome::Read => return Ok(()),
                    }
                }
                _ => xml.skip_element(&mut buffer).map_err(broken_content)?,
            }
        }
    }
}

/// What was done with a sheet.
enum TableOutcome {
    Skip,
    Read,
}

fn open_entry<'z, 'a>(archive: &'z mut Archive<'a>, name: &str) -> Result<ZipEntryXml<'z, 'a>, Fault> {
    let file = archive.by_name(name).map_err(|error| damaged_zip(&error))?;
    Ok(Xml::new(BufReader::with_capacity(64 << 10, file)))
}

fn damaged_zip(error: &ZipError) -> Fault {
    Fault::Workbook(format!("the archive is damaged: {error}"))
}

fn broken_content(what: String) -> Fault {
    Fault::Workbook(format!("{CONTENT} is damaged: {what}"))
}

/// Whether the directory of the package says how its files were encrypted.
fn is_encrypted(archive: &mut Archive<'_>) -> Result<bool, Fault> {
    if archive.index_for_name(MANIFEST).is_none() {
        return Ok(false);
    }
    let mut xml = open_entry(archive, MANIFEST)?;
    let mut buffer = Vec::new();
    loop {
        match xml.next(&mut buffer) {
            Ok(XmlNode::Start(element)) if element.local_name().as_ref() == "encryption-data" => return Ok(true),
            Ok(XmlNode::Eof) => return Ok(false),
            Ok(_) => {}
            Err(what) => return Err(Fault::Workbook(format!("{MANIFEST} is damaged: {what}"))),
        }
    }
}

/// The styles of sheets that nobody sees.
fn hidden_styles<R: std::io::BufRead>(xml: &mut Xml<R>, buffer: &mut Vec<u8>) -> Result<HashSet<String>, String> {
    let (mut hidden, mut style, mut open) = (HashSet::new(), String::new(), 1_u32);
    while open > 0 {
        match xml.next(buffer)? {
            XmlNode::Start(element) => {
                open += 1;
                match element.name().as_ref() {
                    "style:style" => style = find_attribute(&element, "style:name")?.unwrap_or_default().into_owned(),
                    "style:table-properties"
                        if find_attribute(&element, "table:display")?.is_some_and(|is| is == "false") =>
                    {
                        hidden.insert(style.clone());
                    }
                    _ => {}
                }
            }
            XmlNode::End => open -= 1,
            XmlNode::Text(_) | XmlNode::Nothing | XmlNode::Eof => {}
        }
    }
    Ok(hidden)
}

/// Reads the rows of a sheet whose element was begun.
fn read_table<R: std::io::BufRead>(xml: &mut Xml<R>, grid: &mut Grid) -> Result<(), Trouble> {
    let mut buffer = Vec::new();
    let mut cells = Vec::new();
    // Rows may lie in groups, which lie in groups.
    let (mut groups, mut row) = (0_u32, 0_u32);
    loop {
        match xml.next(&mut buffer).map_err(broken_content)? {
            XmlNode::Start(element) => match element.name().as_ref() {
                "table:table-row" => {
                    let repeated = repeat_count(&element, "table:number-rows-repeated").map_err(broken_content)?;
                    read_cells(xml, &mut cells).map_err(broken_content)?;
                    // Rows without a cell that says something cost nothing, however many they are; of others the first that
                    // no sheet can have is refused where it holds a text, and merged cells do not matter there.
                    let end = row.saturating_add(repeated).min(MOST_ROWS + 1);
                    for row in (row..end).take_while(|_| !cells.is_empty()) {
                        put_row(grid, row, &cells)?;
                        if grid.is_full() {
                            return Ok(());
                        }
                    }
                    row = row.saturating_add(repeated);
                }
                "table:table-header-rows" | "table:table-rows" | "table:table-row-group" => groups += 1,
                _ => xml.skip_element(&mut buffer).map_err(broken_content)?,
            },
            XmlNode::End if groups == 0 => return Ok(()),
            XmlNode::End => groups -= 1,
            XmlNode::Text(_) | XmlNode::Nothing | XmlNode::Eof => {}
        }
    }
}

fn put_row(grid: &mut Grid, row: u32, cells: &[OdsCell]) -> Result<(), Trouble> {
    for cell in cells {
        let (rows, columns) = cell.spanned;
        let end = (row.saturating_add(rows - 1), cell.column.saturating_add(columns - 1));
        grid.merge_cells(Dimensions::new((row, cell.column), end));
        if cell.shown.as_ref().is_ok_and(String::is_empty) {
            continue;
        }
        for column in cell.column..cell.column.saturating_add(cell.repeated) {
            grid.add_cell((row, column), |out| match &cell.shown {
                Ok(text) => {
                    out.push_str(text);
                    Ok(())
                }
                Err(error) => Err(error.clone()),
            })?;
        }
    }
    Ok(())
}
