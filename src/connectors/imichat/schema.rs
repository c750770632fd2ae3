//! The attribute table of imi.chat as data. `at` names the places in it that this folder needs to know.

use crate::model::{Attribute, Field, Kind, Lifecycle, Protects, Schema, Value};

/// Where the attributes stand in the schema that need special care.
pub(super) mod at {
    use crate::model::AttrId;

    pub const ID: AttrId = AttrId(0);
    pub const LOGIN_ID: AttrId = AttrId(1);
    pub const PRIVILEGES: AttrId = AttrId(10);
    pub const STATUS: AttrId = AttrId(11);
    pub const ROLE_TYPE: AttrId = AttrId(12);
}

/// Why an account that manages the tenant itself is never touched.
pub(super) const ADMINISTRATIVE: &str = "Administrative account";

/// The name in the schema of the key that the setting `privilege_key` renames on the wire.
pub(super) const TEAM_KEY: &str = "teamid";

/// What an update carries. Whether the server keeps or clears an attribute that is left out is not documented.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UpdateBody {
    /// Every mapped updatable attribute.
    Full,
    /// Only what changed.
    Changed,
}

/// What an imi.chat user has, and what the API allows for it.
#[must_use]
pub fn make_schema(update_body: UpdateBody) -> Schema {
    let choice = |words: &[&str]| Kind::Choice(words.iter().map(|word| (*word).to_owned()).collect());
    let privilege = vec![
        Field { name: TEAM_KEY.to_owned(), kind: Kind::Int, required: true },
        Field {
            name: "role".to_owned(),
            kind: choice(&["Team Manager", "Team Agent", "Team Analyst"]),
            required: true,
        },
    ];
    let skills = || Kind::Map(Box::new(Kind::Any));
    let new = Attribute::new;
    let mut schema = Schema::new(vec![
        new("id", Kind::Int).allows("R").unique(),
        new("login_id", Kind::Text).allows("CR").required().unique().ignoring_case(),
        new("email_id", Kind::Text).allows("CR").required().unique().ignoring_case(),
        new("first_name", Kind::Text),
        new("last_name", Kind::Text),
        new("job_description", Kind::Text),
        new("login_using_email", Kind::Bool),
        new("skill_attributes", skills()).merged(),
        new("custom_attributes", skills()).allows("U"),
        new("password", Kind::Text).allows("C").required().secret(),
        new("privileges", Kind::List(Box::new(Kind::Object(privilege)))).allows("C"),
        new("status", choice(&["active", "inactive"])).allows("RU"),
        new("role_type", choice(&["Customer Care", "Administrative"])).allows("R"),
        new("active_chats", Kind::Int).allows("R").live().warns_leavers("has open chats"),
        new("logged_in", Kind::Bool).allows("R").live().warns_leavers("is logged in"),
        new("accepting_chats", Kind::Bool).allows("R").live(),
        new("created_at", Kind::DateTime).allows("R"),
        new("updated_at", Kind::DateTime).allows("R"),
    ]);
    schema.lifecycle =
        Some(Lifecycle { attribute: at::STATUS, active: Value::text("active"), inactive: Value::text("inactive") });
    // Accounts read from a file are judged by this; `decode` judges those that the server shows, in any spelling.
    schema.protects = ["Administrative", "Administrator"]
        .map(|role| Protects { attribute: at::ROLE_TYPE, value: Value::text(role), reason: ADMINISTRATIVE })
        .into();
    schema.full_updates = update_body == UpdateBody::Full;
    schema
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The table as TARGETS prints it: name, what is allowed, and marks.
    const TABLE: &[(&str, &str, &str)] = &[
        ("id", "R", "unique"),
        ("login_id", "CR", "required unique nocase"),
        ("email_id", "CR", "required unique nocase"),
        ("first_name", "CRU", ""),
        ("last_name", "CRU", ""),
        ("job_description", "CRU", ""),
        ("login_using_email", "CRU", ""),
        ("skill_attributes", "CRU", "merge"),
        ("custom_attributes", "U", ""),
        ("password", "C", "required secret"),
        ("privileges", "C", ""),
        ("status", "RU", ""),
        ("role_type", "R", ""),
        ("active_chats", "R", "live warns"),
        ("logged_in", "R", "live warns"),
        ("accepting_chats", "R", "live"),
        ("created_at", "R", ""),
        ("updated_at", "R", ""),
    ];

    #[test]
    fn the_schema_is_the_published_table() {
        let schema = make_schema(UpdateBody::Full);
        assert_eq!(schema.iter().count(), TABLE.len());
        for ((_, attribute), (name, allows, marks)) in schema.iter().zip(TABLE) {
            let letters: String = [(attribute.create, 'C'), (attribute.read, 'R'), (attribute.update, 'U')]
                .iter()
                .filter_map(|(is, letter)| is.then_some(*letter))
                .collect();
            let words: Vec<_> = [
                (attribute.required, "required"),
                (attribute.secret, "secret"),
                (attribute.unique, "unique"),
                (!attribute.case_exact, "nocase"),
                (attribute.live, "live"),
                (attribute.leaver_warning.is_some(), "warns"),
                (attribute.merge, "merge"),
            ]
            .iter()
            .filter_map(|(is, word)| is.then_some(*word))
            .collect();
            assert_eq!((attribute.name.as_str(), letters.as_str(), words.join(" ").as_str()), (*name, *allows, *marks));
        }
        assert!(!schema.can_delete);
    }

    #[test]
    fn each_place_is_that_of_its_attribute() {
        let schema = make_schema(UpdateBody::Full);
        for (name, place) in [
            ("id", at::ID),
            ("login_id", at::LOGIN_ID),
            ("privileges", at::PRIVILEGES),
            ("status", at::STATUS),
            ("role_type", at::ROLE_TYPE),
        ] {
            assert_eq!(schema.id(name), Some(place));
        }
    }

    #[test]
    fn administrative_accounts_are_protected_wherever_they_are_read_from() {
        let schema = make_schema(UpdateBody::Full);
        let protection = |role: &str| schema.protection(&[(at::ROLE_TYPE, Value::text(role))].into_iter().collect());
        assert_eq!(protection("administrative"), Some(ADMINISTRATIVE));
        assert_eq!(protection("Administrator"), Some(ADMINISTRATIVE));
        assert_eq!(protection("Customer Care"), None);
    }

    #[test]
    fn updates_are_full_where_the_settings_say_so() {
        assert!(make_schema(UpdateBody::Full).full_updates);
        assert!(!make_schema(UpdateBody::Changed).full_updates);
    }
}
