//! What the columns of an export mean, each with the reason. A column means one thing; of several that could mean the
//! same, the one whose name says most is taken, unless its cells refute it.

use super::column::{Column, Profile};
use super::meaning::Meaning;
use super::product::{Product, find_product};
use super::status::{Sense, sense_of};
use super::synonyms::SYNONYMS;
use super::synonyms::{meanings_of, plain_name};

/// Candidates for the identity that are looked at in all rows.
const CANDIDATES: usize = 6;

/// A column whose meaning was found.
#[derive(Clone, Debug, PartialEq)]
pub struct FoundColumn {
    pub meaning: Meaning,
    pub column: usize,
    pub why: String,
    /// Its name says so, not only its cells.
    pub is_named: bool,
}

/// How first and last name stand in one cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameOrder {
    /// `Diaz, Ana`
    LastFirst,
    /// `Ana Diaz`
    FirstLast,
}

/// What the columns of an export mean.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Recognised {
    pub product: Option<Product>,
    pub columns: Vec<String>,
    /// At most one column for each meaning, in the order in which people are shown them.
    pub found: Vec<FoundColumn>,
    /// Columns that may be the identity, the likeliest first.
    pub identities: Vec<FoundColumn>,
    /// How the names in [`Meaning::FullName`] are written, where that column is there.
    pub order: Option<NameOrder>,
}

impl Recognised {
    /// The column of this meaning.
    #[must_use]
    pub fn column(&self, meaning: Meaning) -> Option<usize> {
        self.found.iter().find(|found| found.meaning == meaning).map(|found| found.column)
    }

    /// The name of the column of this meaning.
    #[must_use]
    pub fn name(&self, meaning: Meaning) -> Option<&str> {
        self.column(meaning).map(|column| self.columns[column].as_str())
    }
}

/// Finds out what the columns mean.
#[must_use]
pub fn recognise(profile: &Profile) -> Recognised {
    let columns: Vec<String> = profile.columns.iter().map(|column| column.name.clone()).collect();
    let mut found: Vec<FoundColumn> = Vec::new();
    for (meaning, _) in SYNONYMS.iter().filter(|(meaning, _)| *meaning != Meaning::Identity) {
        let best =
            find_named(profile, *meaning).into_iter().find(|(_, at)| found.iter().all(|other| other.column != *at));
        found.extend(best.map(|(_, column)| FoundColumn {
            meaning: *meaning,
            column,
            why: why_named(*meaning, &profile.columns[column], profile.rows),
            is_named: true,
        }));
    }
    find_by_cells(profile, &mut found);
    let order = find_full_name(profile, &mut found);
    let identities = find_identities(profile, &found);
    Recognised { product: find_product(&columns), columns, found, identities, order }
}

/// The columns that this meaning is the name of, whose cells allow it; the likeliest first.
fn find_named(profile: &Profile, meaning: Meaning) -> Vec<(usize, usize)> {
    let likely = |(at, column): (usize, &Column)| {
        let (_, place) = meanings_of(&column.name).into_iter().find(|(of, _)| *of == meaning)?;
        fits_meaning(meaning, column).then(|| (place + doubt_of(meaning, column), at))
    };
    let mut named: Vec<(usize, usize)> = profile.columns.iter().enumerate().filter_map(likely).collect();
    named.sort_unstable();
    named
}

/// Whether the cells of a column allow it to mean this.
fn fits_meaning(meaning: Meaning, column: &Column) -> bool {
    let mostly = |count| column.mostly(count, 50);
    if column.filled == 0 {
        return false;
    }
    match meaning {
        Meaning::Email => mostly(column.addresses),
        Meaning::Identity => !mostly(column.dates),
        Meaning::Login | Meaning::WorkPhone | Meaning::MobilePhone | Meaning::Extension | Meaning::CostCenter => {
            !mostly(column.dates)
        }
        Meaning::Status => column.values.is_some() && !mostly(column.dates) && !mostly(column.addresses),
        Meaning::End => mostly(column.dates),
        Meaning::Skills => column.mostly(column.pairs, 80),
        Meaning::Role => column.values.is_some() && !mostly(column.dates),
        _ => !mostly(column.dates) && !mostly(column.addresses) && !mostly(column.numbers),
    }
}

/// Put on top of the place in the list: a status that says nothing of who works here comes behind all that do.
fn doubt_of(meaning: Meaning, column: &Column) -> usize {
    let says = |word: &String| matches!(sense_of(word), Sense::Active | Sense::Inactive);
    match (&column.values, meaning) {
        (Some(values), Meaning::Status) if !values.keys().any(says) => 1000,
        _ => 0,
    }
}

