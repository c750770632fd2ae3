//! A filter over users, whose names are paths.

use serde_json::{Map, Value};

use super::filter::{Condition, parse_conditions};
use super::path::{self, PatchPath, PatchPlace};
use super::refusal::ScimRefusal;
use super::schema::{self, ENTERPRISE};

/// Every condition must hold.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct UserFilter {
    pub conditions: Vec<Condition<PatchPlace>>,
}

impl UserFilter {
    /// # Errors
    /// `invalidFilter`.
    pub(super) fn parse(text: &str) -> Result<Self, ScimRefusal> {
        let conditions = parse_conditions(text, |name| match path::parse(name) {
            Ok(PatchPath::At(place)) => Some(place),
            _ => None,
        })?;
        Ok(Self { conditions })
    }

    /// Whether a user is found.
    pub(super) fn finds_user(&self, id: &str, resource: &Map<String, Value>) -> bool {
        self.conditions.iter().all(|condition| {
            if condition.of.attribute.name == "id" {
                condition.holds_for(Some(&id.into()), condition.of.attribute)
            } else {
                condition.holds_in(resource)
            }
        })
    }
}

impl Condition<PatchPlace> {
    fn holds_in(&self, resource: &Map<String, Value>) -> bool {
        let place = &self.of;
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
        UserFilter::parse(filter).unwrap().finds_user("a1", ana.as_object().unwrap())
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
            assert_eq!(UserFilter::parse(filter).unwrap_err().scim_type, Some("invalidFilter"), "{filter}");
        }
    }
}
