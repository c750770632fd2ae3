//! One person, end to end, from the last listing and the journal. Nothing is decided here, and nothing is written to the
//! target.

use super::check::make_temporary_folder;
use super::connection::Connection;
use super::error::{AppError, ErrorKind};
use super::explanation::{KnownFacts, explain_person};
use super::session::Session;
use super::workspace::Workspace;
use crate::connectors::{Connector, Trouble};
use crate::journal::{Journal, Memory};
use crate::model::{AccountId, Attributes, Value, Wanted};
use crate::plan::person::Person;
pub use crate::planning::PersonQuery;
use crate::planning::{AccountEdit, Accounts, LastListing, PersonAnswer, explain_people};
use crate::report::person::Explanation;

#[derive(Clone, Debug)]
pub struct ExplainRequest {
    pub whom: PersonQuery,
    pub evidence: Evidence,
}

/// What an explanation relies on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Evidence {
    LastListing,
    /// The last listing, and what the tenant says of this person now.
    Tenant,
}

/// Explains one person; where nobody or more than one is meant, who else could be.
///
/// # Errors
/// The source, the journal or the tenant cannot be read.
pub async fn explain_one(
    session: &Session,
    workspace: Workspace,
    request: &ExplainRequest,
) -> Result<Explanation, AppError> {
    // Who only looks leaves nothing behind, not even an empty state directory.
    let journal = if request.evidence == Evidence::Tenant || workspace.state.path().exists() {
        workspace.open_journal(&*session.clock)?
    } else {
        Journal::in_memory()
    };
    let memory = workspace.tenant_memory(&journal);
    if request.evidence == Evidence::LastListing {
        let workspace = workspace.with_last_schema()?;
        let last = open_last_listing(&workspace, &journal)?;
        let explained = look_for_one(session, &workspace, &memory, &last, &request.whom).await?;
        return explain_known(session, &workspace, &journal, &request.whom, &last, &explained, None);
    }
    let connection = workspace.connect_tenant(session).await?;
    let explanation = explain_online(session, workspace, &journal, &memory, &request.whom, &connection).await;
    connection.close_after(explanation).await
}

pub(super) fn open_last_listing(workspace: &Workspace, journal: &Journal) -> Result<LastListing, AppError> {
    let tenant = &workspace.settings.target.tenant;
    Ok(LastListing::open(&workspace.state, journal, &workspace.schema, tenant, &workspace.target_name())?)
}

/// Makes the plan from what is known, and tells of it what concerns these people: an answer to each question.
pub(super) async fn look_for(
    session: &Session,
    workspace: &Workspace,
    memory: &Memory,
    last: &LastListing,
    asked: &[PersonQuery],
) -> Result<Vec<PersonAnswer>, AppError> {
    let folder = make_temporary_folder()?;
    let open = workspace.open_source_in(&*session.clock, folder.path())?;
    let inputs = workspace.planning_inputs(&open, memory, session, Accounts::Last(last), folder.path());
    session.until_stopped(explain_people(&inputs, asked), "stopped; nothing was changed").await
}

async fn look_for_one(
    session: &Session,
    workspace: &Workspace,
    memory: &Memory,
    last: &LastListing,
    whom: &PersonQuery,
) -> Result<PersonAnswer, AppError> {
    let mut answers = look_for(session, workspace, memory, last, std::slice::from_ref(whom)).await?;
    // Each question has its answer.
    answers.pop().ok_or_else(|| AppError::new(ErrorKind::System, "no answer to the question"))
}

async fn explain_online(
    session: &Session,
    workspace: Workspace,
    journal: &Journal,
    memory: &Memory,
    whom: &PersonQuery,
    connection: &Connection,
) -> Result<Explanation, AppError> {
    let target = &*connection.target;
    let workspace = workspace.with_live_schema(target)?;
    let mut last = open_last_listing(&workspace, journal)?;
    let before = look_for_one(session, &workspace, memory, &last, whom).await?;
    let known = last.count_edits();
    ask_tenant(target, &workspace, whom, &before, &mut last).await?;
    let explained = if last.count_edits() == known && before.people.is_empty() {
        before
    } else {
        look_for_one(session, &workspace, memory, &last, whom).await?
    };
    explain_known(session, &workspace, journal, whom, &last, &explained, Some(target.meter().sent_so_far().total))
}

fn explain_known(
    session: &Session,
    workspace: &Workspace,
    journal: &Journal,
    whom: &PersonQuery,
    last: &LastListing,
    explained: &PersonAnswer,
    requests: Option<u64>,
) -> Result<Explanation, AppError> {
    explain_person(&KnownFacts { workspace, journal, last, now: session.clock.now(), requests }, whom, explained)
}

/// Asks the tenant about these people and nobody else. By its id an account costs one request; who has none may cost a
/// listing, where the application cannot be asked for a name.
async fn ask_tenant(
    target: &dyn Connector,
    workspace: &Workspace,
    whom: &PersonQuery,
    before: &PersonAnswer,
    last: &mut LastListing,
) -> Result<(), AppError> {
    let mut sought: Vec<Attributes> = Vec::new();
    for person in &before.people {
        for id in possible_accounts(person) {
            let edit = target.get(&id).await?.map_or(AccountEdit::Gone, AccountEdit::Now);
            last.add_edit(id, edit);
        }
        if let (None, Some(desired)) = (&person.account, &person.desired) {
            let set = desired.values.iter().filter_map(|(id, wanted)| match wanted {
                Wanted::Set(value) => Some((*id, value.clone())),
                Wanted::Clear => None,
            });
            sought.push(set.collect());
        }
    }
    if let (true, PersonQuery::Key(key)) = (before.people.is_empty(), whom) {
        let single = workspace.rules.iter().filter_map(|rule| <[_; 1]>::try_from(rule.attributes.as_slice()).ok());
        sought.extend(single.map(|[id]| [(id, Value::text(key.trim()))].into_iter().collect()));
    }
    let mut found = Vec::new();
    if !sought.is_empty() {
        found = target.find(&workspace.rules, &sought).await?.into_iter().flatten().collect();
    }
    if let (true, true, PersonQuery::Key(key)) = (found.is_empty(), before.people.is_empty(), whom) {
        match target.get(&AccountId(key.trim().to_owned())).await {
            Ok(account) => found.extend(account),
            // What cannot be an id at all is nobody's.
            Err(error) if matches!(error.trouble, Trouble::Refused | Trouble::NotFound) => {}
            Err(error) => return Err(error.into()),
        }
    }
    for account in found {
        last.add_edit(account.id.clone(), AccountEdit::Now(account));
    }
    last.note_question();
    Ok(())
}

fn possible_accounts(person: &Person) -> Vec<AccountId> {
    let own = person.account.iter().map(|account| &account.id);
    let mut ids: Vec<AccountId> =
        own.chain(&person.matching.remembered).chain(&person.matching.candidates).cloned().collect();
    ids.sort();
    ids.dedup();
    ids
}
