//! `headcount check`: the configuration and every row of the source; with `--online` the target too.

use std::time::Duration;

use futures::StreamExt;

use super::plan::{close_after, seconds};
use super::references;
use crate::cli::app::App;
use crate::cli::args::CheckArgs;
use crate::cli::failure::{Exit, Failure};
use crate::cli::records;
use crate::cli::workbench::Configured;
use crate::connectors::{Connector, Listed};
use crate::journal::Journal;
use crate::plan::FindingKind;
use crate::plan::action::FindingCounts;
use crate::planning::{Accounts, References, check_rows, read_findings};
use crate::report::Summary;
use crate::report::summary::SummaryOutcome;
use crate::report::visible::visible;

pub async fn run(app: &App, args: &CheckArgs) -> Result<Exit, Failure> {
    let started = app.clock.elapsed();
    let configured = app.configured()?;
    app.start_log(None)?;
    app.listen_for_signals();
    let dir = tempfile::tempdir().map_err(|error| Failure::new("system", format!("no temporary folder: {error}")))?;
    let mapped = configured.source_in(&*app.clock, dir.path())?;
    let monitor = app.monitor();
    // Nothing is remembered by a check, and nothing has to be locked for it.
    let memory = Journal::in_memory().memory("check");
    let accounts = Accounts::Recorded(dir.path());
    let inputs = configured.inputs(&mapped, &memory, (&*app.clock, &*monitor), accounts, dir.path());
    let checked = check_rows(&inputs)?;
    let invalid: Vec<_> = read_findings(&checked.findings)
        .and_then(Iterator::collect::<std::io::Result<Vec<_>>>)
        .map_err(|error| Failure::new("system", error.to_string()))?;
    for finding in invalid.iter().filter(|finding| finding.finding == FindingKind::Invalid) {
        let place = finding.source.as_ref().map(ToString::to_string).unwrap_or_default();
        app.say(&format!("{place}: {}", visible(&finding.reason)));
    }
    for stop in &checked.stopped {
        app.say_at_least(&format!("stops every run: {stop}"));
    }
    let rows =
        if checked.included == 1 { "1 row counts".to_owned() } else { format!("{} rows count", checked.included) };
    let unusable = match checked.invalid {
        0 => String::new(),
        invalid => format!(", {invalid} of them cannot be used"),
    };
    app.say(&format!("The configuration is right. {rows}{unusable}."));
    let mut summary = summary(&configured, checked.invalid);
    let exit = if checked.stopped.is_empty() { Exit::Done } else { Exit::Held };
    if args.online {
        let references = References::of_rows(&inputs)?;
        online(app, &configured, &references, &mut summary).await?;
    }
    if exit == Exit::Held {
        summary.outcome = SummaryOutcome::Held;
        summary.error = Some(Failure::new("safety", checked.stopped.join("; ")).problem());
    }
    summary.exit_code = exit as u8;
    summary.elapsed_seconds = seconds(app.clock.elapsed().saturating_sub(started).max(Duration::ZERO));
    app.close(&summary);
    Ok(exit)
}

/// Signs in, reads one page, asks for what the rows refer to, and says what the tenant's quota is.
async fn online(
    app: &App,
    configured: &Configured,
    references: &References,
    summary: &mut Summary,
) -> Result<(), Failure> {
    let connected = configured.connect(app.clock.clone(), &app.stop).await?;
    let target = &*connected.target;
    let asked = match ask(app, target).await {
        Ok(estimated) => {
            references::check(app, references, target.schema(), target).await.map(|asked| estimated + asked)
        }
        Err(failure) => Err(failure),
    };
    let meter = Some(target.meter());
    summary.requests = records::requests(meter, asked.as_ref().copied().unwrap_or(0));
    summary.quota = records::quota(meter);
    close_after(connected, asked).await.map(|_| ())
}

/// Returns the requests that this takes without a fault: signing in, and a page.
async fn ask(app: &App, target: &dyn Connector) -> Result<u64, Failure> {
    target.sign_in().await?;
    let estimated = records::spent(target.meter()) + 1;
    let first = {
        let mut listing = target.list();
        listing.next().await
    };
    let mut said = format!("Signed in to {}.", target.describe());
    match first {
        Some(Ok(Listed::Page { accounts, pages })) => {
            let pages = pages.map(|pages| format!(" of {pages}")).unwrap_or_default();
            said.push_str(&format!(" The first page{pages} has {} accounts.", accounts.len()));
        }
        Some(Ok(Listed::End { .. })) => said.push_str(" There are no accounts yet."),
        Some(Err(error)) => return Err(error.into()),
        // One page alone cannot shift.
        Some(Ok(Listed::Again { .. })) | None => {}
    }
    if let Some(quota) = target.meter().quota() {
        let limit = quota.limit.map(|limit| format!(" of {limit}")).unwrap_or_default();
        said.push_str(&format!(" {}{limit} requests are left for today.", quota.remaining));
    }
    app.say(&said);
    Ok(estimated)
}

fn summary(configured: &Configured, invalid: u64) -> Summary {
    Summary {
        headcount_summary: 1,
        command: "check".to_owned(),
        run: String::new(),
        tenant: configured.settings.target.tenant.clone(),
        outcome: SummaryOutcome::Complete,
        planned: Default::default(),
        found: FindingCounts { invalid, ..FindingCounts::default() },
        applied: Default::default(),
        held: 0,
        failed: 0,
        unknown: 0,
        requests: Default::default(),
        quota: None,
        forecast: None,
        elapsed_seconds: 0.0,
        exit_code: 0,
        error: None,
    }
}
