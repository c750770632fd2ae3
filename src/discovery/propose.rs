//! What was recognised, as the lines of a configuration. Which attribute of a system is made from what stands in a table
//! for each kind; everything else here is the same for all.

use std::collections::BTreeSet;

use super::census::{Census, Values};
use super::meaning::Meaning;
use super::recognise::{NameOrder, Recognised};
use super::status::{Sense, sense};
use super::write::{quoted, reference, text};

/// The system that the accounts are in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Imichat,
    Brightpattern,
    Scim,
}

/// What a person answered, or what is taken where nobody was asked.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Answers {
    /// The column of the identity, where another than the proposed one was chosen.
    pub identity: Option<usize>,
    /// Values of the status that mean that nobody needs the account, beside those that are known to.
    pub inactive: BTreeSet<String>,
    /// The team of newcomers, where the system needs one and the export has none.
    pub team: Option<String>,
}

/// How the file is to be read, and where things are, as the configuration is to say it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Place {
    pub source: String,
    pub form: PlaceForm,
    pub delimiter: Option<char>,
    pub encoding: Option<String>,
    pub header_row: u32,
    pub state: String,
}

/// What kind of file the source is, and so which settings are about it.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum PlaceForm {
    #[default]
    Text,
    Workbook {
        /// None where there is no other.
        sheet: Option<String>,
    },
    Objects,
}

/// A table that turns the names of teams into their ids.
#[derive(Clone, Debug, PartialEq)]
pub struct Lookup {
    pub name: String,
    pub path: String,
    pub key: String,
    pub id: String,
}

/// A line of a table of the configuration.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Line {
    pub key: String,
    pub value: String,
    pub comment: String,
    pub is_off: bool,
}

/// An attribute that the system needs and that nothing in the export gives.
#[derive(Clone, Debug, PartialEq)]
pub struct Missing {
    pub attribute: String,
    pub what: &'static str,
}

/// Everything that a configuration is written from.
#[derive(Clone, Debug, PartialEq)]
pub struct Proposal {
    pub kind: Kind,
    pub place: Place,
    /// The column of the identity, and why.
    pub identity: Option<(String, String)>,
    /// The rows that count.
    pub(super) include: Option<(String, String)>,
    pub lookup: Option<Lookup>,
    pub(super) rules: Vec<Vec<String>>,
    pub(super) lines: Vec<Line>,
    pub missing: Vec<Missing>,
}

/// Makes the lines. None where nothing tells one person from another, so that there is nothing to begin with.
#[must_use]
pub fn propose(
    kind: Kind,
    recognised: &Recognised,
    census: &Census,
    place: &Place,
    lookup: Option<Lookup>,
    answers: &Answers,
) -> Option<Proposal> {
    let identity = identity(recognised, census, answers);
    let facts = Facts { recognised, census, answers, identity: identity.as_ref().map(|(name, _)| name.as_str()) };
    let mut made = Made { lines: Vec::new(), missing: Vec::new() };
    let mut rules: Vec<Vec<String>> = Vec::new();
    match kind {
        Kind::Imichat => {
            made.need("login_id", facts.login(), "a column with the name that people sign in with");
            made.need("email_id", facts.email(), "a column with the work address");
            made.names(&facts, "first_name", "last_name");
            made.plain(&facts, "job_description", &[Meaning::Title]);
            made.status(&facts, "status", Says::Word);
            if facts.email().is_some() {
                made.off(
                    "login_using_email",
                    "{ value = true }",
                    "switched on, people may sign in with their address as well",
                );
            }
            made.skills(&facts, "skill_attributes");
            made.privileges(&facts, lookup.as_ref());
            made.password();
            rules.extend(["login_id", "email_id"].iter().filter(|name| made.maps(name)).map(|n| vec![(*n).to_owned()]));
        }
        Kind::Brightpattern => {
            made.need("loginId", facts.login(), "a column with the name that people sign in with");
            made.names(&facts, "firstName", "lastName");
            made.need("team", facts.team(), "a column with the team, or { value = \"…\" } for one team for everybody");
            made.maybe("email", facts.email());
            made.plain(&facts, "workPhone", &[Meaning::WorkPhone]);
            made.plain(&facts, "mobilePhone", &[Meaning::MobilePhone]);
            made.plain(&facts, "extension", &[Meaning::Extension]);
            made.status(&facts, "disabled", Says::Gone);
            made.skills(&facts, "skills");
            made.off(
                "roles",
                "{ value = [\"Agent\"], on = \"create\" }",
                "switched on, newcomers get these roles, which must exist",
            );
            made.password();
            rules.extend(made.maps("loginId").then(|| vec!["loginId".to_owned()]));
        }
        Kind::Scim => {
            let name = facts.email().filter(|_| facts.email_is_key()).or_else(|| facts.login());
            made.need("userName", name, "a column with the name that people sign in with");
            let id = facts.identity.map(|name| (quoted(name), "finds people whose address has changed".to_owned()));
            made.maybe("externalId", id.clone());
            made.names(&facts, "name.givenName", "name.familyName");
            made.plain(&facts, "title", &[Meaning::Title]);
            made.status(&facts, "active", Says::Here);
            made.maybe("emails[type eq \"work\"].value", facts.email());
            let enterprise = |name: &str| format!("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:{name}");
            made.plain(&facts, &enterprise("department"), &[Meaning::Department, Meaning::Team]);
            made.plain(&facts, &enterprise("division"), &[Meaning::Division]);
            made.plain(&facts, &enterprise("costCenter"), &[Meaning::CostCenter]);
            rules.extend(id.is_some().then(|| vec!["externalId".to_owned()]));
            rules.extend(made.maps("userName").then(|| vec!["userName".to_owned()]));
        }
    }
    let lookup = lookup.filter(|_| kind == Kind::Imichat);
    let include = facts.include();
    let Made { lines, missing } = made;
    (!rules.is_empty()).then(|| Proposal {
        kind,
        place: place.clone(),
        identity,
        include,
        lookup,
        rules,
        lines,
        missing,
    })
}

