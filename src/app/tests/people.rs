//! What is explained of a person is what a plan decides, for everybody.

use std::fs;
use std::io::BufReader;
use std::path::Path;
use std::sync::Arc;

use crate::app::explain::{look_for, open_last_listing};
use crate::app::plan::survey_plan;
use crate::app::{Session, Workspace};
use crate::clock::{Clock, SystemClock};
use crate::plan::file::PlanReader;
use crate::plan::{Action, Finding};
use crate::planning::{Accounts, PersonAnswer, PersonQuery, read_findings};

/// Makes a plan of a sample against its tenant, then asks for every line of the export and every account that the plan
/// names; gives the words that were said of them.
fn explained_as_planned(config: &str) -> Vec<String> {
    let dir = tempfile::tempdir().unwrap();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    super::copy_files(&root.join("samples"), &dir.path().join("samples"));
    fs::copy(root.join("config.toml"), dir.path().join("config.toml")).unwrap();
    let path = dir.path().join(config);
    let text = fs::read_to_string(&path).unwrap();
    let slow = text.lines().find(|line| line.starts_with("requests_per_second")).unwrap();
    fs::write(&path, text.replace(slow, "requests_per_second = 0")).unwrap();

    let clock: Arc<dyn Clock> = SystemClock::new();
    let session = Session { clock: clock.clone(), ..Session::unattended() };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let state = dir.path().join("state");
        let workspace = Workspace::load(&path, Some(&state)).unwrap();
        let journal = workspace.open_journal(&*clock).unwrap();
        let memory = workspace.tenant_memory(&journal);
        let connection = workspace.connect_tenant(&session).await.unwrap();
        let workspace = workspace.with_live_schema(&*connection.target).unwrap();
        let live = Accounts::Live(&*connection.target);
        let made = survey_plan(&session, &workspace, &memory, live).await.unwrap();
        connection.close().await.unwrap();
        let (actions, findings) = read(&made.surveyed.files);
        let header = made.surveyed.header;

        let workspace = Workspace::load(&path, Some(&state)).unwrap().with_last_schema().unwrap();
        let last = open_last_listing(&workspace, &journal).unwrap();
        assert!(last.is_there());
        let mut words = Vec::new();
        let mut asked = Vec::new();
        let mut table =
            csv::ReaderBuilder::new().flexible(true).from_path(dir.path().join("samples/hr_export.csv")).unwrap();
        for record in table.records() {
            let line = u32::try_from(record.unwrap().position().unwrap().line()).unwrap();
            asked.push(PersonQuery::Line { file: None, line });
        }
        let alone = findings.iter().filter(|finding| finding.source.is_none());
        asked.extend(alone.filter_map(|finding| Some(PersonQuery::Key(finding.account.as_ref()?.0.clone()))));
        let answers = look_for(&session, &workspace, &memory, &last, &asked).await.unwrap();
        for (whom, explained) in asked.iter().zip(&answers) {
            // The whole plan is the same, not only what is said of one person.
            assert_eq!((&explained.header.counts, &explained.header.held), (&header.counts, &header.held));
            words.push(as_planned(whom, explained, &actions, &findings));
        }
        let said = |word: &str| words.iter().filter(|said| *said == word).count() as u64;
        assert_eq!(said("unchanged"), header.counts.findings.unchanged);
        assert_eq!(said("excluded") + header.source.included, table_rows(&header));
        words
    })
}

fn table_rows(header: &crate::plan::file::PlanHeader) -> u64 {
    header.source.files.iter().map(|file| file.rows).sum()
}

fn read(files: &crate::plan::sidecar::PlanFiles) -> (Vec<Action>, Vec<Finding>) {
    let mut reader = PlanReader::new(BufReader::new(fs::File::open(&files.plan).unwrap())).unwrap();
    let actions = std::iter::from_fn(|| reader.next().unwrap()).collect();
    (actions, read_findings(&files.findings).unwrap().map(Result::unwrap).collect())
}

/// Exactly one person, and of that person exactly what the plan says.
fn as_planned(whom: &PersonQuery, explained: &PersonAnswer, actions: &[Action], findings: &[Finding]) -> String {
    let [person] = explained.people.as_slice() else { panic!("{whom:?}: {:?}", explained.people) };
    let place = person.row.as_ref().map(|row| &row.source);
    let account = person.account.as_ref().filter(|_| place.is_none()).map(|account| &account.id);
    let is_it = |source: Option<&crate::plan::SourceLine>, id: Option<&crate::model::AccountId>| match place {
        Some(_) => source == place,
        None => source.is_none() && id == account,
    };
    let action = actions.iter().find(|action| is_it(action.source.as_ref(), action.account.as_ref()));
    let finding = findings.iter().find(|finding| is_it(finding.source.as_ref(), finding.account.as_ref()));
    assert_eq!((person.action.as_ref(), person.finding.as_ref()), (action, finding), "{whom:?}");
    if let Some(action) = action {
        assert_eq!((&person.key, person.account.as_ref().map(|a| &a.id)), (&action.key, action.account.as_ref()));
        assert_eq!(person.matching.by, action.matched);
    }
    person.decision.name().to_owned()
}

#[test]
fn everybody_of_the_sample_is_explained_as_the_plan_decides() {
    let words = explained_as_planned("config.toml");
    for word in ["create", "update", "reactivate", "deactivate", "unchanged", "drift", "invalid", "skipped", "absent"] {
        assert!(words.iter().any(|said| said == word), "{word}: {words:?}");
    }
    assert!(words.len() > 256);
}

#[test]
fn everybody_of_the_other_samples_is_explained_as_the_plan_decides() {
    for config in ["samples/scim.toml", "samples/brightpattern.toml"] {
        assert!(explained_as_planned(config).len() > 256, "{config}");
    }
}
