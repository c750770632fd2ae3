//! `headcount explain`: one person, end to end, from the last listing and the journal. Nothing is decided here, and
//! nothing is written to the target.

use crate::cli::app::App;
use crate::cli::args::ExplainArgs;
use crate::cli::connect::Connected;
use crate::cli::failure::{Exit, Failure};
use crate::cli::output::{Format, Out, To};
use crate::cli::people;
use crate::cli::workbench::Configured;
use crate::connectors::{Connector, Trouble};
use crate::journal::{Journal, Memory};
use crate::model::{AccountId, Attributes, Value, Wanted};
use crate::planning::{AccountEdit, Accounts, ExplainedPerson, LastListing, PersonAnswer, PersonQuery, explain_people};
use crate::report::person::{write_json, write_text};

use super::plan::close_after;
use super::runs::output;

pub async fn run(app: &App, args: &ExplainArgs) -> Result<Exit, Failure> {
    let whom = whom(args)?;
    let configured = app.configured()?;
    app.start_log(None)?;
    app.listen_for_signals();
    // Who only looks leaves nothing behind, not even an empty state directory.
    let journal = if args.online || configured.state.path().exists() {
        configured.journal(&*app.clock)?
    } else {
        Journal::in_memory()
    };
    let memory = configured.memory(&journal);
    if !args.online {
        let configured = configured.last_seen()?;
        let last = last(&configured, &journal)?;
        let explained = one(app, &configured, &memory, &last, &whom).await?;
        return tell(app, &configured, &journal, &whom, &last, &explained, None);
    }
    let connected = configured.connect(app.clock.clone(), &app.stop).await?;
    let exit = online(app, configured, &journal, &memory, &whom, &connected).await;
    close_after(connected, exit).await
}

fn whom(args: &ExplainArgs) -> Result<PersonQuery, Failure> {
    let Some(line) = &args.line else { return Ok(PersonQuery::Key(args.key.clone().unwrap_or_default())) };
    let (file, number) = match line.rsplit_once(':') {
        Some((file, number)) => (Some(file.to_owned()), number),
        None => (None, line.as_str()),
    };
    match number.trim().parse() {
        Ok(line) if line > 0 => Ok(PersonQuery::Line { file, line }),
        _ => Err(Failure::new("usage", format!("--line {line}: no number of a line"))
            .hint("`headcount explain --line 12`, or --line FILE:12 where there are several files")
            .exit(Exit::Usage)),
    }
}

pub fn last(configured: &Configured, journal: &Journal) -> Result<LastListing, Failure> {
    let tenant = &configured.settings.target.tenant;
    Ok(LastListing::open(&configured.state, journal, &configured.schema, tenant, &configured.target_name())?)
}

/// Makes the plan from what is known, and tells of it what concerns these people: an answer to each question.
pub async fn look(
    app: &App,
    configured: &Configured,
    memory: &Memory,
    last: &LastListing,
    asked: &[PersonQuery],
) -> Result<Vec<PersonAnswer>, Failure> {
    let dir = tempfile::tempdir().map_err(|error| Failure::new("system", format!("no temporary folder: {error}")))?;
    let mapped = configured.source_in(&*app.clock, dir.path())?;
    let monitor = app.monitor();
    let inputs = configured.inputs(&mapped, memory, (&*app.clock, &*monitor), Accounts::Last(last), dir.path());
    tokio::select! {
        explained = explain_people(&inputs, asked) => Ok(explained?),
        () = app.stop.wait_requested() => Err(Failure::new("signal", "stopped; nothing was changed").exit(Exit::Paused)),
    }
}

async fn one(
    app: &App,
    configured: &Configured,
    memory: &Memory,
    last: &LastListing,
    whom: &PersonQuery,
) -> Result<PersonAnswer, Failure> {
    let mut answers = look(app, configured, memory, last, std::slice::from_ref(whom)).await?;
    // Each question has its answer.
    answers.pop().ok_or_else(|| Failure::new("system", "no answer to the question"))
}

async fn online(
    app: &App,
    configured: Configured,
    journal: &Journal,
    memory: &Memory,
    whom: &PersonQuery,
    connected: &Connected,
) -> Result<Exit, Failure> {
    let target = &*connected.target;
    let configured = configured.seen_by(target)?;
    let mut last = last(&configured, journal)?;
    let before = one(app, &configured, memory, &last, whom).await?;
    let known = last.count_edits();
    ask(target, &configured, whom, &before, &mut last).await?;
    let explained = if last.count_edits() == known && before.people.is_empty() {
        before
    } else {
        one(app, &configured, memory, &last, whom).await?
    };
    tell(app, &configured, journal, whom, &last, &explained, Some(target.meter().sent_so_far().total))
}

/// Asks the tenant about these people and nobody else. By its id an account costs one request; who has none may cost a
/// listing, where the application cannot be asked for a name.
async fn ask(
    target: &dyn Connector,
    configured: &Configured,
    whom: &PersonQuery,
    before: &PersonAnswer,
    last: &mut LastListing,
) -> Result<(), Failure> {
    let mut sought: Vec<Attributes> = Vec::new();
    for person in &before.people {
        for id in ids(person) {
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
        let single = configured.rules.iter().filter_map(|rule| <[_; 1]>::try_from(rule.attributes.as_slice()).ok());
        sought.extend(single.map(|[id]| [(id, Value::text(key.trim()))].into_iter().collect()));
    }
    let mut found = Vec::new();
    if !sought.is_empty() {
        found = target.find(&configured.rules, &sought).await?.into_iter().flatten().collect();
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
    Ok(())
}

fn ids(person: &ExplainedPerson) -> Vec<AccountId> {
    let own = person.account.iter().map(|account| &account.id);
    let mut ids: Vec<AccountId> = own.chain(&person.remembered).chain(&person.candidates).cloned().collect();
    ids.sort();
    ids.dedup();
    ids
}

fn tell(
    app: &App,
    configured: &Configured,
    journal: &Journal,
    whom: &PersonQuery,
    last: &LastListing,
    explained: &PersonAnswer,
    requests: Option<u64>,
) -> Result<Exit, Failure> {
    let known = people::Known { configured, journal, last, now: app.clock.now(), requests };
    let explanation = people::explanation(&known, whom, explained)?;
    app.pause_progress();
    let mut out = Out::stdout();
    let style = app.style(configured, To::Stdout);
    match app.global.format {
        Format::Json => write_json(&explanation, &style, &mut out),
        Format::Text => write_text(&explanation, &style, &mut out),
    }
    .and_then(|()| std::io::Write::flush(&mut out))
    .map_err(output)?;
    Ok(if explanation.person.is_some() { Exit::Done } else { Exit::Failed })
}