impl Proposal {
    /// Whether anything is made from this column.
    #[must_use]
    pub fn uses(&self, column: &str) -> bool {
        let (plain, template) = (text(column), text(&reference(column)));
        // Within a text a template stands without its quotes.
        let template = &template[1..template.len() - 1];
        let names = |value: &str| value.contains(&plain) || value.contains("{{") && value.contains(template);
        let is_identity = self.identity.as_ref().is_some_and(|(name, _)| name == column);
        let includes = self.include.as_ref().is_some_and(|(value, _)| value.contains(template));
        is_identity || includes || self.lines.iter().any(|line| !line.is_off && names(&line.value))
    }
}

impl Kind {
    /// As the configuration has it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Imichat => "imichat",
            Self::Brightpattern => "brightpattern",
            Self::Scim => "scim",
        }
    }
}

impl Values {
    /// The values with this sense.
    pub fn that_are(&self, wanted: Sense) -> impl Iterator<Item = (&str, u64)> {
        self.counts
            .iter()
            .filter(move |(value, _)| sense(value) == wanted)
            .map(|(value, count)| (value.as_str(), *count))
    }
}

fn identity(recognised: &Recognised, census: &Census, answers: &Answers) -> Option<(String, String)> {
    let keys = match answers.identity {
        Some(column) => census.identities.iter().find(|keys| keys.column == column),
        None => census.identity(),
    }?;
    let why = format!("the column that never changes for a person: all {} are different", census.rows);
    Some((recognised.columns[keys.column].clone(), why))
}

/// A value and the comment behind it.
type Mapped = (String, String);

struct Facts<'a> {
    recognised: &'a Recognised,
    census: &'a Census,
    answers: &'a Answers,
    identity: Option<&'a str>,
}

