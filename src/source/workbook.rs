//! Spreadsheets (xlsx, ods) as spooled rows.
//!
//! One sheet is read: the one that is asked for, or the only one that is not hidden. Its header is the first row that is
//! not blank, at `source.header_row` or below; a row stands where its row number in the sheet says. Formulas count by the
//! value that was saved with them. A cell that holds an error, or belongs to merged cells, makes its row bad: what it
//! should say cannot be known, and blank it is not.

use std::io::{Cursor, Read};
use std::path::Path;

use calamine::{Data, Dimensions, Ods, Reader, Sheet, SheetType, SheetVisible, Xlsx};

use super::error::{Fault, Trouble};
use super::rows::RowFault;
use super::shown::{Cell, Pattern};
use super::spool::{Spool, Spooled};
use super::{archive, header};

/// The largest workbook, packed, that is taken into memory.
const MOST_BYTES: u64 = 512 << 20;

/// As many rows and columns as a sheet can have.
const MOST_ROWS: u32 = 1 << 20;
const MOST_COLUMNS: u32 = 1 << 14;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Xlsx,
    Ods,
}

/// What is asked of a workbook.
pub(super) struct Asked<'a> {
    pub kind: Kind,
    pub sheet: Option<&'a str>,
    /// 1-based.
    pub header_row: u32,
}

/// Spools the rows of a sheet; with them comes the digest of the file.
pub(super) fn spool(path: &Path, asked: &Asked<'_>, folder: &Path) -> Result<(Spooled, String), Trouble> {
    let bytes = whole(path)?;
    archive::check(&bytes, archive::BOUNDS)?;
    let mut digest = blake3::hash(&bytes).to_hex().to_string();
    digest.truncate(32);
    // A file can be broken in ways that its reader never thought of; it must not take the program along.
    let read = || match asked.kind {
        Kind::Xlsx => xlsx(&bytes, asked, folder),
        Kind::Ods => ods(&bytes, asked, folder),
    };
    let spooled = std::panic::catch_unwind(std::panic::AssertUnwindSafe(read)).unwrap_or_else(|_| {
        Err(Fault::Workbook("it is damaged in a way that its reader does not understand".into()).into())
    })?;
    Ok((spooled, digest))
}

fn whole(path: &Path) -> Result<Vec<u8>, Fault> {
    let io = |doing| move |error: std::io::Error| Fault::io(doing, &error);
    let file = std::fs::File::open(path).map_err(io("opening"))?;
    let mut bytes = Vec::new();
    file.take(MOST_BYTES + 1).read_to_end(&mut bytes).map_err(io("reading"))?;
    if bytes.len() as u64 > MOST_BYTES {
        return Err(Fault::Workbook(format!("it is larger than {} MiB", MOST_BYTES >> 20)));
    }
    Ok(bytes)
}

fn xlsx(bytes: &[u8], asked: &Asked<'_>, folder: &Path) -> Result<Spooled, Trouble> {
    let broken = |error: calamine::XlsxError| match error {
        calamine::XlsxError::Password => Trouble::from(Fault::Encrypted),
        error => Trouble::from(Fault::Workbook(error.to_string())),
    };
    let mut workbook: Xlsx<_> = Xlsx::new(Cursor::new(bytes)).map_err(broken)?;
    let name = choose(workbook.sheets_metadata(), asked.sheet)?;
    let merged = workbook.merge_cells_by_sheet_name(&name).map_err(broken)?;
    let mut grid = Grid::new(asked.header_row, merged, folder)?;
    let mut reader = workbook.worksheet_cells_reader(&name).map_err(broken)?;
    let patterns: Vec<Option<Pattern>> = reader
        .styles()
        .iter()
        .map(|style| style.number_format.as_ref().and_then(|format| Pattern::of(&format.format_code)))
        .collect();
    while let Some((cell, style)) = reader.next_cell_with_style_id().map_err(broken)? {
        let pattern = patterns.get(style).and_then(Option::as_ref);
        grid.cell(cell.get_position(), &Cell::from(cell.get_value()), pattern)?;
    }
    grid.finish()
}

