//! The attribute table of Bright Pattern as data. `at` names the places in it that this folder needs to know.

use crate::model::{AttrId, AttrSet, Attribute, Kind, Lifecycle, Schema, Value};

/// Where the attributes stand in the schema that need special care.
pub(super) mod at {
    use crate::model::AttrId;

    pub const LOGIN_ID: AttrId = AttrId(0);
    pub const FIRST_NAME: AttrId = AttrId(1);
    pub const LAST_NAME: AttrId = AttrId(2);
    pub const TEAM: AttrId = AttrId(3);
    pub const EXTENSION: AttrId = AttrId(4);
    pub const DISABLED: AttrId = AttrId(8);
    pub const SKILLS: AttrId = AttrId(10);
    pub const ROLES: AttrId = AttrId(11);
}

/// What the directory shows of every user.
pub(super) const DIRECTORY: [AttrId; 4] = [at::LOGIN_ID, at::FIRST_NAME, at::LAST_NAME, at::EXTENSION];

/// What a user of the contact center has, and what the API allows for it.
///
/// An update changes `skills`, `disabled`, `password`, `changePassword` and `team`, and leaves what it does not name as
/// it is. The pages do not say whether a login is compared with case; telling two people apart by case alone would be
/// a mistake in either reading, so it is not.
#[must_use]
pub fn make_schema() -> Schema {
    let new = Attribute::new;
    let mut schema = Schema::new(vec![
        new("loginId", Kind::Text).allows("CR").required().unique().ignoring_case(),
        new("firstName", Kind::Text).allows("CR"),
        new("lastName", Kind::Text).allows("CR"),
        new("team", Kind::Text).required().refers(),
        new("extension", Kind::Text).allows("CR"),
        new("workPhone", Kind::Text).allows("CR"),
        new("mobilePhone", Kind::Text).allows("CR"),
        new("email", Kind::Text).allows("CR").ignoring_case(),
        new("disabled", Kind::Bool),
        new("changePassword", Kind::Bool).allows("CU"),
        new("skills", Kind::Map(Box::new(Kind::Int))).merged(),
        new("roles", Kind::List(Box::new(Kind::Text))).allows("CR"),
        new("password", Kind::Text).allows("CU").secret(),
    ]);
    schema.lifecycle =
        Some(Lifecycle { attribute: at::DISABLED, active: Value::Bool(false), inactive: Value::Bool(true) });
    schema.can_delete = true;
    schema
}

/// Whether the directory alone does not show all of these attributes (named as `[map]` names them), so that every user
/// must be asked for.
pub(super) fn needs_details(schema: &Schema, needed: &[String]) -> bool {
    let directory: AttrSet = DIRECTORY.into_iter().collect();
    // A key of an object is mapped under the object's name and its own: `skills.English`.
    let id = |name: &String| schema.id(name).or_else(|| schema.id(name.split('.').next()?));
    needed.iter().filter_map(id).any(|id| schema.get(id).read && !directory.contains(id))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The table as TARGETS prints it: name, what is allowed, and marks.
    const TABLE: &[(&str, &str, &str)] = &[
        ("loginId", "CR", "required unique nocase"),
        ("firstName", "CR", ""),
        ("lastName", "CR", ""),
        ("team", "CRU", "required reference"),
        ("extension", "CR", ""),
        ("workPhone", "CR", ""),
        ("mobilePhone", "CR", ""),
        ("email", "CR", "nocase"),
        ("disabled", "CRU", ""),
        ("changePassword", "CU", ""),
        ("skills", "CRU", "merge"),
        ("roles", "CR", ""),
        ("password", "CU", "secret"),
    ];

    #[test]
    fn the_schema_is_the_published_table() {
        let schema = make_schema();
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
                (attribute.merge, "merge"),
                (attribute.reference, "reference"),
            ]
            .iter()
            .filter_map(|(is, word)| is.then_some(*word))
            .collect();
            assert_eq!((attribute.name.as_str(), letters.as_str(), words.join(" ").as_str()), (*name, *allows, *marks));
        }
        assert!(schema.can_delete && !schema.full_updates);
    }

    #[test]
    fn the_places_are_those_of_the_table() {
        let schema = make_schema();
        for (name, id) in [
            ("loginId", at::LOGIN_ID),
            ("firstName", at::FIRST_NAME),
            ("lastName", at::LAST_NAME),
            ("team", at::TEAM),
            ("extension", at::EXTENSION),
            ("disabled", at::DISABLED),
            ("skills", at::SKILLS),
            ("roles", at::ROLES),
        ] {
            assert_eq!(schema.id(name), Some(id), "{name}");
        }
    }

    #[test]
    fn an_account_is_in_use_until_it_is_disabled() {
        let schema = make_schema();
        let account = |disabled: Value| [(at::DISABLED, disabled)].into_iter().collect();
        assert_eq!(schema.is_active(&account(Value::Bool(true))), Some(false));
        assert_eq!(schema.is_active(&account(Value::text("false"))), Some(true));
        assert_eq!(schema.is_active(&Default::default()), None);
    }

    #[test]
    fn users_are_asked_for_only_where_the_directory_is_not_enough() {
        let schema = make_schema();
        let needs =
            |names: &[&str]| needs_details(&schema, &names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>());
        assert!(!needs(&["loginId", "firstName", "lastName", "extension"]));
        // What no answer ever shows is no reason to ask.
        assert!(!needs(&["loginId", "password", "changePassword"]));
        for name in ["team", "disabled", "email", "skills", "skills.English", "roles"] {
            assert!(needs(&["loginId", name]), "{name}");
        }
    }
}
