//! SCIM paths (RFC 7644, section 3.5.2), as far as they name one value of an account: an attribute, an attribute of an
//! extension, a part of a complex attribute, or a part of that entry of a multi-valued attribute which a filter selects.

use std::fmt;

use serde_json::Value as Json;

/// The core schema of users.
pub(super) const CORE: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
/// The enterprise extension of users.
pub(super) const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

/// `[urn:]name[[filter]][.part]`.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct ScimPath {
    /// The extension's schema; none for the core.
    pub urn: Option<String>,
    pub name: String,
    pub filter: Option<PathFilter>,
    pub part: Option<String>,
}

/// `type eq "work"`.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct PathFilter {
    pub part: String,
    /// A text, a boolean or a number.
    pub value: Json,
}

impl ScimPath {
    /// None for what is no such path.
    pub fn parse(text: &str) -> Option<Self> {
        let (urn, rest) = match text.get(..4) {
            Some(scheme) if scheme.eq_ignore_ascii_case("urn:") => {
                let head = text.split('[').next()?;
                let (urn, _) = head.rsplit_once(':')?;
                if urn.len() <= 4 {
                    return None;
                }
                (Some(urn.to_owned()), &text[urn.len() + 1..])
            }
            _ => (None, text),
        };
        let (name, rest) = split_word(rest)?;
        let (filter, rest) = match rest.strip_prefix('[') {
            Some(inner) => {
                let end = inner.rfind(']')?;
                (Some(PathFilter::parse(&inner[..end])?), &inner[end + 1..])
            }
            None => (None, rest),
        };
        let part = match rest.strip_prefix('.') {
            Some(part) => match split_word(part)? {
                (part, "") => Some(part.to_owned()),
                _ => return None,
            },
            None if rest.is_empty() => None,
            None => return None,
        };
        let urn = urn.filter(|urn| !urn.eq_ignore_ascii_case(CORE));
        Some(Self { urn, name: name.to_owned(), filter, part })
    }

    /// Whether two paths name the same value: names, and the texts of filters, mean the same in any case.
    pub fn is_same_path(&self, other: &Self) -> bool {
        self.to_string().eq_ignore_ascii_case(&other.to_string())
    }

    /// The attribute alone: `emails`, `urn:…:User:manager`.
    pub fn attribute_name(&self) -> String {
        match &self.urn {
            Some(urn) => format!("{urn}:{}", self.name),
            None => self.name.clone(),
        }
    }

    /// Attribute and part without the filter, as tables name them: `emails.value`.
    pub fn dotted_name(&self) -> String {
        match &self.part {
            Some(part) => format!("{}.{part}", self.name),
            None => self.name.clone(),
        }
    }

    /// The filter that selects the accounts which have this value.
    pub fn equality_filter(&self, value: &Json) -> String {
        let attribute = self.attribute_name();
        match (&self.filter, &self.part) {
            (Some(filter), Some(part)) => format!("{attribute}[{filter} and {part} eq {value}]"),
            (None, Some(part)) => format!("{attribute}.{part} eq {value}"),
            (_, None) => format!("{attribute} eq {value}"),
        }
    }
}

impl fmt::Display for ScimPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.attribute_name())?;
        if let Some(filter) = &self.filter {
            write!(f, "[{filter}]")?;
        }
        match &self.part {
            Some(part) => write!(f, ".{part}"),
            None => Ok(()),
        }
    }
}

impl PathFilter {
    fn parse(text: &str) -> Option<Self> {
        let (part, rest) = split_word(text.trim())?;
        let rest = rest.strip_prefix([' ', '\t'])?.trim_start();
        let value = rest.get(..2).filter(|op| op.eq_ignore_ascii_case("eq")).map(|_| &rest[2..])?;
        let value: Json = serde_json::from_str(value.strip_prefix([' ', '\t'])?).ok()?;
        let scalar = matches!(value, Json::String(_) | Json::Bool(_) | Json::Number(_));
        scalar.then(|| Self { part: part.to_owned(), value })
    }

