//! Filters as RFC 7644, section 3.4.2.2, has them, as far as provisioning uses them: `eq`, `ne`, `sw`, `co`, `pr`, joined
//! by `and`.

use serde_json::{Map, Value};

use super::path::{self, PatchPath, PatchPlace};
use super::refusal::ScimRefusal;
use super::schema::{self, ENTERPRISE, ScimUserAttribute, Type};

/// Every condition must hold.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct ScimFilter {
    pub conditions: Vec<Condition>,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Condition {
    /// As the client wrote it.
    pub written: String,
    pub what: What,
    pub operator: Operator,
    pub value: Value,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum What {
    Place(PatchPlace),
    /// A part of the elements that a value filter looks at.
    Part(&'static ScimUserAttribute),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    Equal,
    NotEqual,
    StartsWith,
    Contains,
    Present,
}

/// A filter over users.
///
/// # Errors
/// `invalidFilter`.
pub(super) fn parse(text: &str) -> Result<ScimFilter, ScimRefusal> {
    parse_conditions(text, |name| match path::parse(name) {
        Ok(PatchPath::At(place)) => Some(What::Place(place)),
        _ => None,
    })
}

/// A filter over the elements of an attribute.
pub(super) fn parse_within(text: &str, attribute: &'static ScimUserAttribute) -> Result<ScimFilter, ScimRefusal> {
    parse_conditions(text, |name| schema::find(attribute.parts(), name).map(What::Part))
}

/// Where the bracket that stands open closes.
pub(super) fn closing_bracket(text: &str) -> Option<usize> {
    let mut quoted = QuotedText::default();
    text.char_indices().find(|(_, c)| !quoted.is_outside(*c) && *c == ']').map(|(at, _)| at)
}

/// Follows a text through its quotation marks.
#[derive(Default)]
struct QuotedText {
    inside: bool,
    escaped: bool,
}

impl QuotedText {
    /// Whether this character stands within quotation marks, or is one.
    fn is_outside(&mut self, c: char) -> bool {
        if self.escaped {
            self.escaped = false;
        } else if self.inside && c == '\\' {
            self.escaped = true;
        } else if c == '"' {
            self.inside = !self.inside;
            return true;
        }
        self.inside
    }
}

fn parse_conditions(text: &str, what: impl Fn(&str) -> Option<What>) -> Result<ScimFilter, ScimRefusal> {
    let wrong = || ScimRefusal::bad_request("invalidFilter", format!("the filter {text:?} is not understood"));
    let mut words = split_words(text).into_iter();
    let mut conditions = Vec::new();
    loop {
        let name = words.next().ok_or_else(wrong)?;
        let operator = match words.next().ok_or_else(wrong)?.to_lowercase().as_str() {
            "eq" => Operator::Equal,
            "ne" => Operator::NotEqual,
            "sw" => Operator::StartsWith,
            "co" => Operator::Contains,
            "pr" => Operator::Present,
            _ => return Err(wrong()),
        };
        let value = match operator {
            Operator::Present => Value::Null,
            // The RFC's literals are those of JSON.
            _ => serde_json::from_str(&words.next().ok_or_else(wrong)?).map_err(|_| wrong())?,
        };
        let what = what(&name).ok_or_else(wrong)?;
        conditions.push(Condition { written: name, what, operator, value });
        match words.next() {
            None => return Ok(ScimFilter { conditions }),
            Some(and) if and.eq_ignore_ascii_case("and") => {}
            Some(_) => return Err(wrong()),
        }
    }
}

/// The words of a text; what stands in quotation marks or brackets belongs together.
fn split_words(text: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let (mut quoted, mut depth) = (QuotedText::default(), 0_usize);
    for c in text.chars() {
        let inside = quoted.is_outside(c);
        match c {
            '[' if !inside => depth += 1,
            ']' if !inside => depth = depth.saturating_sub(1),
            _ => {}
        }
        match words.last_mut() {
            Some(word) if inside || depth > 0 || c != ' ' => word.push(c),
            _ => words.push(String::new()),
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

impl ScimFilter {
    /// Whether a user is found.
    pub(super) fn finds_user(&self, id: &str, resource: &Map<String, Value>) -> bool {
        self.conditions.iter().all(|condition| match &condition.what {
            What::Place(place) if place.attribute.name == "id" => {
                condition.holds_for(Some(&id.into()), place.attribute)
            }
            What::Place(place) => condition.holds_at(resource, place),
            What::Part(_) => false,
        })
    }

    /// Whether an element is meant.
    pub(super) fn picks_element(&self, element: &Value) -> bool {
        self.conditions.iter().all(|condition| match condition.what {
            What::Part(part) => condition.holds_for(element.get(part.name), part),
            What::Place(_) => false,
        })
    }
}

impl Condition {
    fn holds_at(&self, resource: &Map<String, Value>, place: &PatchPlace) -> bool {
        let object = if place.extension { resource.get(ENTERPRISE).and_then(Value::as_object) } else { Some(resource) };
        let found = object.and_then(|object| object.get(place.attribute.name));
        let Some(Value::Array(elements)) = found.filter(|_| place.attribute.many) else {
            return match place.part {
                None => self.holds_for(found, place.attribute),
                Some(part) => self.holds_for(found.and_then(|value| value.get(part.name)), part),
            };
        };
        // A multi-valued attribute is compared by its values where no part is named.
        let part = place.part.or_else(|| schema::find(place.attribute.parts(), "value"));
        let mut meant =
            elements.iter().filter(|element| place.only.as_ref().is_none_or(|only| only.picks_element(element)));
        match part {
            Some(part) => meant.any(|element| self.holds_for(element.get(part.name), part)),
            None => meant.next().is_some(),
        }
    }

    fn holds_for(&self, found: Option<&Value>, attribute: &ScimUserAttribute) -> bool {
        let found = found.filter(|value| !value.is_null());
        let exact = attribute.kind == Type::Exact;
        let same = |test: fn(&str, &str) -> bool| match (found, &self.value) {
            (Some(Value::String(found)), Value::String(wanted)) if exact => test(found, wanted),
            (Some(Value::String(found)), Value::String(wanted)) => test(&found.to_lowercase(), &wanted.to_lowercase()),
            (Some(found), wanted) => test("", "") && found == wanted,
            (None, wanted) => test("", "") && wanted.is_null(),
        };
        match self.operator {
            Operator::Equal => same(|found, wanted| found == wanted),
            Operator::NotEqual => !same(|found, wanted| found == wanted),
            Operator::StartsWith => same(|found, wanted| found.starts_with(wanted)),
            Operator::Contains => same(|found, wanted| found.contains(wanted)),
            Operator::Present => found.is_some(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn finds(filter: &str) -> bool {
        let ana = json!({
            "externalId": "E7", "userName": "Ana \"A\" Díaz", "active": true,
            "name": {"familyName": "Díaz"},
            "emails": [{"value": "a@x", "type": "work"}, {"value": "b@x", "type": "home"}],
            ENTERPRISE: {"department": "Sales"},
        });
        parse(filter).unwrap().finds_user("a1", ana.as_object().unwrap())
    }

    #[test]
    fn a_filter_finds_what_it_says() {
        assert!(finds(r#"userName eq "ANA \"a\" díaz""#), "case does not count, and quotation marks are escaped");
        assert!(finds(r#"externalId EQ "E7""#) && !finds(r#"externalId eq "e7""#));
        assert!(finds(r#"id eq "a1""#) && !finds(r#"id eq "A1""#));
        assert!(finds("active eq true") && !finds("active eq false"));
        assert!(finds(r#"name.familyName eq "díaz""#));
        assert!(finds(r#"emails.value eq "b@x""#) && finds(r#"emails eq "b@x""#));
        assert!(
            finds(r#"emails[type eq "work"].value eq "a@x""#) && !finds(r#"emails[type eq "work"].value eq "b@x""#)
        );
        assert!(finds(&format!(r#"{ENTERPRISE}:department eq "sales""#)));
        assert!(finds(r#"userName sw "ana" and title ne "x""#) && !finds(r#"userName pr and title pr"#));
        assert!(finds(r#"userName co "díaz""#) && !finds(r#"title sw """#));
    }

    #[test]
    fn what_is_no_filter_is_refused() {
        for filter in [
            "",
            "userName",
            "userName eq",
            "userName eq ana",
            "colour eq \"x\"",
            "userName like \"x\"",
            "userName eq \"x\" or",
            "userName eq \"x\" and",
        ] {
            assert_eq!(parse(filter).unwrap_err().scim_type, Some("invalidFilter"), "{filter}");
        }
    }
}
