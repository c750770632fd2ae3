//! Paths as RFC 7644, section 3.5.2, has them: `title`, `name.givenName`, `emails[type eq "work"].value`, each with the
//! URN of its schema in front where it is wanted.

use super::filter::{ElementFilter, closing_bracket};
use super::refusal::ScimRefusal;
use super::schema::{self, ENTERPRISE, EXTENSION, ScimUserAttribute, USER, UserAttributeMutability};

/// Where something stands in a resource.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum PatchPath {
    /// The whole enterprise extension.
    Extension,
    At(PatchPlace),
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct PatchPlace {
    /// Whether it stands in the enterprise extension.
    pub extension: bool,
    pub attribute: &'static ScimUserAttribute,
    /// Which elements of a multi-valued attribute.
    pub only: Option<ElementFilter>,
    pub part: Option<&'static ScimUserAttribute>,
}

/// # Errors
/// `invalidPath` where it is no path or names an attribute that there is not.
pub(super) fn parse(text: &str) -> Result<PatchPath, ScimRefusal> {
    let wrong = || ScimRefusal::bad_request("invalidPath", format!("the path {text:?} leads nowhere"));
    let (extension, rest) = without_urn(text.trim());
    let Some(rest) = rest else { return Ok(PatchPath::Extension) };
    let attributes = |name: &str| if extension { schema::find(EXTENSION, name) } else { schema::top_attribute(name) };
    let (name, only, rest) = match rest.split_once('[') {
        None => {
            let (name, part) = rest.split_once('.').map_or((rest, None), |(name, part)| (name, Some(part)));
            (name, None, part)
        }
        Some((name, rest)) => {
            let end = closing_bracket(rest).ok_or_else(wrong)?;
            let after = &rest[end + 1..];
            let part = match after.strip_prefix('.') {
                None if after.is_empty() => None,
                None => return Err(wrong()),
                Some(part) => Some(part),
            };
            (name, Some(&rest[..end]), part)
        }
    };
    let attribute = attributes(name).ok_or_else(wrong)?;
    let only = match only {
        None => None,
        Some(_) if !attribute.many => return Err(wrong()),
        Some(filter) => Some(ElementFilter::parse(filter, attribute)?),
    };
    let part = match rest {
        None => None,
        Some(part) => Some(schema::find(attribute.parts(), part).ok_or_else(wrong)?),
    };
    Ok(PatchPath::At(PatchPlace { extension, attribute, only, part }))
}

impl PatchPlace {
    /// Whether a client may write there.
    pub(super) fn is_writable(&self) -> bool {
        self.attribute.mutability != UserAttributeMutability::ReadOnly
            && self.part.is_none_or(|part| part.mutability != UserAttributeMutability::ReadOnly)
    }
}

/// Takes the URN of a schema off a path; whether it was the extension's, and what is left.
fn without_urn(text: &str) -> (bool, Option<&str>) {
    for (urn, extension) in [(ENTERPRISE, true), (USER, false)] {
        let Some((start, rest)) = text.split_at_checked(urn.len()) else { continue };
        if !start.eq_ignore_ascii_case(urn) {
            continue;
        }
        if rest.is_empty() && extension {
            return (true, None);
        }
        if let Some(rest) = rest.strip_prefix(':') {
            return (extension, Some(rest));
        }
    }
    (false, Some(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Attribute, filter, part.
    fn said(text: &str) -> String {
        match parse(text).unwrap() {
            PatchPath::Extension => "extension".to_owned(),
            PatchPath::At(place) => format!(
                "{}{}{}{}",
                if place.extension { "enterprise " } else { "" },
                place.attribute.name,
                if place.only.is_some() { "[…]" } else { "" },
                place.part.map_or(String::new(), |part| format!(".{}", part.name))
            ),
        }
    }

    #[test]
    fn a_path_is_read_whatever_its_case_and_with_or_without_its_urn() {
        assert_eq!(said("TITLE"), "title");
        assert_eq!(said("name.givenname"), "name.givenName");
        assert_eq!(said("emails[type eq \"a]b\"].value"), "emails[…].value");
        assert_eq!(said("emails[type eq \"work\"]"), "emails[…]");
        assert_eq!(said(&format!("{USER}:name.familyName")), "name.familyName");
        assert_eq!(said(&format!("{ENTERPRISE}:manager.value")), "enterprise manager.value");
        assert_eq!(said(&ENTERPRISE.to_lowercase()), "extension");
    }

    #[test]
    fn what_leads_nowhere_is_refused() {
        let wrong = [
            "colour",
            "name.colour",
            "title[type eq \"x\"]",
            "emails[type eq \"x\"",
            "emails[type eq \"x\"]value",
            "department",
            "urn:x:title",
            "",
        ];
        for path in wrong {
            assert!(parse(path).is_err(), "{path}");
        }
    }
}
