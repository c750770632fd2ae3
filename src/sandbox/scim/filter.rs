//! Filters as RFC 7644, section 3.4.2.2, has them, as far as provisioning uses them: `eq`, `ne`, `sw`, `co`, `pr`, joined
//! by `and`. Here is what filters have in common, and those over the elements of an attribute.

use serde_json::Value;

use super::refusal::ScimRefusal;
use super::schema::{self, ScimUserAttribute, Type};

/// A filter over the elements of an attribute, by their parts. Every condition must hold.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct ElementFilter {
    pub conditions: Vec<Condition<&'static ScimUserAttribute>>,
}

/// What must hold of the value that `of` names.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Condition<T> {
    /// As the client wrote it.
    pub written: String,
    pub of: T,
    pub operator: Operator,
    pub value: Value,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    Equal,
    NotEqual,
    StartsWith,
    Contains,
    Present,
}

impl ElementFilter {
    /// # Errors
    /// `invalidFilter`.
    pub(super) fn parse(text: &str, attribute: &'static ScimUserAttribute) -> Result<Self, ScimRefusal> {
        Ok(Self { conditions: parse_conditions(text, |name| schema::find(attribute.parts(), name))? })
    }

    /// Whether an element is meant.
    pub(super) fn picks_element(&self, element: &Value) -> bool {
        self.conditions.iter().all(|condition| condition.holds_for(element.get(condition.of.name), condition.of))
    }
}

impl<T> Condition<T> {
    /// Whether it holds for a value of this attribute.
    pub(super) fn holds_for(&self, found: Option<&Value>, attribute: &ScimUserAttribute) -> bool {
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

/// The conditions of a filter; `find` tells what a name is.
///
/// # Errors
/// `invalidFilter`.
pub(super) fn parse_conditions<T>(
    text: &str,
    find: impl Fn(&str) -> Option<T>,
) -> Result<Vec<Condition<T>>, ScimRefusal> {
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
        let of = find(&name).ok_or_else(wrong)?;
        conditions.push(Condition { written: name, of, operator, value });
        match words.next() {
            None => return Ok(conditions),
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
