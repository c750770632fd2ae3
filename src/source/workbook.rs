//! Spreadsheets (xlsx, ods) as spooled rows.
//!
//! One sheet is read: the one that is asked for, or the only one that is not hidden. Formulas count by the value that was
//! saved with them. What becomes of the cells is the same for both kinds, and stands in `grid`.

use std::io::{Cursor, Read};
use std::path::Path;

use calamine::{Reader, SheetType, SheetVisible, Xlsx};

use super::archive::{self, BOUNDS};
use super::error::{Fault, Trouble};
use super::grid::Grid;
use super::number_pattern::Pattern;
use super::ods::{Ods, SheetName};
use super::shown::SheetCell;
use super::spool::Spooled;

/// The largest workbook, packed, that is taken into memory.
const MOST_BYTES: u64 = 512 << 20;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WorkbookKind {
    Xlsx,
    Ods,
}

/// What is asked of a workbook.
pub(super) struct SheetRequest<'a> {
    pub kind: WorkbookKind,
    pub sheet: Option<&'a str>,
    /// 1-based.
    pub header_row: u32,
}

/// Spools the rows of a sheet; with them comes the digest of the file.
pub(super) fn spool_sheet(path: &Path, asked: &SheetRequest<'_>, folder: &Path) -> Result<(Spooled, String), Trouble> {
    let bytes = read_whole(path)?;
    let mut digest = blake3::hash(&bytes).to_hex().to_string();
    digest.truncate(32);
    let mut grid = Grid::new(asked.header_row, folder, bytes.len() as u64, BOUNDS)?;
    read(&bytes, asked, &mut grid)?;
    Ok((grid.finish()?, digest))
}

/// The first rows of a sheet that are not blank, each with its row number.
pub(super) fn read_first_rows(
    path: &Path,
    asked: &SheetRequest<'_>,
    most: usize,
) -> Result<Vec<(u32, Vec<String>)>, Trouble> {
    let bytes = read_whole(path)?;
    let mut grid = Grid::head(most, bytes.len() as u64, BOUNDS);
    read(&bytes, asked, &mut grid)?;
    grid.into_head()
}

fn read(bytes: &[u8], asked: &SheetRequest<'_>, grid: &mut Grid) -> Result<(), Trouble> {
    archive::check(bytes, BOUNDS)?;
    // A file can be broken in ways that its reader never thought of; it must not take the program along.
    let read = || match asked.kind {
        WorkbookKind::Xlsx => read_xlsx(bytes, asked.sheet, grid),
        WorkbookKind::Ods => read_ods(bytes, asked.sheet, grid),
    };
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(read)).unwrap_or_else(|_| {
        Err(Fault::Workbook("it is damaged in a way that its reader does not understand".into()).into())
    })
}

fn read_whole(path: &Path) -> Result<Vec<u8>, Fault> {
    let io = |doing| move |error: std::io::Error| Fault::io(doing, &error);
    let file = std::fs::File::open(path).map_err(io("opening"))?;
    let mut bytes = Vec::new();
    file.take(MOST_BYTES + 1).read_to_end(&mut bytes).map_err(io("reading"))?;
    if bytes.len() as u64 > MOST_BYTES {
        return Err(Fault::Workbook(format!("it is larger than {} MiB", MOST_BYTES >> 20)));
    }
    Ok(bytes)
}

fn read_xlsx(bytes: &[u8], sheet: Option<&str>, grid: &mut Grid) -> Result<(), Trouble> {
    let broken = |error: calamine::XlsxError| match error {
        calamine::XlsxError::Password => Trouble::from(Fault::Encrypted),
        error => Trouble::from(Fault::Workbook(error.to_string())),
    };
    let mut workbook: Xlsx<_> = Xlsx::new(Cursor::new(bytes)).map_err(broken)?;
    let sheets = workbook.sheets_metadata().iter().filter(|sheet| sheet.typ == SheetType::WorkSheet);
    let sheets: Vec<SheetName> = sheets
        .map(|sheet| SheetName { name: sheet.name.clone(), is_visible: sheet.visible == SheetVisible::Visible })
        .collect();
    let name = choose_sheet(&sheets, sheet)?;
    let merged = workbook.merge_cells_by_sheet_name(&name).map_err(broken)?;
    merged.into_iter().for_each(|region| grid.merge_cells(region));
    let mut reader = workbook.worksheet_cells_reader(&name).map_err(broken)?;
    let patterns: Vec<Option<Pattern>> = reader
        .styles()
        .iter()
        .map(|style| style.number_format.as_ref().and_then(|format| Pattern::of(&format.format_code)))
        .collect();
    while let Some((cell, style)) = reader.next_cell_with_style_id().map_err(broken)? {
        let pattern = patterns.get(style).and_then(Option::as_ref);
        let value = SheetCell::from(cell.get_value());
        grid.add_cell(cell.get_position(), |out| value.show(pattern, out))?;
        if grid.is_full() {
            break;
        }
    }
    Ok(())
}

fn read_ods(bytes: &[u8], sheet: Option<&str>, grid: &mut Grid) -> Result<(), Trouble> {
    let mut workbook = Ods::open(bytes)?;
    let name = choose_sheet(&workbook.list_sheets()?, sheet)?;
    workbook.read(&name, grid)
}

/// The sheet that is read.
fn choose_sheet(sheets: &[SheetName], wanted: Option<&str>) -> Result<String, Fault> {
    if let Some(wanted) = wanted {
        return match sheets.iter().find(|sheet| sheet.name == wanted) {
            Some(sheet) => Ok(sheet.name.clone()),
            None => {
                let sheets = sheets.iter().map(|sheet| sheet.name.clone()).collect();
                Err(Fault::NoSheet { sheet: wanted.to_owned(), sheets })
            }
        };
    }
    let seen: Vec<&str> = sheets.iter().filter(|sheet| sheet.is_visible).map(|sheet| sheet.name.as_str()).collect();
    match seen.as_slice() {
        [] => Err(Fault::Workbook("it has no sheet that can be seen".into())),
        [one] => Ok((*one).to_owned()),
        several => Err(Fault::WhichSheet { sheets: several.iter().map(|name| (*name).to_owned()).collect() }),
    }
}
