//! What the name of a column says that it means. Names are compared without case, accents, blanks and signs, with those
//! that `synonyms` lists.

use super::synonyms::{SYNONYMS, Synonyms, names_in};

/// What a column says of a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Meaning {
    /// The number of the person, which never changes.
    Identity,
    Login,
    Email,
    FirstName,
    LastName,
    /// First and last name in one cell.
    FullName,
    Title,
    Team,
    Department,
    Division,
    CostCenter,
    Role,
    Status,
    /// The last day.
    End,
    Skills,
    WorkPhone,
    MobilePhone,
    Extension,
}

impl Meaning {
    /// As people say it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Login => "login",
            Self::Email => "e-mail",
            Self::FirstName => "first name",
            Self::LastName => "last name",
            Self::FullName => "full name",
            Self::Title => "job title",
            Self::Team => "team",
            Self::Department => "department",
            Self::Division => "division",
            Self::CostCenter => "cost center",
            Self::Role => "role",
            Self::Status => "status",
            Self::End => "last day",
            Self::Skills => "skills",
            Self::WorkPhone => "work phone",
            Self::MobilePhone => "mobile phone",
            Self::Extension => "extension",
        }
    }
}

/// A name without case, accents, blanks and signs. A sign for "number" is spelt out, since it may be all that a name
/// says.
pub(super) fn plain_name(name: &str) -> String {
    let name = name.replace(['#', '№'], "number").replace(['°', 'º'], "");
    let ascii = deunicode::deunicode_with_tofu(&name, "");
    ascii.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}

/// The meanings that a column of this name may have, each with the place of the name in its list: the lower, the more
/// it says.
pub(super) fn meanings_of(name: &str) -> Vec<(Meaning, usize)> {
    let name = plain_name(name);
    let place = |(meaning, names): &Synonyms| {
        let at = names_in(names).position(|usual| plain_name(usual) == name)?;
        Some((*meaning, at))
    };
    if name.is_empty() { Vec::new() } else { SYNONYMS.iter().filter_map(place).collect() }
}

/// Whether exports have columns of this name.
#[must_use]
pub fn is_usual_name(name: &str) -> bool {
    !meanings_of(name).is_empty()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn a_name_stands_once_in_its_list_and_the_same_name_means_one_thing() {
        let mut seen: BTreeMap<String, Meaning> = BTreeMap::new();
        for (meaning, names) in SYNONYMS {
            for name in names_in(names) {
                assert!(!plain_name(name).is_empty(), "{name}");
                let earlier = seen.insert(plain_name(name), *meaning);
                // Some names are written in two ways that come to the same.
                assert!(earlier.is_none_or(|earlier| earlier == *meaning), "{name}: {earlier:?} and {meaning:?}");
            }
        }
        assert!(seen.len() > 250, "{}", seen.len());
    }

    #[test]
    fn case_accents_blanks_and_signs_of_a_name_do_not_matter() {
        let only = |name: &str| meanings_of(name).first().map(|(meaning, _)| *meaning);
        assert_eq!(only("EMPLOYEE_ID"), Some(Meaning::Identity));
        assert_eq!(only("employee #"), Some(Meaning::Identity));
        assert_eq!(only("prenom"), Some(Meaning::FirstName));
        assert_eq!(only("E-Mail (Dienstlich)"), Some(Meaning::Email));
        assert_eq!(only("Número de empleado"), Some(Meaning::Identity));
        assert_eq!(only("favourite colour"), None);
        assert_eq!(only("---"), None);
    }
}