fn why_named(meaning: Meaning, column: &Column, rows: u64) -> String {
    match meaning {
        Meaning::Email => format!("{} of {rows} are addresses", column.addresses),
        Meaning::Skills => format!("{} of {rows} are pairs such as English:100", column.pairs),
        Meaning::End => format!("{} of {rows} have a date", column.dates),
        _ if column.filled < rows => format!("a usual name; {} of {rows} filled", column.filled),
        _ => "a usual name".to_owned(),
    }
}

/// What the cells tell where no name does.
fn find_by_cells(profile: &Profile, found: &mut Vec<FoundColumn>) {
    let is_free = |found: &[FoundColumn], at: usize| found.iter().all(|other| other.column != at);
    let has = |found: &[FoundColumn], meaning| found.iter().any(|other| other.meaning == meaning);
    if !has(found, Meaning::Email) {
        let addresses = profile.columns.iter().enumerate().filter(|(_, column)| column.mostly(column.addresses, 90));
        let fullest =
            addresses.filter(|(at, _)| is_free(found, *at)).max_by_key(|(at, c)| (c.addresses, usize::MAX - at));
        found.extend(fullest.map(|(column, cells)| FoundColumn {
            meaning: Meaning::Email,
            column,
            why: format!("{} of {} are addresses", cells.addresses, profile.rows),
            is_named: false,
        }));
    }
    if !has(found, Meaning::Status) {
        // Short words are codes or yes and no, which any column may have.
        let says = |word: &String| word.chars().count() > 2 && sense_of(word) != Sense::Unknown;
        let is_status = |column: &Column| {
            let values = column.values.as_ref().filter(|values| !values.is_empty() && values.len() <= 12);
            values.is_some_and(|values| {
                values.keys().all(says) && values.keys().any(|word| sense_of(word) == Sense::Active)
            })
        };
        let status = profile.columns.iter().enumerate().find(|(at, column)| is_free(found, *at) && is_status(column));
        found.extend(status.map(|(column, _)| FoundColumn {
            meaning: Meaning::Status,
            column,
            why: "its values say who works here".to_owned(),
            is_named: false,
        }));
    }
}

/// First and last name in one cell, where there are no columns for the two.
fn find_full_name(profile: &Profile, found: &mut Vec<FoundColumn>) -> Option<NameOrder> {
    let at = |found: &[FoundColumn], meaning| found.iter().position(|other| other.meaning == meaning);
    let (first, last, full) =
        (at(found, Meaning::FirstName), at(found, Meaning::LastName), at(found, Meaning::FullName));
    if let (Some(_), Some(_), Some(full)) = (first, last, full) {
        found.remove(full);
        return None;
    }
    // "Nombre" and "Nom" alone may be the whole name.
    if let (Some(lone), None, None) | (None, Some(lone), None) = (first, last, full)
        && profile.columns[found[lone].column].mostly(profile.columns[found[lone].column].words, 60)
    {
        found[lone].meaning = Meaning::FullName;
    }
    let full = at(found, Meaning::FullName)?;
    let column = &profile.columns[found[full].column];
    let order = if column.mostly(column.commas, 50) { NameOrder::LastFirst } else { NameOrder::FirstLast };
    found[full].why = match order {
        NameOrder::LastFirst => format!("{} of {} are written \"Last, First\"", column.commas, profile.rows),
        NameOrder::FirstLast => format!("{} of {} have several words", column.words, profile.rows),
    };
    Some(order)
}

/// Columns that may be the identity: by their names, then by their cells, then the login and the address.
fn find_identities(profile: &Profile, found: &[FoundColumn]) -> Vec<FoundColumn> {
    let is_free = |at: &usize| found.iter().all(|other| other.column != *at);
    let candidate = |column: usize, why: &str, is_named: bool| FoundColumn {
        meaning: Meaning::Identity,
        column,
        why: why.to_owned(),
        is_named,
    };
    let named = find_named(profile, Meaning::Identity).into_iter().map(|(_, at)| at).filter(is_free);
    let mut candidates: Vec<FoundColumn> = named.map(|at| candidate(at, "a usual name", true)).collect();
    let is_code = |column: &Column| {
        let plain = plain_name(&column.name);
        let says =
            ["id", "number", "nummer", "numero", "nr", "no", "code", "key"].iter().any(|end| plain.ends_with(end));
        let is_whole = column.filled == profile.rows && profile.rows > 0;
        says && is_whole && column.words == 0 && column.dates == 0 && column.addresses == 0
    };
    for (at, column) in profile.columns.iter().enumerate() {
        if candidates.len() >= CANDIDATES {
            break;
        }
        if is_free(&at) && is_code(column) && candidates.iter().all(|other| other.column != at) {
            candidates.push(candidate(at, "looks like it", false));
        }
    }
    for meaning in [Meaning::Login, Meaning::Email] {
        let column = found.iter().find(|other| other.meaning == meaning).map(|other| other.column);
        candidates.extend(column.map(|at| candidate(at, "there is no number for it", false)));
    }
    candidates.truncate(CANDIDATES);
    candidates
}
