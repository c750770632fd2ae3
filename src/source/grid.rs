//! The cells of a sheet, in its order, becoming a header and rows.
//!
//! The header is the first row that is not blank, at `source.header_row` or below; a row stands where its row number in the
//! sheet says. A cell that holds an error, or belongs to merged cells, makes its row bad: what it should say cannot be
//! known, and blank it is not. How much text a sheet comes to is bounded as what a file expands to is, because a small file
//! can name one text, or one row, a million times.

use std::collections::BTreeMap;
use std::path::Path;

use calamine::Dimensions;
use encoding_rs::UTF_8;

use super::error::{Fault, Trouble};
use super::header;
use super::packed::Bounds;
use super::row_shape::{MAX_RECORD, RowFault};
use super::spool::{RowSpool, Spooled};

/// As many rows and columns as a sheet can have.
pub(super) const MOST_ROWS: u32 = 1 << 20;
const MOST_COLUMNS: u32 = 1 << 14;

/// Where the rows go.
enum GridTarget {
    RowSpool(Box<RowSpool>),
    /// The first rows as they are, header or not, each with its row number.
    Head {
        rows: Vec<(u32, Vec<String>)>,
        most: usize,
    },
}

pub(super) struct Grid {
    to: GridTarget,
    header_row: u32,
    names: Option<Vec<String>>,
    merged: Merged,
    /// The row that the cells are of, 0-based.
    row: u32,
    /// Reused from row to row; the first `used` are of this one.
    cells: Vec<String>,
    used: usize,
    /// Bytes of the cells of this row.
    length: usize,
    /// The first cell that holds an error, and what stands there.
    error: Option<(usize, String)>,
    blank_rows: u64,
    /// Bytes of all rows so far, and what they are held against: the size of the file.
    total: u64,
    from: u64,
    bounds: Bounds,
}

impl Grid {
    /// Rows below a header, for a file of `from` bytes.
    pub(super) fn new(header_row: u32, folder: &Path, from: u64, bounds: Bounds) -> Result<Self, Fault> {
        Ok(Self::with_target(GridTarget::RowSpool(Box::new(RowSpool::create(folder)?)), header_row, from, bounds))
    }

    /// The first rows that are not blank.
    pub(super) fn head(most: usize, from: u64, bounds: Bounds) -> Self {
        Self::with_target(GridTarget::Head { rows: Vec::new(), most }, 1, from, bounds)
    }

    fn with_target(to: GridTarget, header_row: u32, from: u64, bounds: Bounds) -> Self {
        Self {
            to,
            header_row,
            names: None,
            merged: Merged::default(),
            row: 0,
            cells: Vec::new(),
            used: 0,
            length: 0,
            error: None,
            blank_rows: 0,
            total: 0,
            from,
            bounds,
        }
    }

    /// Whether no more rows are wanted.
    pub(super) fn is_full(&self) -> bool {
        matches!(&self.to, GridTarget::Head { rows, most } if rows.len() >= *most)
    }

    /// Says which cells are merged, before the row after the first of them begins.
    pub(super) fn merge_cells(&mut self, region: Dimensions) {
        self.merged.add(region);
    }