fn ods(bytes: &[u8], asked: &Asked<'_>, folder: &Path) -> Result<Spooled, Trouble> {
    let broken = |error: calamine::OdsError| match error {
        calamine::OdsError::Password => Trouble::from(Fault::Encrypted),
        error => Trouble::from(Fault::Workbook(error.to_string())),
    };
    let mut workbook: Ods<_> = Ods::new(Cursor::new(bytes)).map_err(broken)?;
    let name = choose(workbook.sheets_metadata(), asked.sheet)?;
    let range = workbook.worksheet_range(&name).map_err(broken)?;
    let mut grid = Grid::new(asked.header_row, Vec::new(), folder)?;
    let (top, left) = range.start().unwrap_or_default();
    for (row, cells) in (top..).zip(range.rows()) {
        for (column, cell) in (left..).zip(cells).filter(|(_, cell)| **cell != Data::Empty) {
            grid.cell((row, column), &Cell::from(cell), None)?;
        }
    }
    grid.finish()
}

/// The sheet that is read.
fn choose(sheets: &[Sheet], wanted: Option<&str>) -> Result<String, Fault> {
    let sheets: Vec<&Sheet> = sheets.iter().filter(|sheet| sheet.typ == SheetType::WorkSheet).collect();
    let names = |visible_only: bool| -> Vec<String> {
        let shown = sheets.iter().filter(|sheet| !visible_only || sheet.visible == SheetVisible::Visible);
        shown.map(|sheet| sheet.name.clone()).collect()
    };
    if let Some(wanted) = wanted {
        let all = names(false);
        return match all.iter().find(|name| *name == wanted) {
            Some(name) => Ok(name.clone()),
            None => Err(Fault::NoSheet { sheet: wanted.to_owned(), sheets: all }),
        };
    }
    match names(true).as_slice() {
        [] => Err(Fault::Workbook("it has no sheet that can be seen".into())),
        [one] => Ok(one.clone()),
        several => Err(Fault::WhichSheet { sheets: several.to_vec() }),
    }
}

/// Cells, in the order of the sheet, becoming a header and rows.
struct Grid {
    spool: Spool,
    header_row: u32,
    names: Option<Vec<String>>,
    merged: Merged,
    /// The row that the cells are of, 0-based.
    row: u32,
    /// Reused from row to row; the first `used` are of this one.
    cells: Vec<String>,
    used: usize,
    /// The first cell that holds an error, and what stands there.
    error: Option<(usize, String)>,
    blank_rows: u64,
}

impl Grid {
    fn new(header_row: u32, merged: Vec<Dimensions>, folder: &Path) -> Result<Self, Fault> {
        Ok(Self {
            spool: Spool::create(folder)?,
            header_row,
            names: None,
            merged: Merged::new(merged),
            row: 0,
            cells: Vec::new(),
            used: 0,
            error: None,
            blank_rows: 0,
        })
    }

    fn cell(&mut self, (row, column): (u32, u32), cell: &Cell<'_>, pattern: Option<&Pattern>) -> Result<(), Trouble> {
        if row < self.row || row >= MOST_ROWS || column >= MOST_COLUMNS {
            let place = place(row, column as usize);
            return Err(Fault::Workbook(format!("cell {place} stands where none can")).into());
        }
        if row > self.row {
            self.end_row()?;
            self.row = row;
        }
        let at = column as usize;
        while self.used <= at {
            match self.cells.get_mut(self.used) {
                Some(cell) => cell.clear(),
                None => self.cells.push(String::new()),
            }
            self.used += 1;
        }
        self.cells[at].clear();
        if let Err(error) = cell.show(pattern, &mut self.cells[at]) {
            self.cells[at].clear();
            self.error.get_or_insert((at, error));
        }
        Ok(())
    }

