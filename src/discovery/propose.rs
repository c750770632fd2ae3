//! What was recognised, as the lines of a configuration. Which attribute of a system is made from what says its blueprint;
//! everything here is the same for all.

use super::blueprint::{Blueprint, InUse, ValueOrigin, Wish};
use super::census::Census;
use super::literals::{map_column, template_list, template_literal, template_reference, toml_text};
use super::meaning::Meaning;
use super::proposal::{Answers, ExportPlace, MapLine, Missing, Proposal, TeamLookup};
use super::recognise::{NameOrder, Recognised};
use super::status::{Sense, sense_of};

/// Makes the lines. None where nothing tells one person from another, so that there is nothing to begin with.
#[must_use]
pub fn propose(
    blueprint: &'static Blueprint,
    recognised: &Recognised,
    census: &Census,
    place: &ExportPlace,
    lookup: Option<TeamLookup>,
    answers: &Answers,
) -> Option<Proposal> {
    let identity = choose_identity(recognised, census, answers);
    let facts = ExportFacts { recognised, census, answers, identity: identity.as_ref().map(|(name, _)| name.as_str()) };
    let mut made = MapDraft { lines: Vec::new(), missing: Vec::new() };
    for wish in blueprint.attributes {
        made.add_wish(wish, &facts, lookup.as_ref());
    }
    let rules: Vec<Vec<String>> =
        blueprint.rules.iter().filter(|name| made.has_line(name)).map(|name| vec![(*name).to_owned()]).collect();
    let lookup = lookup.filter(|_| blueprint.looks_up_teams());
    let include = facts.include_rows();
    let MapDraft { lines, missing } = made;
    (!rules.is_empty()).then(|| Proposal {
        blueprint,
        place: place.clone(),
        identity,
        include,
        lookup,
        rules,
        lines,
        missing,
    })
}

fn choose_identity(recognised: &Recognised, census: &Census, answers: &Answers) -> Option<(String, String)> {
    let keys = match answers.identity {
        Some(column) => census.identities.iter().find(|keys| keys.column == column),
        None => census.identity(),
    }?;
    let why = format!("the column that never changes for a person: all {} are different", census.rows);
    Some((recognised.columns[keys.column].clone(), why))
}

/// A value and the comment behind it.
type MapValue = (String, String);

struct ExportFacts<'a> {
    recognised: &'a Recognised,
    census: &'a Census,
    answers: &'a Answers,
    identity: Option<&'a str>,
}

impl ExportFacts<'_> {
    fn name_of(&self, meaning: Meaning) -> Option<&str> {
        self.recognised.name(meaning)
    }

    fn address_from(&self) -> Option<MapValue> {
        self.name_of(Meaning::Email).map(|name| (map_column(name), "a plain string names a column".to_owned()))
    }

    fn value_from(&self, origin: ValueOrigin) -> Option<MapValue> {
        match origin {
            ValueOrigin::Login => self.login_from(),
            ValueOrigin::AddressOrLogin => {
                self.address_from().filter(|_| self.address_is_key()).or_else(|| self.login_from())
            }
            ValueOrigin::Address => self.address_from(),
            ValueOrigin::Identity => {
                let name = self.identity?;
                Some((map_column(name), "finds people whose address has changed".to_owned()))
            }
            ValueOrigin::Team => self.team_from(),
            ValueOrigin::Column(meanings) => {
                let (name, meaning) = meanings.iter().find_map(|meaning| Some((self.name_of(*meaning)?, *meaning)))?;
                Some((map_column(name), meaning.name().to_owned()))
            }
        }
    }

    fn address_is_key(&self) -> bool {
        self.census.email.as_ref().is_some_and(|keys| keys.repeated == 0)
    }

    /// A login of its own, what stands before the `@` where no two have the same, the address, the identity.
    fn login_from(&self) -> Option<MapValue> {
        if let Some(name) = self.name_of(Meaning::Login)
            && self.census.login.as_ref().is_some_and(|keys| keys.repeated == 0)
        {
            return Some((map_column(name), "the name to sign in with; a plain string names a column".to_owned()));
        }
        if let Some(name) = self.name_of(Meaning::Email) {
            let column = template_reference(name);
            if self.census.local.as_ref().is_some_and(|keys| keys.repeated == 0) {
                let template = format!("{{{{ {column} | lower | before('@') }}}}");
                return Some((toml_text(&template), "the name to sign in with: the address up to its @".to_owned()));
            }
            let why = "the name to sign in with: up to the @ some addresses are the same".to_owned();
            return Some((toml_text(&format!("{{{{ {column} | lower }}}}")), why));
        }
        let identity = self.identity?;
        Some((map_column(identity), "the name to sign in with: nothing else tells people apart".to_owned()))
    }

    fn team_from(&self) -> Option<MapValue> {
        if let Some(team) = &self.answers.team {
            let value = format!("{{ value = {}, on = \"create\" }}", toml_text(team));
            return Some((value, "the team of newcomers; it must exist".to_owned()));
        }
        let name = self.name_of(Meaning::Team).or_else(|| self.name_of(Meaning::Department))?;
        Some((map_column(name), "a team of that name must exist".to_owned()))
    }

    /// The values of the status that mean that nobody needs the account.
    fn inactive_values(&self) -> Vec<&str> {
        let Some(values) = self.census.values.get(&Meaning::Status) else { return Vec::new() };
        let left = |value: &&String| sense_of(value) == Sense::Inactive || self.answers.inactive.contains(*value);
        values.counts.keys().filter(left).map(String::as_str).collect()
    }

    fn include_rows(&self) -> Option<(String, String)> {
        let status = self.name_of(Meaning::Status)?;
        let later: Vec<&str> =
            self.census.values.get(&Meaning::Status)?.that_are(Sense::NotYet).map(|(v, _)| v).collect();
        let expression = match later.as_slice() {
            [] => return None,
            [one] => format!("{} != {}", template_reference(status), template_literal(one)),
            many => format!("{} not in {}", template_reference(status), template_list(many)),
        };
        Some((toml_text(&expression), "rows that count: who is not here yet needs no account".to_owned()))
    }
}

