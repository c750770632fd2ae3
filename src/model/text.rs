//! Texts as people compare them.

use std::borrow::Cow;

use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

/// The text in Unicode NFC, in lower case where case means nothing. Borrowed where the text is in that form already,
/// which plain ASCII mostly is.
#[must_use]
pub fn normal(text: &str, case_exact: bool) -> Cow<'_, str> {
    if text.is_ascii() {
        if case_exact || !text.bytes().any(|b| b.is_ascii_uppercase()) {
            return Cow::Borrowed(text);
        }
        return Cow::Owned(text.to_ascii_lowercase());
    }
    if case_exact {
        if is_nfc_quick(text.chars()) == IsNormalized::Yes {
            return Cow::Borrowed(text);
        }
        return Cow::Owned(text.nfc().collect());
    }
    // Lower case first: it can leave a text that is not in NFC.
    Cow::Owned(text.to_lowercase().nfc().collect())
}

/// The candidate that looks most like `wanted`, where one is near enough to be a likely slip.
pub fn nearest<'a>(wanted: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let wanted = wanted.to_lowercase();
    candidates
        .map(|name| (strsim::jaro_winkler(&wanted, &name.to_lowercase()), name))
        .filter(|(score, _)| *score > LIKELY)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, name)| name)
}

/// The few of many names that look most like one that is sought; they may come in millions.
pub struct Nearest {
    wanted: String,
    most: usize,
    /// The best first.
    best: Vec<(f64, String)>,
}

impl Nearest {
    #[must_use]
    pub fn new(wanted: &str, most: usize) -> Self {
        Self { wanted: wanted.to_lowercase(), most, best: Vec::new() }
    }

    pub fn look_at(&mut self, name: &str) {
        let Self { wanted, most, best } = self;
        let score = strsim::jaro_winkler(wanted, &name.to_lowercase());
        let is_near = score > LIKELY && (best.len() < *most || best.last().is_some_and(|(worst, _)| score > *worst));
        if is_near && best.iter().all(|(_, known)| *known != name) {
            let at = best.partition_point(|(other, _)| *other >= score);
            best.insert(at, (score, name.to_owned()));
            best.truncate(*most);
        }
    }

    /// Each once, the best first.
    #[must_use]
    pub fn names(self) -> Vec<String> {
        self.best.into_iter().map(|(_, name)| name).collect()
    }
}

/// From here on a name is near enough to be a likely slip.
const LIKELY: f64 = 0.75;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_name_in_two_unicode_forms_is_one() {
        assert_eq!(normal("Zoe\u{308}", true), normal("Zo\u{eb}", true));
        assert_eq!(normal("ANA@X.org", false), "ana@x.org");
        assert_ne!(normal("Ana", true), normal("ana", true));
    }

    #[test]
    fn normalising_twice_changes_nothing() {
        for text in ["\u{130}", "Stra\u{df}e", "e\u{301}", "\u{1e9e}"] {
            let once = normal(text, false).into_owned();
            assert_eq!(normal(&once, false), once);
        }
    }

    #[test]
    fn of_many_names_the_few_nearest_come_best_first_and_once() {
        let nearest = |wanted: &str, names: &[&str]| {
            let mut nearest = Nearest::new(wanted, 2);
            names.iter().for_each(|name| nearest.look_at(name));
            nearest.names()
        };
        assert_eq!(
            nearest("Ana.Diaz", &["bo.li", "ana.dias", "ana.diaz", "zoe.w", "ana.diaz"]),
            ["ana.diaz", "ana.dias"]
        );
        assert_eq!(nearest("qqq", &["bo.li"]), [""; 0]);
    }

    #[test]
    fn a_slip_finds_the_name_that_was_meant() {
        let names = ["work_email", "first_name", "last_name"];
        assert_eq!(nearest("work_emial", names.into_iter()), Some("work_email"));
        assert_eq!(nearest("zzz", names.into_iter()), None);
    }
}