    fn end_row(&mut self) -> Result<(), Trouble> {
        let (used, error) = (std::mem::take(&mut self.used), self.error.take());
        let line = self.row + 1;
        if used == 0 || line < self.header_row {
            return Ok(());
        }
        let filled = self.cells[..used].iter().rposition(|cell| !cell.trim().is_empty()).map_or(0, |at| at + 1);
        let Some(names) = &self.names else {
            if filled == 0 && error.is_none() {
                return Ok(());
            }
            let at_line = |fault: Fault| Trouble::from(fault).at_line(line);
            if let Some(cells) = self.merged.touching(self.row) {
                return Err(at_line(Fault::MergedHeader { cells }));
            }
            if let Some((column, error)) = error {
                let message = format!("the header's cell {} holds {error}", place(self.row, column));
                return Err(at_line(Fault::Workbook(message)));
            }
            let names: Vec<String> = self.cells[..filled].iter().map(|name| header::trimmed(name).to_owned()).collect();
            header::check(&names).map_err(at_line)?;
            self.names = Some(names);
            return Ok(());
        };
        let width = names.len();
        if filled == 0 && error.is_none() {
            self.blank_rows += 1;
            return Ok(());
        }
        if self.cells.len() < width {
            self.cells.resize_with(width, String::new);
        }
        // Cells that this row does not reach still hold what an earlier one left there.
        self.cells[used.min(width)..width].iter_mut().for_each(String::clear);
        let why = if let Some((column, error)) = error {
            let name = names.get(column).map_or_else(String::new, |name| format!(" ({name})"));
            Some(format!("cell {}{name} holds {error}", place(self.row, column)))
        } else if filled > width {
            let place = place(self.row, filled - 1);
            Some(format!("cell {place} stands to the right of the last column that has a name"))
        } else {
            self.merged
                .touching(self.row)
                .map(|cells| format!("the row has merged cells ({cells}): only one has a value"))
        };
        let cells = &self.cells[..width];
        match why {
            Some(message) => self.spool.bad(line, RowFault::Cells, &message, cells)?,
            None => self.spool.row(line, cells)?,
        }
        Ok(())
    }

    fn finish(mut self) -> Result<Spooled, Trouble> {
        self.end_row()?;
        let Some(names) = self.names else {
            let header_row = self.header_row;
            return Err(if header_row > 1 { Fault::NoHeader { header_row } } else { Fault::Empty }.into());
        };
        Ok(Spooled { path: self.spool.finish()?, names, blank_rows: self.blank_rows, ends_within_row: false })
    }
}

/// Merged cells, asked for row by row from the top.
struct Merged {
    /// By their first row, the last one first.
    waiting: Vec<Dimensions>,
    /// Of those that begin at the row or above, the one that reaches farthest down.
    reached: Option<Dimensions>,
}

impl Merged {
    fn new(mut regions: Vec<Dimensions>) -> Self {
        regions.retain(|region| region.start != region.end);
        regions.sort_by_key(|region| std::cmp::Reverse(region.start.0));
        Self { waiting: regions, reached: None }
    }

    /// Merged cells that have a part in this row, as a person writes them.
    fn touching(&mut self, row: u32) -> Option<String> {
        while let Some(region) = self.waiting.pop_if(|region| region.start.0 <= row) {
            if self.reached.is_none_or(|reached| reached.end.0 < region.end.0) {
                self.reached = Some(region);
            }
        }
        let region = self.reached.filter(|region| region.end.0 >= row)?;
        let corner = |(row, column): (u32, u32)| place(row, column as usize);
        Some(format!("{}:{}", corner(region.start), corner(region.end)))
    }
}

/// A cell as the spreadsheet calls it: `B17`.
fn place(row: u32, column: usize) -> String {
    let mut letters = Vec::new();
    let mut rest = column + 1;
    while rest > 0 {
        // The remainder is below 26.
        letters.push(b'A' + u8::try_from((rest - 1) % 26).unwrap_or(0));
        rest = (rest - 1) / 26;
    }
    let letters: String = letters.into_iter().rev().map(char::from).collect();
    format!("{letters}{}", u64::from(row) + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_called_as_in_the_spreadsheet() {
        for (at, expected) in [(0, "A1"), (25, "Z1"), (26, "AA1"), (701, "ZZ1"), (702, "AAA1"), (16_383, "XFD1")] {
            assert_eq!(place(0, at), expected);
        }
        assert_eq!(place(16, 1), "B17");
    }

    #[test]
    fn merged_cells_are_found_in_each_of_their_rows_whatever_lies_within_them() {
        let region = |top, left, bottom, right| Dimensions::new((top, left), (bottom, right));
        let mut merged =
            Merged::new(vec![region(7, 0, 7, 1), region(2, 1, 5, 1), region(3, 0, 3, 2), region(6, 0, 6, 0)]);
        let found: Vec<_> = (0..9).map(|row| merged.touching(row)).collect();
        let long = || Some("B3:B6".to_owned());
        assert_eq!(found, [None, None, long(), long(), long(), long(), None, Some("A8:B8".to_owned()), None]);
    }
}