    /// Whether the filter selects an entry of a multi-valued attribute. Texts are compared without case, and a boolean
    /// may come as a text.
    pub fn selects_entry(&self, entry: &Json) -> bool {
        let Some(value) = entry.as_object().and_then(|entry| find_member(entry, &self.part)) else {
            // What is not said is not primary.
            return self.value == Json::Bool(false) && entry.is_object();
        };
        match (&self.value, value) {
            (Json::String(wanted), Json::String(text)) => wanted.eq_ignore_ascii_case(text),
            (Json::Bool(wanted), Json::String(text)) => text.eq_ignore_ascii_case(&wanted.to_string()),
            (wanted, value) => wanted == value,
        }
    }
}

impl fmt::Display for PathFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A JSON value prints as JSON, which is how filters write texts.
        write!(f, "{} eq {}", self.part, self.value)
    }
}

/// A member of an object. Names mean the same in any case.
pub(super) fn find_member<'j>(object: &'j serde_json::Map<String, Json>, name: &str) -> Option<&'j Json> {
    object.get(name).or_else(|| object.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value))
}

/// The name at the beginning, and what follows.
fn split_word(text: &str) -> Option<(&str, &str)> {
    let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '$'))).unwrap_or(text.len());
    (end > 0).then(|| text.split_at(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> ScimPath {
        ScimPath::parse(text).unwrap_or_else(|| panic!("{text} is a path"))
    }

    #[test]
    fn paths_are_read_and_written() {
        for text in [
            "userName",
            "name.givenName",
            "emails",
            r#"emails[type eq "work"].value"#,
            "emails[primary eq true].value",
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department",
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value",
            r#"urn:acme:users:1.0:badges[type eq "a:b]c"].code"#,
        ] {
            assert_eq!(path(text).to_string(), text);
        }
        assert_eq!(path(r#"emails[ type  EQ "work"].value"#).to_string(), r#"emails[type eq "work"].value"#);
    }

    #[test]
    fn the_core_schema_may_be_named_and_goes_without_saying() {
        assert_eq!(path("urn:ietf:params:scim:schemas:core:2.0:User:userName"), path("userName"));
        assert_eq!(path("urn:acme:1.0:badge").urn.as_deref(), Some("urn:acme:1.0"));
    }

    #[test]
    fn what_is_no_path_is_none() {
        for text in [
            "",
            ".",
            "name.",
            ".givenName",
            "name.given.more",
            "user name",
            "emails[type eq work].value",
            "emails[].value",
            r#"emails[type ne "work"].value"#,
            r#"emails[type eq "work""#,
            "emails[0].value",
            "urn:badge",
            "urn:",
            r#"emails[type eq ["work"]].value"#,
            "emails[type eq null].value",
            "ü",
        ] {
            assert_eq!(ScimPath::parse(text), None, "{text}");
        }
    }

    #[test]
    fn names_mean_the_same_in_any_case() {
        assert!(path("UserName").is_same_path(&path("userName")));
        assert!(path(r#"emails[type eq "Work"].value"#).is_same_path(&path(r#"Emails[type eq "work"].value"#)));
        assert!(!path(r#"emails[type eq "home"].value"#).is_same_path(&path(r#"emails[type eq "work"].value"#)));
    }

    #[test]
    fn a_filter_selects_without_case_and_by_booleans_that_are_texts() {
        let selects =
            |text: &str, entry: &str| path(text).filter.unwrap().selects_entry(&serde_json::from_str(entry).unwrap());
        assert!(selects(r#"emails[type eq "work"].value"#, r#"{"Type":"WORK"}"#));
        assert!(!selects(r#"emails[type eq "work"].value"#, r#"{"type":"home"}"#));
        assert!(!selects(r#"emails[type eq "work"].value"#, r#""work""#));
        assert!(selects("emails[primary eq true].value", r#"{"primary":"True"}"#));
        assert!(!selects("emails[primary eq true].value", "{}"));
        assert!(selects("emails[primary eq false].value", "{}"));
    }

    #[test]
    fn the_filter_for_a_value_escapes_it() {
        let value = Json::String("a\"b\\c\u{e9}\n".to_owned());
        assert_eq!(path("userName").equality_filter(&value), "userName eq \"a\\\"b\\\\c\u{e9}\\n\"");
        assert_eq!(
            path(r#"emails[type eq "work"].value"#).equality_filter(&Json::String("x".into())),
            r#"emails[type eq "work" and value eq "x"]"#
        );
        assert_eq!(path("name.givenName").equality_filter(&Json::String("x".into())), r#"name.givenName eq "x""#);
        assert_eq!(path("active").equality_filter(&Json::Bool(true)), "active eq true");
    }
}
