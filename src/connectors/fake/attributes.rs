//! What an account of the tenant in memory has: an attribute of each sort that matters.

use crate::model::{AttrId, Attribute, Kind, Lifecycle, MatchRule, Protects, Schema, Value};

pub const LOGIN: AttrId = AttrId(0);
pub const EMAIL: AttrId = AttrId(1);
pub const NAME: AttrId = AttrId(2);
pub const TITLE: AttrId = AttrId(3);
pub const STATUS: AttrId = AttrId(4);
pub const SKILLS: AttrId = AttrId(5);
pub const PRIVILEGES: AttrId = AttrId(6);
pub const CUSTOM: AttrId = AttrId(7);
pub const PASSWORD: AttrId = AttrId(8);
pub const ROLE: AttrId = AttrId(9);

/// An attribute of each sort that matters.
pub fn schema() -> Schema {
    let status = Kind::Choice(vec!["active".into(), "inactive".into()]);
    let mut schema = Schema::new(vec![
        Attribute::new("login", Kind::Text).allows("CR").required().unique().ignoring_case(),
        Attribute::new("email", Kind::Text).allows("CR").unique().ignoring_case(),
        Attribute::new("name", Kind::Text),
        Attribute::new("title", Kind::Text),
        Attribute::new("status", status).allows("RU"),
        Attribute::new("skills", Kind::Map(Box::new(Kind::Any))).merged(),
        Attribute::new("privileges", Kind::Json).allows("C"),
        Attribute::new("custom", Kind::Json).allows("U"),
        Attribute::new("password", Kind::Text).allows("C").secret().required(),
        Attribute::new("role", Kind::Text).allows("R"),
    ]);
    let [active, inactive] = ["active", "inactive"].map(Value::text);
    schema.lifecycle = Some(Lifecycle { attribute: STATUS, active, inactive });
    schema.protects =
        vec![Protects { attribute: ROLE, value: Value::text("Administrative"), reason: "Administrative account" }];
    schema.can_delete = true;
    schema
}

/// By login, then by email.
pub fn rules(schema: &Schema) -> Vec<MatchRule> {
    [LOGIN, EMAIL].map(|id| MatchRule::new(schema, vec![id])).to_vec()
}