impl Facts<'_> {
    fn name(&self, meaning: Meaning) -> Option<&str> {
        self.recognised.name(meaning)
    }

    fn email(&self) -> Option<Mapped> {
        self.name(Meaning::Email).map(|name| (quoted(name), "a plain string names a column".to_owned()))
    }

    fn email_is_key(&self) -> bool {
        self.census.email.as_ref().is_some_and(|keys| keys.repeated == 0)
    }

    /// A login of its own, what stands before the `@` where no two have the same, the address, the identity.
    fn login(&self) -> Option<Mapped> {
        if let Some(name) = self.name(Meaning::Login)
            && self.census.login.as_ref().is_some_and(|keys| keys.repeated == 0)
        {
            return Some((quoted(name), "the name to sign in with; a plain string names a column".to_owned()));
        }
        if let Some(name) = self.name(Meaning::Email) {
            let column = reference(name);
            if self.census.local.as_ref().is_some_and(|keys| keys.repeated == 0) {
                let template = format!("{{{{ {column} | lower | before('@') }}}}");
                return Some((text(&template), "the name to sign in with: the address up to its @".to_owned()));
            }
            let why = "the name to sign in with: up to the @ some addresses are the same".to_owned();
            return Some((text(&format!("{{{{ {column} | lower }}}}")), why));
        }
        let identity = self.identity?;
        Some((quoted(identity), "the name to sign in with: nothing else tells people apart".to_owned()))
    }

    fn team(&self) -> Option<Mapped> {
        if let Some(team) = &self.answers.team {
            let value = format!("{{ value = {}, on = \"create\" }}", text(team));
            return Some((value, "the team of newcomers; it must exist".to_owned()));
        }
        let name = self.name(Meaning::Team).or_else(|| self.name(Meaning::Department))?;
        Some((quoted(name), "a team of that name must exist".to_owned()))
    }

    /// The values of the status that mean that nobody needs the account.
    fn inactive(&self) -> Vec<&str> {
        let Some(values) = self.census.values.get(&Meaning::Status) else { return Vec::new() };
        let left = |value: &&String| sense(value) == Sense::Inactive || self.answers.inactive.contains(*value);
        values.counts.keys().filter(left).map(String::as_str).collect()
    }

    fn include(&self) -> Option<(String, String)> {
        let status = self.name(Meaning::Status)?;
        let later: Vec<&str> =
            self.census.values.get(&Meaning::Status)?.that_are(Sense::NotYet).map(|(v, _)| v).collect();
        let expression = match later.as_slice() {
            [] => return None,
            [one] => format!("{} != {}", reference(status), super::write::literal(one)),
            many => format!("{} not in {}", reference(status), list(many)),
        };
        Some((text(&expression), "rows that count: who is not here yet needs no account".to_owned()))
    }
}

/// A list of texts as a template has it.
fn list(values: &[&str]) -> String {
    format!("[{}]", values.iter().map(|value| super::write::literal(value)).collect::<Vec<_>>().join(", "))
}

/// How the system says who is in use.
#[derive(Clone, Copy)]
enum Says {
    /// `active` or `inactive`.
    Word,
    /// True for a leaver.
    Gone,
    /// True for everybody else.
    Here,
}

struct Made {
    lines: Vec<Line>,
    missing: Vec<Missing>,
}

impl Made {
    fn maps(&self, attribute: &str) -> bool {
        self.lines.iter().any(|line| line.key == attribute && !line.is_off)
    }

    fn maybe(&mut self, attribute: &str, mapped: Option<Mapped>) {
        self.lines.extend(mapped.map(|(value, comment)| Line {
            key: attribute.to_owned(),
            value,
            comment,
            is_off: false,
        }));
    }

    fn need(&mut self, attribute: &str, mapped: Option<Mapped>, what: &'static str) {
        if mapped.is_none() {
            self.missing.push(Missing { attribute: attribute.to_owned(), what });
        }
        self.maybe(attribute, mapped);
    }

    fn off(&mut self, attribute: &str, value: &str, comment: &str) {
        let (value, comment) = (value.to_owned(), comment.to_owned());
        self.lines.push(Line { key: attribute.to_owned(), value, comment, is_off: true });
    }

    fn plain(&mut self, facts: &Facts<'_>, attribute: &str, meanings: &[Meaning]) {
        let name = meanings.iter().find_map(|meaning| Some((facts.name(*meaning)?, *meaning)));
        self.maybe(attribute, name.map(|(name, meaning)| (quoted(name), meaning.name().to_owned())));
    }

    fn names(&mut self, facts: &Facts<'_>, first: &str, last: &str) {
        let parts = [(first, Meaning::FirstName), (last, Meaning::LastName)];
        if parts.iter().any(|(_, meaning)| facts.name(*meaning).is_some()) {
            for (attribute, meaning) in parts {
                self.plain(facts, attribute, &[meaning]);
            }
        } else if let (Some(name), Some(order)) = (facts.name(Meaning::FullName), facts.recognised.order) {
            let column = reference(name);
            let (separator, [of_first, of_last]) = match order {
                NameOrder::LastFirst => (",", ["after", "before"]),
                NameOrder::FirstLast => (" ", ["before", "after"]),
            };
            for (attribute, filter) in [(first, of_first), (last, of_last)] {
                let side = if filter == "after" { "behind" } else { "in front of" };
                let sign = if separator == "," { "comma" } else { "first blank" };
                let template = format!("{{{{ {column} | {filter}('{separator}') }}}}");
                self.maybe(attribute, Some((text(&template), format!("what stands {side} the {sign}"))));
            }
        }
    }