    /// The next cell: its text, which `write` adds to what it is given, or what stands there instead of one.
    pub(super) fn add_cell(
        &mut self,
        (row, column): (u32, u32),
        write: impl FnOnce(&mut String) -> Result<(), String>,
    ) -> Result<(), Trouble> {
        if row < self.row || row >= MOST_ROWS || column >= MOST_COLUMNS {
            let place = cell_name(row, column as usize);
            return Err(Fault::Workbook(format!("cell {place} is outside the sheet")).into());
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
        let cell = &mut self.cells[at];
        cell.clear();
        // What is too long already becomes no row, however much more of it there is.
        if self.length <= MAX_RECORD {
            if let Err(error) = write(cell) {
                cell.clear();
                self.error.get_or_insert((at, error));
            }
            self.length += cell.len();
        }
        Ok(())
    }

    fn end_row(&mut self) -> Result<(), Trouble> {
        let (used, error) = (std::mem::take(&mut self.used), self.error.take());
        let is_too_long = std::mem::take(&mut self.length) > MAX_RECORD;
        let line = self.row + 1;
        if used == 0 || line < self.header_row {
            return Ok(());
        }
        let width = self.names.as_ref().map_or(0, Vec::len);
        self.count_row(used.max(width))?;
        let filled = self.cells[..used].iter().rposition(|cell| !cell.trim().is_empty()).map_or(0, |at| at + 1);
        let is_blank = filled == 0 && error.is_none() && !is_too_long;
        let spool = match &mut self.to {
            GridTarget::Head { rows, most } => {
                if !is_blank && rows.len() < *most {
                    rows.push((line, self.cells[..filled].to_vec()));
                }
                return Ok(());
            }
            GridTarget::RowSpool(spool) => spool,
        };
        let Some(names) = &self.names else {
            return if is_blank { Ok(()) } else { self.read_header(filled, is_too_long, error) };
        };
        if is_blank {
            self.blank_rows += 1;
            return Ok(());
        }
        if self.cells.len() < width {
            self.cells.resize_with(width, String::new);
        }
        // Cells that this row does not reach still hold what an earlier one left there.
        self.cells[used.min(width)..width].iter_mut().for_each(String::clear);
        if is_too_long {
            return Ok(spool.too_long(line)?);
        }
        let why = if let Some((column, error)) = error {
            let name = names.get(column).map_or_else(String::new, |name| format!(" ({name})"));
            Some(format!("cell {}{name} holds {error}", cell_name(self.row, column)))
        } else if filled > width {
            let place = cell_name(self.row, filled - 1);
            Some(format!("cell {place} is to the right of the last column that has a name"))
        } else {
            self.merged
                .merged_in_row(self.row)
                .map(|cells| format!("the row has merged cells ({cells}): only one has a value"))
        };
        let cells = &self.cells[..width];
        match why {
            Some(message) => spool.write_bad_row(line, RowFault::Cells, &message, cells)?,
            None => spool.write_row(line, cells)?,
        }
        Ok(())
    }

    fn read_header(&mut self, filled: usize, is_too_long: bool, error: Option<(usize, String)>) -> Result<(), Trouble> {
        let line = self.row + 1;
        let at_line = |fault: Fault| Trouble::from(fault).at_line(line);
        if is_too_long {
            return Err(at_line(Fault::RowTooLong { quote: None }));
        }
        if let Some(cells) = self.merged.merged_in_row(self.row) {
            return Err(at_line(Fault::MergedHeader { cells }));
        }
        if let Some((column, error)) = error {
            let message = format!("the header's cell {} holds {error}", cell_name(self.row, column));
            return Err(at_line(Fault::Workbook(message)));
        }
        let names: Vec<String> = self.cells[..filled].iter().map(|name| header::trim_name(name).to_owned()).collect();
        header::check(&names).map_err(at_line)?;
        self.names = Some(names);
        Ok(())
    }

    /// Adds a row of so many cells to what the sheet comes to.
    fn count_row(&mut self, cells: usize) -> Result<(), Fault> {
        let texts: usize = self.cells.iter().take(cells).map(String::len).sum();
        self.total += (texts + cells) as u64;
        if self.bounds.are_exceeded(self.total, self.from) {
            return Err(Fault::Expands { bytes: self.total, from: self.from });
        }
        Ok(())
    }

    pub(super) fn finish(mut self) -> Result<Spooled, Trouble> {
        self.end_row()?;
        let (GridTarget::RowSpool(spool), Some(names)) = (self.to, self.names) else {
            let header_row = self.header_row;
            return Err(if header_row > 1 { Fault::NoHeader { header_row } } else { Fault::Empty }.into());
        };
        Ok(Spooled {
            path: spool.finish()?,
            names,
            blank_rows: self.blank_rows,
            ends_within_row: false,
            encoding: UTF_8,
            marked: false,
        })
    }

    /// The first rows, where only these were wanted.
    pub(super) fn into_head(mut self) -> Result<Vec<(u32, Vec<String>)>, Trouble> {
        self.end_row()?;
        match self.to {
            GridTarget::Head { rows, .. } => Ok(rows),
            GridTarget::RowSpool(_) => Ok(Vec::new()),
        }
    }
}

/// Merged cells, asked for row by row from the top.
#[derive(Default)]
struct Merged {
    /// By their first row; of those that begin in one, the one that reaches farthest down.
    waiting: BTreeMap<u32, Dimensions>,
    /// Of those that begin at the row or above, the one that reaches farthest down.
    reached: Option<Dimensions>,
}

impl Merged {
    fn add(&mut self, region: Dimensions) {
        if region.start == region.end {
            return;
        }
        let farthest = self.waiting.entry(region.start.0).or_insert(region);
        if farthest.end.0 < region.end.0 {
            *farthest = region;
        }
    }

    /// Merged cells that have a part in this row, as a person writes them.
    fn merged_in_row(&mut self, row: u32) -> Option<String> {
        while let Some(first) = self.waiting.first_entry().filter(|first| *first.key() <= row) {
            let region = first.remove();
            if self.reached.is_none_or(|reached| reached.end.0 < region.end.0) {
                self.reached = Some(region);
            }
        }
        let region = self.reached.filter(|region| region.end.0 >= row)?;
        let corner = |(row, column): (u32, u32)| cell_name(row, column as usize);
        Some(format!("{}:{}", corner(region.start), corner(region.end)))
    }
}

/// A cell as the spreadsheet calls it: `B17`.
fn cell_name(row: u32, column: usize) -> String {
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
            assert_eq!(cell_name(0, at), expected);
        }
        assert_eq!(cell_name(16, 1), "B17");
    }

    #[test]
    fn merged_cells_are_found_in_each_of_their_rows_whatever_lies_within_them() {
        let region = |top, left, bottom, right| Dimensions::new((top, left), (bottom, right));
        let mut merged = Merged::default();
        for region in
            [region(7, 0, 7, 1), region(2, 0, 2, 1), region(2, 1, 5, 1), region(3, 0, 3, 2), region(6, 0, 6, 0)]
        {
            merged.add(region);
        }
        let found: Vec<_> = (0..9).map(|row| merged.merged_in_row(row)).collect();
        let long = || Some("B3:B6".to_owned());
        assert_eq!(found, [None, None, long(), long(), long(), long(), None, Some("A8:B8".to_owned()), None]);
    }
}
