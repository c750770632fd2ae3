//! A program that does every night what `headcount sync` does, without a terminal: it plans, applies a canary, syncs, is
//! stopped and resumes, explains one person, exports the accounts, and takes a run back.
//!
//! `cargo run --example nightly_sync` runs it in a temporary folder against a simulated tenant.

use std::error::Error;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use headcount::app::apply::{ApplyRequest, apply_plan};
use headcount::app::explain::{Evidence, ExplainRequest, PersonQuery, explain_one};
use headcount::app::export::export_accounts;
use headcount::app::plan::{PlanRequest, make_plan};
use headcount::app::resume::{ResumeRequest, resume_run};
use headcount::app::rollback::{RollbackRequest, plan_rollback};
use headcount::app::sync::{SyncRequest, sync_accounts};
use headcount::app::{ActionChoice, AppError, Consent, RunEnd, Session, Workspace};
use headcount::clock::Stop;
use headcount::model::monitor::{Done, Monitor};
use headcount::report::person::PersonHistory;

const CONFIG: &str = r#"
[source]
path = "hr.csv"
identity = "id"

[target]
kind = "imichat"
base_url = "sandbox"                # a tenant would have its address here
tenant = "acme"

[match]
rules = [["login_id"]]

[map]
login_id = "login"
email_id = "{{ login }}@example.com"
first_name = "first_name"
last_name = "last_name"
job_description = "title"
status = "{{ 'active' if status == 'Active' else 'inactive' }}"
login_using_email = { value = true }
privileges = [{ teamid = "{{ '11' }}", role = "{{ 'Team Agent' }}" }]
password = { generate = { length = 20 } }

[safety]
max_create = 100
max_update = 100
max_deactivate = 100

[rate]
requests_per_second = 0
concurrency = 1

[passwords]
deliver_to = "discard"
"#;

const EXPORT: &str = "id,login,first_name,last_name,title,status
E1,ana,Ana,Silva,Agent,Active
E2,bo,Bo,Li,Agent,Active
E3,cy,Cy,Young,Agent,Active
E4,di,Di,Marsh,Agent,Active
E5,ed,Ed,Bloom,Agent,Active
";

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    run_night(folder.path(), &mut io::stdout()).await
}

/// Everything, in a folder of its own; what happens is written to `out`.
pub async fn run_night(folder: &Path, out: &mut dyn Write) -> Result<(), Box<dyn Error>> {
    fs::write(folder.join("hr.csv"), EXPORT)?;
    fs::write(folder.join("config.toml"), CONFIG)?;
    // Nobody is asked and nothing is shown: each request says what was agreed to.
    let session = Session::unattended();
    // A use case takes the workspace, because what it learns of the target belongs to it alone.
    let open = || Workspace::load(&folder.join("config.toml"), Some(&folder.join("state")));
    open()?.prepare_empty_sandbox(&session.clock).await?;

    // The dry run. It writes nothing to the tenant, and the plan is kept under its name.
    let plan = make_plan(&session, open()?, &PlanRequest::default()).await?;
    writeln!(out, "plan: {} to create", plan.head.summary.planned.create)?;

    // A canary: the first action of this very plan, and no other.
    let canary = ApplyRequest {
        plan: PathBuf::from(&plan.header.plan),
        consent: Consent::Given,
        choice: ActionChoice { limit: Some(1), ..ActionChoice::default() },
    };
    write_end(out, "apply", &apply_plan(&session, open()?, &canary).await?)?;

    // The rest, stopped after its first action, as by a signal: the run pauses, and nothing is lost.
    let stop = Arc::new(Stop::default());
    let monitor = Arc::new(StopAfterFirst(Arc::clone(&stop)));
    let impatient = Session { stop, monitor, ..session.clone() };
    let everybody = SyncRequest { consent: Consent::Given, choice: ActionChoice::default() };
    write_end(out, "sync", &sync_accounts(&impatient, open()?, &everybody).await?)?;

    // Whoever comes next goes on where it stopped.
    let unfinished = ResumeRequest { run: None, consent: Consent::Given };
    let resumed = resume_run(&session, open()?, &unfinished).await?;
    write_end(out, "resume", &resumed)?;

    // One person, from the last listing and the journal; no request is sent.
    let request = ExplainRequest { whom: PersonQuery::Key("ana".to_owned()), evidence: Evidence::LastListing };
    if let Some(PersonHistory { person, .. }) = explain_one(&session, open()?, &request).await?.person {
        writeln!(out, "explain ana: {}: {}", person.decision.name(), person.because)?;
    }

    // A backup of the accounts as they are now.
    let mut exported = export_accounts(&session, &open()?).await?;
    exported.write_file(&folder.join("accounts.csv"))?;
    writeln!(out, "export: {} accounts", exported.accounts)?;

    // The plan that takes back what the run changed; `apply_plan` executes it like any other.
    let request = RollbackRequest { run: resumed.head.summary.run, output: None };
    let back = plan_rollback(&session, open()?, &request).await?;
    writeln!(out, "rollback: {} to deactivate", back.head.summary.planned.deactivate)?;
    let request = ApplyRequest {
        plan: PathBuf::from(&back.header.plan),
        consent: Consent::Given,
        choice: ActionChoice::default(),
    };
    write_end(out, "apply", &apply_plan(&session, open()?, &request).await?)?;

    // What goes wrong has a kind that a program can decide on.
    let error: Option<AppError> = resume_run(&session, open()?, &unfinished).await.err();
    writeln!(out, "resume again: {}", error.map(|error| error.message).unwrap_or_default())?;
    Ok(())
}

fn write_end(out: &mut dyn Write, what: &str, end: &RunEnd) -> io::Result<()> {
    let summary = &end.head.summary;
    let (created, deactivated) = (summary.applied.create, summary.applied.deactivate);
    writeln!(out, "{what}: {}, {created} created, {deactivated} deactivated", summary.outcome.name())
}

/// Wishes to stop as soon as anything is done. Other programs would show the progress.
struct StopAfterFirst(Arc<Stop>);

impl Monitor for StopAfterFirst {
    fn rows_read(&self, _rows: u64, _total: Option<u64>) {}
    fn pages_listed(&self, _accounts: u64, _pages: u64, _of: Option<u64>) {}
    fn actions_done(&self, progress: &Done) {
        if progress.done > 0 {
            self.0.request();
        }
    }
    fn note(&self, _text: &str) {}
    fn waiting(&self, _why: &str, _seconds: u64) {}
}
