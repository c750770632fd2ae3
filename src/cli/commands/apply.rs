//! `headcount apply`: exactly one plan, no other.

use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::SignedDuration;

use super::cost::before_connecting;
use super::drive::{Drive, NOT_CHOSEN, Planned, confirmed};
use super::plan::{close_after, stopped};
use super::rest;
use crate::cli::app::App;
use crate::cli::args::ApplyArgs;
use crate::cli::connect::Connected;
use crate::cli::failure::{Exit, Failure};
use crate::cli::records;
use crate::cli::workbench::Configured;
use crate::journal::Journal;
use crate::journal::state::Tally;
use crate::plan::file::PlanHeader;
use crate::plan::{Selection, selected_actions};
use crate::planning::PlanFiles;
use crate::report::visible::visible;
use crate::report::{Extent, RecordKind};

pub async fn run(app: &App, args: &ApplyArgs) -> Result<Exit, Failure> {
    let started = app.clock.elapsed();
    let configured = app.configured()?;
    app.start_log(Some(&configured))?;
    app.listen_for_signals();
    let files = find(&configured, &args.plan);
    let (header, digest) = records::verified(&files.plan)?;
    usable(app, &configured, &header)?;
    let journal = configured.journal(&*app.clock)?;
    if let Some(run) = journal.unfinished_run() {
        return Err(Failure::new("journal", format!("the run {run} has not ended"))
            .hint("`headcount resume` ends it; then make a new plan")
            .exit(Exit::Failed));
    }
    still_current(&configured, &journal, &header)?;
    let dir = configured.new_plan_dir(&*app.clock)?;
    let left = rest::of(&configured, &journal, &header, &files, &dir);
    let exit = match left {
        Ok(left) => {
            let (header, digest, files) = left.unwrap_or((header, digest, files));
            execute(app, args, configured, &journal, Verified { header, digest, files }, started).await
        }
        Err(failure) => Err(failure),
    };
    // The run has a copy of what it executes.
    let _ = std::fs::remove_dir_all(&dir);
    exit
}

/// A plan that may be executed.
struct Verified {
    header: PlanHeader,
    digest: String,
    files: PlanFiles,
}

async fn execute(
    app: &App,
    args: &ApplyArgs,
    configured: Configured,
    journal: &Journal,
    Verified { header, digest, files }: Verified,
    started: Duration,
) -> Result<Exit, Failure> {
    let released = records::released(&header, &args.execution.approve)?;
    let estimated = before_connecting(&configured, &header, &files, &released, &args.execution)?;
    let summary = records::plan_summary(&header, "apply", records::requests(None, estimated), None);
    let head = records::head(RecordKind::Plan, &header, summary, &released);
    if !args.execution.yes {
        app.show(&configured, records::of_plan(head.clone(), &files)?, Extent::Preview)?;
    }
    let selection = Selection { only: args.execution.only.clone(), limit: args.execution.limit };
    if !confirmed(app, &args.execution, &head, &files, selected_actions(&released, &selection), NOT_CHOSEN).await? {
        return Err(Failure::new("usage", "nothing was applied"));
    }
    let connected = configured.connect(app.clock.clone(), &app.stop).await?;
    let plan = Verified { header, digest, files };
    let exit = drive(app, args, configured, journal, &connected, &plan, started).await;
    close_after(connected, exit).await
}

async fn drive(
    app: &App,
    args: &ApplyArgs,
    configured: Configured,
    journal: &Journal,
    connected: &Connected,
    Verified { header, digest, files }: &Verified,
    started: Duration,
) -> Result<Exit, Failure> {
    let configured = configured.seen_by(&*connected.target)?;
    let memory = configured.memory(journal);
    let drive = Drive {
        app,
        configured: &configured,
        journal,
        memory: &memory,
        connected,
        mapped: None,
        command: "apply",
        started,
    };
    // Every account is read again before it is changed: the plan may be hours old.
    let spent = connected.target.connecting_cost();
    let plan = Planned { header, digest, files, fresh_until: None, pace: None, spent };
    drive.start(&plan, &args.execution).await
}

