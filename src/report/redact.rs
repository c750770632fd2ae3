//! Takes the values of redacted attributes out of an entry, before any form sees it.

use crate::model::Value;
use crate::plan::Change;

use super::Entry;

/// What stands where a value was.
pub const REDACTED: &str = "(redacted)";

/// Redacted texts shorter than this are not looked for in messages: to blot out every `1` or `yes` would destroy them.
const SHORTEST: usize = 4;

/// The entry without the values of the named attributes. A name also covers what is inside it, and may point inside an
/// object (`custom_attributes.business`). Messages, reasons and warnings that repeat such a value lose it too.
pub fn redact_entry(mut entry: Entry, names: &[String]) -> Entry {
    if names.is_empty() {
        return entry;
    }
    let mut gone = Vec::new();
    match &mut entry {
        Entry::Action { action, outcome } => {
            redact_changes(&mut action.changes, names, &mut gone);
            for (attribute, value) in action.also.iter_mut().chain(&mut action.about) {
                redact_attribute(attribute, value, names, &mut gone);
            }
            sort_longest_first(&mut gone);
            action.reason.iter_mut().chain(&mut action.warnings).for_each(|text| scrub_values(text, &gone));
            if let Some(message) = outcome.as_mut().and_then(|outcome| outcome.message.as_mut()) {
                scrub_values(message, &gone);
            }
        }
        Entry::Finding(finding) => {
            redact_changes(&mut finding.changes, names, &mut gone);
            sort_longest_first(&mut gone);
            scrub_values(&mut finding.reason, &gone);
        }
    }
    entry
}

/// Takes redacted values out of what is no entry, and remembers them, so that texts that repeat them lose them too.
pub struct ValueRedactor<'n> {
    names: &'n [String],
    gone: Vec<String>,
}

impl<'n> ValueRedactor<'n> {
    pub fn new(names: &'n [String]) -> Self {
        Self { names, gone: Vec::new() }
    }

    /// Whether an attribute is redacted, as a whole or in part.
    pub fn redacts(&self, attribute: &str) -> bool {
        let within = |inner: &str, outer: &str| inner.strip_prefix(outer).is_some_and(|rest| rest.starts_with('.'));
        self.names.iter().any(|name| name == attribute || within(attribute, name) || within(name, attribute))
    }

    pub fn redact_value(&mut self, attribute: &str, value: &mut Value) {
        redact_attribute(attribute, value, self.names, &mut self.gone);
        sort_longest_first(&mut self.gone);
    }

    /// A text that is redacted as a whole.
    pub fn redact_text(&mut self, text: &mut String) {
        if !text.is_empty() && text != REDACTED {
            if text.chars().count() >= SHORTEST {
                self.gone.push(std::mem::take(text));
                sort_longest_first(&mut self.gone);
            }
            REDACTED.clone_into(text);
        }
    }

    pub fn scrub_text(&self, text: &mut String) {
        scrub_values(text, &self.gone);
    }
}

fn redact_changes(changes: &mut [Change], names: &[String], gone: &mut Vec<String>) {
    for change in changes {
        for value in change.from.iter_mut().chain([&mut change.to]) {
            redact_attribute(&change.attribute, value, names, gone);
        }
    }
}

fn redact_attribute(attribute: &str, value: &mut Value, names: &[String], gone: &mut Vec<String>) {
    for name in names {
        if let Some(rest) = attribute.strip_prefix(name.as_str())
            && (rest.is_empty() || rest.starts_with('.'))
        {
            blot_value(value, gone);
        } else if let Some(path) = name.strip_prefix(attribute).and_then(|rest| rest.strip_prefix('.')) {
            redact_inside(value, path, gone);
        }
    }
}

fn redact_inside(value: &mut Value, path: &str, gone: &mut Vec<String>) {
    match value {
        Value::List(items) => items.iter_mut().for_each(|item| redact_inside(item, path, gone)),
        Value::Object(object) => {
            for (key, value) in object {
                match path.strip_prefix(key.as_str()) {
                    Some("") => blot_value(value, gone),
                    Some(rest) => {
                        if let Some(path) = rest.strip_prefix('.') {
                            redact_inside(value, path, gone);
                        }
                    }
                    None => {}
                }
            }
        }
        _ => {}
    }
}

fn blot_value(value: &mut Value, gone: &mut Vec<String>) {
    collect_texts(value, gone);
    *value = Value::text(REDACTED);
}

/// The texts and numbers in a value, as a message would repeat them.
fn collect_texts(value: &Value, gone: &mut Vec<String>) {
    match value {
        Value::List(items) => items.iter().for_each(|item| collect_texts(item, gone)),
        Value::Object(object) => object.values().for_each(|value| collect_texts(value, gone)),
        Value::Text(_) | Value::Int(_) | Value::Float(_) => {
            let text = value.to_string();
            if text != REDACTED && text.chars().count() >= SHORTEST {
                gone.push(text);
            }
        }
        Value::Null | Value::Bool(_) | Value::Secret(_) | Value::Generated => {}
    }
}

/// Longest first, so that no part of a long value survives because a shorter one inside it went first.
fn sort_longest_first(gone: &mut [String]) {
    gone.sort_unstable_by_key(|text| std::cmp::Reverse(text.len()));
}

fn scrub_values(text: &mut String, gone: &[String]) {
    for value in gone {
        if text.contains(value.as_str()) {
            *text = text.replace(value.as_str(), REDACTED);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn update(changes: &str, message: &str) -> Entry {
        let text = format!(
            r#"{{"seq":1,"action":"update","key":"bo.li","changes":{changes},"requests":1,"held":false,"outcome":{{"result":"failed","message":"{message}"}}}}"#
        );
        serde_json::from_str(&text).unwrap()
    }

    fn redacted(entry_: Entry, name: &str) -> String {
        serde_json::to_string(&redact_entry(entry_, &[name.to_owned()])).unwrap()
    }

    #[test]
    fn both_values_of_a_redacted_attribute_and_their_echo_in_a_message_are_gone() {
        let entry = update(
            r#"[{"attribute":"note","from":"hush","to":"hush-hush"},{"attribute":"title","to":"Lead"}]"#,
            "note hush-hush is too long",
        );
        let text = redacted(entry, "note");
        assert!(!text.contains("hush"), "{text}");
        assert!(text.contains("Lead") && text.contains("note (redacted) is too long"), "{text}");
    }

    #[test]
    fn a_name_with_a_dot_takes_one_key_out_of_an_object() {
        let entry = update(r#"[{"attribute":"custom","to":{"a":"keep","b":{"c":"lose","d":"keep"}}}]"#, "");
        let text = redacted(entry, "custom.b.c");
        assert!(text.contains(r#"{"a":"keep","b":{"c":"(redacted)","d":"keep"}}"#), "{text}");
    }

    #[test]
    fn a_name_covers_what_is_inside_it_but_no_longer_name() {
        let entry = update(r#"[{"attribute":"custom.a","to":"lose"},{"attribute":"customer","to":"keep"}]"#, "");
        let text = redacted(entry, "custom");
        assert!(!text.contains("lose") && text.contains("keep"), "{text}");
    }
}
