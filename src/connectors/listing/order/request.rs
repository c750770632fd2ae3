//! How a list is divided into pages, how a page is asked for, and what it says of the list.

/// The first page, and the first place.
pub const FIRST: u64 = 1;

/// How a list is divided into pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Paging {
    /// Pages have numbers from 1. A full page has so many records.
    Numbers { page_size: u64 },
    /// A page begins at a place, from 1, and is asked for with a size. The server may keep to a smaller or larger one.
    Places { page_size: u64 },
    /// Each page names the next one. Where the first names none, the others are asked for by place.
    Cursors { page_size: u64 },
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PageRequest {
    Number(u64),
    Places {
        start: u64,
        count: u64,
    },
    /// The cursor is none for the first page.
    Cursor {
        cursor: Option<String>,
        count: u64,
    },
}

/// What a page says of the list as a whole.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PageFacts {
    /// How many accounts there are.
    pub total: Option<u64>,
    /// How many pages there are.
    pub pages: Option<u64>,
    /// Whether there is a page after this one.
    pub more: Option<bool>,
    /// How many records the server puts on a page.
    pub per_page: Option<u64>,
    /// Where the next page is.
    pub cursor: Option<String>,
}

impl Paging {
    pub(super) fn page_size(self) -> u64 {
        match self {
            Self::Numbers { page_size } | Self::Places { page_size } | Self::Cursors { page_size } => page_size,
        }
    }

    pub(super) fn is_numbered(self) -> bool {
        matches!(self, Self::Numbers { .. })
    }
}

impl PageRequest {
    pub fn is_first(&self) -> bool {
        self.place() == Some(FIRST) || matches!(self, Self::Cursor { cursor: None, .. })
    }

    /// The page as a note names it.
    pub fn describe(&self) -> String {
        match self {
            Self::Number(page) => format!("page {page}"),
            Self::Places { start, .. } => format!("the page from account {start} on"),
            Self::Cursor { .. } => "a page".to_owned(),
        }
    }

    /// What the page is known by.
    pub(super) fn place(&self) -> Option<u64> {
        match self {
            Self::Number(page) => Some(*page),
            Self::Places { start, .. } => Some(*start),
            Self::Cursor { .. } => None,
        }
    }
}
