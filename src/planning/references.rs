//! Names of other things of the tenant (its teams) to which the accounts to be written refer, and which of them the
//! tenant does not have. Asked before the first write, because afterwards each of those people would fail by itself.

use std::collections::BTreeMap;

use super::{PlanInputs, PlanningError};
use crate::connectors::{CallError, Connector};
use crate::model::{AttrId, Attributes, Desired, Record, Schema, Value, Wanted, text};
use crate::plan::Action;
use crate::source::RowShape;

/// Everything that accounts refer to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct References {
    by_attribute: BTreeMap<AttrId, BTreeMap<String, ReferenceUsers>>,
}

/// Who refers to one name.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ReferenceUsers {
    /// The first of them, at most [`ReferenceUsers::SHOWN`], as people know them.
    pub first: Vec<String>,
    pub total: u64,
}

impl ReferenceUsers {
    pub const SHOWN: usize = 5;
}

/// A name that the tenant does not have.
#[derive(Clone, Debug, PartialEq)]
pub struct UnknownReference {
    pub attribute: String,
    pub name: String,
    /// The name that the tenant has and that looks most like it.
    pub nearest: Option<String>,
    pub users: ReferenceUsers,
}

/// What the tenant says of the references.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CheckedReferences {
    pub unknown: Vec<UnknownReference>,
    /// Attributes for which the tenant does not say what they can refer to.
    pub unsaid: Vec<String>,
    /// Lists that were asked for.
    pub asked: u64,
}

impl References {
    /// Adds what an action would write.
    pub fn add_action(&mut self, schema: &Schema, action: &Action) {
        let who = || match &action.source {
            Some(source) => format!("{} ({source})", action.key),
            None => action.key.clone(),
        };
        for change in &action.changes {
            if let Some(id) = schema.id(&change.attribute) {
                self.add(schema, id, &change.to, &who);
            }
        }
    }

    /// The references of the rows. A row that says inactive is left out: it may name what has been closed since, and
    /// nothing of it is written.
    ///
    /// # Errors
    /// A source that cannot be read.
    pub fn of_rows(inputs: &PlanInputs<'_>) -> Result<Self, PlanningError> {
        let mut references = Self::default();
        let (schema, mapping) = (inputs.schema, inputs.mapping);
        if mapping.attributes().iter().all(|mapped| !schema.get(mapped.attr).reference) {
            return Ok(references);
        }
        let mut scratch = mapping.scratch();
        let mut rows = inputs.source.rows()?;
        let mut record = Record::default();
        while let Some(shape) = rows.next_into(&mut record)? {
            // What is wrong with a row is a finding, and said elsewhere.
            if shape != RowShape::Good || !mapping.includes(&record, &mut scratch).unwrap_or(false) {
                continue;
            }
            let Ok(desired) = mapping.map(&record, &mut scratch) else { continue };
            if schema.is_active(&set_values(&desired)) == Some(false) {
                continue;
            }
            let place = inputs.source_of(desired.place);
            for (id, wanted) in &desired.values {
                if let Wanted::Set(value) = wanted {
                    references.add(schema, *id, value, &|| place.to_string());
                }
            }
        }
        Ok(references)
    }

    /// Requests that asking takes.
    #[must_use]
    pub fn count_lists(&self) -> u64 {
        self.by_attribute.len() as u64
    }

    /// Asks the tenant what there is.
    ///
    /// # Errors
    /// The failure of the request.
    pub async fn ask_tenant(&self, schema: &Schema, target: &dyn Connector) -> Result<CheckedReferences, CallError> {
        let mut referred = CheckedReferences::default();
        for (id, names) in &self.by_attribute {
            referred.asked += 1;
            let attribute = schema.name(*id);
            let Some(known) = target.references(*id).await? else {
                referred.unsaid.push(attribute.to_owned());
                continue;
            };
            referred.unknown.extend(names.iter().filter(|(name, _)| !known.contains(name)).map(|(name, users)| {
                UnknownReference {
                    attribute: attribute.to_owned(),
                    name: name.clone(),
                    nearest: text::nearest(name, known.iter().map(String::as_str)).map(str::to_owned),
                    users: users.clone(),
                }
            }));
        }
        Ok(referred)
    }