    /// The line that says who is in use.
    fn status(&mut self, facts: &Facts<'_>, attribute: &str, says: Says) {
        let mapped = if let Some(status) = facts.name(Meaning::Status) {
            let column = reference(status);
            let left = facts.inactive();
            let is_in = |word: &str| format!("{column} {word} {}", list(&left));
            let template = match says {
                _ if left.is_empty() => {
                    let value = ["\"active\"", "false", "true"][says as usize];
                    let why = format!("no value of {status} says that somebody has left, so everybody is in use");
                    return self.maybe(attribute, Some((format!("{{ value = {value} }}"), why)));
                }
                Says::Word => format!("{{{{ 'inactive' if {} else 'active' }}}}", is_in("in")),
                Says::Gone => format!("{{{{ {} }}}}", is_in("in")),
                Says::Here => format!("{{{{ {} }}}}", is_in("not in")),
            };
            let why = "who has one of these values is a leaver; every other value counts as in use";
            Some((text(&template), why.to_owned()))
        } else {
            facts.name(Meaning::End).map(|end| {
                let column = reference(end);
                let [gone, here] = [["'inactive'", "'active'"], ["true", "false"], ["false", "true"]][says as usize];
                let is_gone = format!("{column} and {column} | date('%Y-%m-%d') < today()");
                let template = format!("{{{{ {gone} if {is_gone} else {here} }}}}");
                (text(&template), "a leaver from the day after the last".to_owned())
            })
        };
        self.maybe(attribute, mapped);
    }

    fn skills(&mut self, facts: &Facts<'_>, attribute: &str) {
        let mapped = facts.name(Meaning::Skills).map(|name| {
            let value = format!("{{ column = {}, parse = \"pairs\" }}", text(name));
            (value, "English:100;Spanish:80; other skills of the account are kept".to_owned())
        });
        self.maybe(attribute, mapped);
    }

    fn privileges(&mut self, facts: &Facts<'_>, lookup: Option<&Lookup>) {
        let team = facts.name(Meaning::Team).or_else(|| facts.name(Meaning::Department));
        let role = facts.name(Meaning::Role).filter(|_| {
            let values = facts.census.values.get(&Meaning::Role);
            values.is_some_and(|values| {
                values.counts.keys().all(|role| ROLES.iter().any(|r| r.eq_ignore_ascii_case(role)))
            })
        });
        let role = match role {
            Some(name) => text(&format!("{{{{ {} }}}}", reference(name))),
            None => text("{{ 'Team Agent' }}"),
        };
        match (lookup, team) {
            (Some(lookup), Some(team)) => {
                let id = format!(
                    "{{{{ {} | lookup({}, {}) }}}}",
                    reference(team),
                    super::write::literal(&lookup.name),
                    super::write::literal(&lookup.id)
                );
                let value = format!("[{{ teamid = {}, role = {role} }}]", text(&id));
                self.maybe("privileges", Some((value, "the team and the role of newcomers".to_owned())));
            }
            (None, Some(team)) => {
                let id = format!("{{{{ {} | lookup('teams', 'team_id') }}}}", reference(team));
                let value = format!("[{{ teamid = {}, role = {role} }}]", text(&id));
                self.off("privileges", &value, "switched on together with [lookup.teams], newcomers get their team");
            }
            (_, None) => {
                let value = format!("[{{ teamid = 1, role = {role} }}]");
                self.off("privileges", &value, "switched on, newcomers join this team");
            }
        }
    }

    fn password(&mut self) {
        let value = "{ generate = { length = 20 } }".to_owned();
        self.maybe("password", Some((value, "random, 8 to 128 characters; see [passwords]".to_owned())));
    }
}

/// What imi.chat calls the roles in a team.
const ROLES: [&str; 3] = ["Team Manager", "Team Agent", "Team Analyst"];
