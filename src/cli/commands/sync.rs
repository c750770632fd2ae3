//! `headcount sync`: plan and apply in one run that nobody watches. An unfinished run comes first.

use jiff::SignedDuration;

use super::drive::{Drive, NOT_CHOSEN, Planned, confirmed};
use super::plan::{close_after, make, seconds, stopped, write_errors};
use super::resume;
use crate::cli::app::App;
use crate::cli::args::SyncArgs;
use crate::cli::connect::Connected;
use crate::cli::failure::{Exit, Failure};
use crate::cli::records;
use crate::cli::workbench::Configured;
use crate::journal::{Journal, Memory};
use crate::plan::{Selection, selected_actions};
use crate::planning::Accounts;
use crate::report::{Extent, Head, RecordKind};

pub async fn run(app: &App, args: &SyncArgs) -> Result<Exit, Failure> {
    let configured = app.configured()?;
    app.start_log(Some(&configured))?;
    app.listen_for_signals();
    let journal = configured.journal(&*app.clock)?;
    let memory = configured.memory(&journal);
    let connected = configured.connect(app.clock.clone(), &app.stop).await?;
    let exit = match configured.seen_by(&*connected.target) {
        Ok(configured) => sync(app, args, &configured, &journal, &memory, &connected).await,
        Err(failure) => Err(failure),
    };
    close_after(connected, exit).await
}

/// Over a tenant that is connected.
pub async fn sync(
    app: &App,
    args: &SyncArgs,
    configured: &Configured,
    journal: &Journal,
    memory: &Memory,
    connected: &Connected,
) -> Result<Exit, Failure> {
    let started = app.clock.elapsed();
    if let Some(run) = journal.unfinished_run() {
        if !args.execution.yes {
            return Err(Failure::new("journal", format!("the run {run} has not ended"))
                .hint("`headcount resume` ends it, `headcount sync --yes` ends it first"));
        }
        if let Some(exit) = resume::continue_or_settle(app, configured, journal, memory, connected, run).await? {
            return Ok(exit);
        }
    }
    let made = make(app, configured, memory, Accounts::Live(&*connected.target)).await?;
    let surveyed = &made.surveyed;
    let header = &surveyed.header;
    let released = records::released(header, &args.execution.approve)?;
    let meter = Some(connected.target.meter());
    let mut summary =
        records::plan_summary(header, "sync", records::requests(meter, header.requests.total), records::quota(meter));
    summary.error = stopped(header);
    let head = records::head(RecordKind::Plan, header, summary.clone(), &released);
    let nothing = header.counts.actions.count_all() == 0;
    // Whoever is asked sees the plan; whoever is not sees the same actions with what came of them.
    // No run follows a plan that was stopped: who mends the export must see all of it now.
    let extent = if summary.error.is_some() { Extent::Whole } else { Extent::Preview };
    if summary.error.is_some() || (!nothing && !args.execution.yes) {
        app.show(configured, records::of_plan(head.clone(), &surveyed.files)?, extent)?;
    }
    if summary.error.is_some() {
        write_errors(app, configured, &made)?;
        summary.exit_code = Exit::Held as u8;
        summary.elapsed_seconds = seconds(app.clock.elapsed().saturating_sub(started));
        app.close(&summary);
        app.over(Head { summary, ..head }, Some(header.listing.accounts));
        return Ok(Exit::Held);
    }
    let selection = Selection { only: args.execution.only.clone(), limit: args.execution.limit };
    let is_to_do = selected_actions(&released, &selection);
    if !nothing && !confirmed(app, &args.execution, &head, &surveyed.files, is_to_do, NOT_CHOSEN).await? {
        return Err(Failure::new("usage", "nothing was applied"));
    }
    let drive =
        Drive { app, configured, journal, memory, connected, mapped: Some(&made.mapped), command: "sync", started };
    let fresh = SignedDuration::try_from(configured.settings.safety.fresh_for).unwrap_or(SignedDuration::ZERO);
    let plan = Planned {
        header,
        digest: &surveyed.digest,
        files: &surveyed.files,
        fresh_until: surveyed.listed_at.checked_add(fresh).ok(),
        pace: surveyed.pace,
        spent: records::spent(connected.target.meter()),
    };
    drive.start(&plan, &args.execution).await
}