    fn add(&mut self, schema: &Schema, id: AttrId, value: &Value, who: &impl Fn() -> String) {
        if !schema.get(id).reference {
            return;
        }
        match value {
            Value::List(list) => list.iter().for_each(|value| self.add(schema, id, value, who)),
            value if value.is_blank() => {}
            value => {
                let users = self.by_attribute.entry(id).or_default().entry(value.to_string()).or_default();
                users.total += 1;
                if users.first.len() < ReferenceUsers::SHOWN {
                    users.first.push(who());
                }
            }
        }
    }
}

/// The values that a row sets.
fn set_values(desired: &Desired) -> Attributes {
    let set = desired.values.iter().filter_map(|(id, wanted)| match wanted {
        Wanted::Set(value) => Some((*id, value.clone())),
        Wanted::Clear => None,
    });
    set.collect()
}

impl std::fmt::Display for UnknownReference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} \"{}\": {}", self.attribute, self.name, self.users.first.join(", "))?;
        match self.users.total - self.users.first.len() as u64 {
            0 => {}
            more => write!(f, " and {more} more")?,
        }
        match &self.nearest {
            Some(nearest) => write!(f, "; did you mean \"{nearest}\"?"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::clock::TestClock;
    use crate::connectors::brightpattern::{BrightpatternLogin, connect_tenant};
    use crate::connectors::http::testing::{Reply, Server, rate};
    use crate::connectors::http::{Network, ServerAccess};
    use crate::model::{Attribute, Kind, Secret};

    fn schema() -> Schema {
        let text = |name| Attribute::new(name, Kind::Text);
        Schema::new(vec![text("login"), text("team").refers()])
    }

    fn references(teams: &[&str]) -> References {
        let mut references = References::default();
        for (row, team) in teams.iter().enumerate() {
            let who = || format!("row {row}");
            references.add(&schema(), AttrId(0), &Value::text("x"), &who);
            references.add(&schema(), AttrId(1), &Value::text(*team), &who);
        }
        references
    }

    #[test]
    fn only_attributes_that_refer_to_something_are_collected_and_blanks_are_not() {
        let references = references(&["Sales", "", "Sales"]);
        let names: Vec<_> = references.by_attribute[&AttrId(1)].keys().map(String::as_str).collect();
        assert_eq!((references.by_attribute.len(), names), (1, vec!["Sales"]));
    }

    #[test]
    fn of_a_plan_the_chosen_actions_count_each_with_its_key_and_its_row() {
        let actions: Vec<Action> = [
            r#"{"seq":1,"action":"create","key":"ana","source":{"file":"hr.csv","line":2},"changes":[{"attribute":"login","to":"ana"},{"attribute":"team","to":"Sales"}],"requests":1,"held":false}"#,
            r#"{"seq":2,"action":"update","key":"bo","changes":[{"attribute":"team","from":"Sales","to":"Ops"}],"requests":1,"held":false}"#,
            r#"{"seq":3,"action":"update","key":"cy","changes":[{"attribute":"team","to":"Old"}],"requests":1,"held":true}"#,
            r#"{"seq":4,"action":"update","key":"di","changes":[{"attribute":"team","from":"Sales","to":null}],"requests":1,"held":false}"#,
        ]
        .map(|action| serde_json::from_str(action).unwrap())
        .into();
        let of = |schema: &Schema| {
            let mut references = References::default();
            let chosen = actions.iter().filter(|action| !action.held);
            chosen.for_each(|action| references.add_action(schema, action));
            references
        };
        let references = of(&schema());
        let teams = &references.by_attribute[&AttrId(1)];
        assert_eq!(teams.keys().map(String::as_str).collect::<Vec<_>>(), ["Ops", "Sales"]);
        assert_eq!((&teams["Sales"].first, &teams["Ops"].first), (&vec!["ana (hr.csv:2)".into()], &vec!["bo".into()]));
        let schema = Schema::new(vec![Attribute::new("team", Kind::Text)]);
        assert_eq!(of(&schema), References::default());
    }

    #[tokio::test]
    async fn the_tenant_is_asked_once_and_only_where_something_is_referred_to() {
        let server = Server::start(|seen, _| match seen.path.as_str() {
            "/oauth/token" => Reply::new(200, r#"{"access_token":"t"}"#),
            "/team" => Reply::new(200, r#"[{"name":"Sales"},{"name":"Ops"}]"#),
            other => panic!("{other}"),
        })
        .await;
        let clock = TestClock::new(jiff::Timestamp::UNIX_EPOCH, 1);
        let login = BrightpatternLogin { client_id: "a".into(), client_secret: Secret::new("b"), scope: "c".into() };
        let (rate, network) = (&rate(), &Network::default());
        let access = ServerAccess { base_url: &server.address, rate, network, clock, stop: Arc::default() };
        let target = connect_tenant(access, login, &[]).unwrap();
        let schema = target.schema();
        let team = schema.id("team").unwrap();
        let mut references = References::default();
        assert_eq!(references.ask_tenant(schema, &target).await.unwrap(), CheckedReferences::default());
        assert!(server.seen().is_empty());
        for (row, name) in ["Sales", "Sals", "ops", "Sales"].into_iter().enumerate() {
            references.add(schema, team, &Value::text(name), &|| format!("row {row}"));
        }
        let referred = references.ask_tenant(schema, &target).await.unwrap();
        let said: Vec<_> = referred.unknown.iter().map(ToString::to_string).collect();
        assert_eq!(said, [r#"team "Sals": row 1; did you mean "Sales"?"#, r#"team "ops": row 2; did you mean "Ops"?"#]);
        assert_eq!((referred.asked, target.meter().sent_so_far().lookup), (1, 1));
    }

    #[tokio::test]
    async fn where_the_tenant_does_not_say_nothing_is_unknown() {
        let server = Server::start(|seen, _| match seen.path.as_str() {
            "/oauth/token" => Reply::new(200, r#"{"access_token":"t"}"#),
            _ => Reply::new(404, ""),
        })
        .await;
        let clock = TestClock::new(jiff::Timestamp::UNIX_EPOCH, 1);
        let login = BrightpatternLogin { client_id: "a".into(), client_secret: Secret::new("b"), scope: "c".into() };
        let (rate, network) = (&rate(), &Network::default());
        let access = ServerAccess { base_url: &server.address, rate, network, clock, stop: Arc::default() };
        let target = connect_tenant(access, login, &[]).unwrap();
        let mut references = References::default();
        let team = target.schema().id("team").unwrap();
        references.add(target.schema(), team, &Value::text("Sales"), &String::new);
        let referred = references.ask_tenant(target.schema(), &target).await.unwrap();
        assert_eq!((referred.unknown, referred.unsaid), (Vec::new(), vec!["team".to_owned()]));
    }

    #[test]
    fn an_unknown_name_shows_its_first_users_and_how_many_more_there_are() {
        let references = references(&["Sals"; 7]);
        let users = references.by_attribute[&AttrId(1)]["Sals"].clone();
        let unknown = |nearest: Option<&str>| UnknownReference {
            attribute: "team".to_owned(),
            name: "Sals".to_owned(),
            nearest: nearest.map(str::to_owned),
            users: users.clone(),
        };
        let said = "team \"Sals\": row 0, row 1, row 2, row 3, row 4 and 2 more";
        assert_eq!(unknown(None).to_string(), said);
        assert_eq!(unknown(Some("Sales")).to_string(), format!("{said}; did you mean \"Sales\"?"));
    }
}