struct MapDraft {
    lines: Vec<MapLine>,
    missing: Vec<Missing>,
}

impl MapDraft {
    fn has_line(&self, attribute: &str) -> bool {
        self.lines.iter().any(|line| line.key == attribute && !line.is_off)
    }

    fn add_wish(&mut self, wish: &Wish, facts: &ExportFacts<'_>, lookup: Option<&TeamLookup>) {
        match *wish {
            Wish::Needed { attribute, from, wants } => {
                let mapped = facts.value_from(from);
                if mapped.is_none() {
                    self.missing.push(Missing { attribute: attribute.to_owned(), what: wants });
                }
                self.add_line(attribute, mapped);
            }
            Wish::Welcome { attribute, from } => self.add_line(attribute, facts.value_from(from)),
            Wish::Names { first, last } => self.add_names(facts, first, last),
            Wish::InUse { attribute, as_ } => self.add_status(facts, attribute, as_),
            Wish::Skills { attribute } => self.add_skills(facts, attribute),
            Wish::Membership { attribute, roles, usual_role } => {
                self.add_membership(facts, attribute, (roles, usual_role), lookup);
            }
            Wish::Password { attribute } => {
                let value = "{ generate = { length = 20 } }".to_owned();
                self.add_line(attribute, Some((value, "random, 8 to 128 characters; see [passwords]".to_owned())));
            }
            Wish::Off { attribute, value, comment, unless_missing } => {
                if unless_missing.is_none_or(|from| facts.value_from(from).is_some()) {
                    self.add_off(attribute, value, comment);
                }
            }
        }
    }

    fn add_line(&mut self, attribute: &str, mapped: Option<MapValue>) {
        self.lines.extend(mapped.map(|(value, comment)| MapLine {
            key: attribute.to_owned(),
            value,
            comment,
            is_off: false,
        }));
    }

    fn add_off(&mut self, attribute: &str, value: &str, comment: &str) {
        let (value, comment) = (value.to_owned(), comment.to_owned());
        self.lines.push(MapLine { key: attribute.to_owned(), value, comment, is_off: true });
    }