/// A plan by its path, or by its name in the state directory.
pub fn find(configured: &Configured, plan: &Path) -> PlanFiles {
    if !plan.exists()
        && let Some(dir) = plan.to_str().and_then(|name| configured.state.plan(name))
        && dir.exists()
    {
        return PlanFiles::in_dir(&dir);
    }
    beside(configured, plan)
}

/// A plan file that was copied out of the state directory; what else is known of the plan stayed there.
fn beside(configured: &Configured, plan: &Path) -> PlanFiles {
    let name = records::verified(plan).ok().map(|(header, _)| header.plan);
    let dir = name.and_then(|name| configured.state.plan(&name)).unwrap_or_else(|| PathBuf::from("."));
    PlanFiles { plan: plan.to_owned(), ..PlanFiles::in_dir(&dir) }
}

/// Whether the plan knows of everything that was done here. A create of a plan that does not would be sent for people
/// who were created meanwhile, and a target that lets two accounts have one name would double them.
fn still_current(configured: &Configured, journal: &Journal, header: &PlanHeader) -> Result<(), Failure> {
    let target = configured.target_name();
    let changed = |tally: Tally| tally.applied + tally.adopted + tally.unknown + tally.open > 0;
    let later = journal.runs().into_iter().rev().find(|run| {
        (&run.head.tenant, &run.head.target) == (&header.tenant, &target)
            // What an earlier run of the same plan did is left out of this one.
            && run.head.plan != header.plan
            && run.phase_since > header.created_at
            && changed(run.tally)
    });
    match later {
        None => Ok(()),
        Some(run) => Err(Failure::new(
            "plan",
            format!("the run {} changed accounts after this plan was made: the plan is not current any more", run.run),
        )
        .hint(anew(header))),
    }
}

/// How a plan that cannot be used is replaced.
fn anew(header: &PlanHeader) -> String {
    match &header.rollback_of {
        Some(run) => format!("make a new plan: `headcount rollback {} -o PLAN`", visible(run)),
        None => "make a new plan: `headcount plan -o PLAN`".to_owned(),
    }
}

/// Whether the plan is for this tenant, this configuration and this hour.
fn usable(app: &App, configured: &Configured, header: &PlanHeader) -> Result<(), Failure> {
    let refuse = |message: String, hint: &str| Err(Failure::new("plan", message).hint(hint));
    let anew = &anew(header);
    if let Some(file) = &header.against {
        return refuse(
            format!("the plan was made against {file}, not against the live tenant: it can be read, not applied"),
            anew,
        );
    }
    let (tenant, target) = (&configured.settings.target.tenant, configured.target_name());
    if header.tenant != *tenant || header.target != target {
        return refuse(
            format!(
                "the plan is for tenant {} ({}), the configuration is for {tenant} ({target})",
                header.tenant, header.target
            ),
            "use the configuration that the plan was made with",
        );
    }
    if header.config_digest != configured.config_digest() {
        return refuse("the configuration changed since the plan was made".to_owned(), anew);
    }
    let age = app.clock.now().duration_since(header.created_at);
    let most = configured.settings.safety.plan_max_age;
    if age > SignedDuration::try_from(most).unwrap_or(SignedDuration::MAX) {
        return refuse(
            format!(
                "the plan is {} old, older than safety.plan_max_age allows",
                crate::report::words::elapsed_text(age.as_secs_f64())
            ),
            anew,
        );
    }
    if age < SignedDuration::from_mins(-5) {
        return refuse(format!("the plan was made in the future, at {}", header.created_at), "check the clocks");
    }
    if let Some(problem) = stopped(header) {
        let failure = Failure::new("safety", problem.message).exit(Exit::Held);
        return Err(Failure { hint: problem.hint, ..failure });
    }
    Ok(())
}