    fn add_names(&mut self, facts: &ExportFacts<'_>, first: &str, last: &str) {
        let parts = [(first, Meaning::FirstName), (last, Meaning::LastName)];
        if parts.iter().any(|(_, meaning)| facts.name_of(*meaning).is_some()) {
            for (attribute, meaning) in parts {
                let name = facts.name_of(meaning).map(|name| (map_column(name), meaning.name().to_owned()));
                self.add_line(attribute, name);
            }
        } else if let (Some(name), Some(order)) = (facts.name_of(Meaning::FullName), facts.recognised.order) {
            let column = template_reference(name);
            let (separator, [of_first, of_last]) = match order {
                NameOrder::LastFirst => (",", ["after", "before"]),
                NameOrder::FirstLast => (" ", ["before", "after"]),
            };
            for (attribute, filter) in [(first, of_first), (last, of_last)] {
                let side = if filter == "after" { "behind" } else { "in front of" };
                let sign = if separator == "," { "comma" } else { "first blank" };
                let template = format!("{{{{ {column} | {filter}('{separator}') }}}}");
                self.add_line(attribute, Some((toml_text(&template), format!("what stands {side} the {sign}"))));
            }
        }
    }

    /// The line that says who is in use.
    fn add_status(&mut self, facts: &ExportFacts<'_>, attribute: &str, says: InUse) {
        let mapped = if let Some(status) = facts.name_of(Meaning::Status) {
            let column = template_reference(status);
            let left = facts.inactive_values();
            let is_in = |word: &str| format!("{column} {word} {}", template_list(&left));
            let template = match says {
                _ if left.is_empty() => {
                    let value = ["\"active\"", "false", "true"][says as usize];
                    let why = format!("no value of {status} says that somebody has left, so everybody is in use");
                    return self.add_line(attribute, Some((format!("{{ value = {value} }}"), why)));
                }
                InUse::Word => format!("{{{{ 'inactive' if {} else 'active' }}}}", is_in("in")),
                InUse::TrueForLeavers => format!("{{{{ {} }}}}", is_in("in")),
                InUse::TrueForOthers => format!("{{{{ {} }}}}", is_in("not in")),
            };
            let why = "who has one of these values is a leaver; every other value counts as in use";
            Some((toml_text(&template), why.to_owned()))
        } else {
            facts.name_of(Meaning::End).map(|end| {
                let column = template_reference(end);
                let [gone, here] = [["'inactive'", "'active'"], ["true", "false"], ["false", "true"]][says as usize];
                let is_gone = format!("{column} and {column} | date('%Y-%m-%d') < today()");
                let template = format!("{{{{ {gone} if {is_gone} else {here} }}}}");
                (toml_text(&template), "a leaver from the day after the last".to_owned())
            })
        };
        self.add_line(attribute, mapped);
    }

    fn add_skills(&mut self, facts: &ExportFacts<'_>, attribute: &str) {
        let mapped = facts.name_of(Meaning::Skills).map(|name| {
            let value = format!("{{ column = {}, parse = \"pairs\" }}", toml_text(name));
            (value, "English:100;Spanish:80; other skills of the account are kept".to_owned())
        });
        self.add_line(attribute, mapped);
    }

    fn add_membership(
        &mut self,
        facts: &ExportFacts<'_>,
        attribute: &str,
        (roles, usual_role): (&[&str], &str),
        lookup: Option<&TeamLookup>,
    ) {
        let team = facts.name_of(Meaning::Team).or_else(|| facts.name_of(Meaning::Department));
        let role = facts.name_of(Meaning::Role).filter(|_| {
            let values = facts.census.values.get(&Meaning::Role);
            values.is_some_and(|values| {
                values.counts.keys().all(|role| roles.iter().any(|r| r.eq_ignore_ascii_case(role)))
            })
        });
        let role = match role {
            Some(name) => toml_text(&format!("{{{{ {} }}}}", template_reference(name))),
            None => toml_text(&format!("{{{{ {} }}}}", template_literal(usual_role))),
        };
        match (lookup, team) {
            (Some(lookup), Some(team)) => {
                let id = format!(
                    "{{{{ {} | lookup({}, {}) }}}}",
                    template_reference(team),
                    template_literal(&lookup.name),
                    template_literal(&lookup.id)
                );
                let value = format!("[{{ teamid = {}, role = {role} }}]", toml_text(&id));
                self.add_line(attribute, Some((value, "the team and the role of newcomers".to_owned())));
            }
            (None, Some(team)) => {
                let id = format!("{{{{ {} | lookup('teams', 'team_id') }}}}", template_reference(team));
                let value = format!("[{{ teamid = {}, role = {role} }}]", toml_text(&id));
                self.add_off(attribute, &value, "switched on together with [lookup.teams], newcomers get their team");
            }
            (_, None) => {
                let value = format!("[{{ teamid = 1, role = {role} }}]");
                self.add_off(attribute, &value, "switched on, newcomers join this team");
            }
        }
    }
}
