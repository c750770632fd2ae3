//! `headcount runs`, `show` and `report`: what was done, in every form.

use std::io::Read;
use std::process::Stdio;

use serde_json::Value;

use crate::support::{Project, Ran, Tenant, row, three_accounts, three_rows};

/// A tenant, and a project with one run: cy was made, bo changed.
fn done() -> (Tenant, Project, String) {
    let tenant = three_accounts();
    let project = tenant.project(&three_rows());
    let run = project.sync(0)["run"].as_str().unwrap().to_owned();
    (tenant, project, run)
}

#[test]
fn runs_lists_what_there_was() {
    let (_tenant, project, run) = done();
    let second = project.sync(0)["run"].as_str().unwrap().to_owned();
    let ran = project.run(&["runs"]);
    ran.expect(0).says(&[&run, &second, "sync", "acme", "complete"]);
    let json: Value = serde_json::from_str(&project.run(&["--format", "json", "runs"]).stdout).unwrap();
    let runs = json["runs"].as_array().unwrap();
    assert_eq!(runs.len(), 2);
    assert_eq!(runs[0]["run"], run.as_str());
    assert_eq!(runs[0]["applied"], 2);
    assert_eq!(runs[0]["state"], "complete");
    assert_eq!(runs[1]["applied"], 0);
    assert_eq!((&runs[0]["outcome"], &runs[0]["planned"]["update"]), (&"complete".into(), &1.into()));
    assert_eq!((&runs[0]["applied_by_kind"]["create"], &runs[0]["found"]["unchanged"]), (&1.into(), &1.into()));
    assert_eq!(
        (&runs[0]["resumed"], &runs[0]["only"], &runs[0]["limit"]),
        (&0.into(), &serde_json::json!([]), &Value::Null)
    );
    assert!(runs[0]["requests"]["total"].as_u64() > Some(3) && runs[0]["elapsed_seconds"].is_number());
    assert!(runs[0]["started_at"].as_str() <= runs[0]["ended_at"].as_str() && runs[0]["ended_at"].is_string());
    for file in ["plan", "findings", "summary"] {
        assert!(project.path(runs[0]["files"][file].as_str().unwrap()).is_file(), "{file}");
    }
}

#[test]
fn before_the_first_run_there_are_none_and_nothing_is_made() {
    let project = Project::small("");
    project.run(&["runs"]).expect(0).says(&["No runs yet"]);
    assert!(!project.path(".headcount").exists());
    project.run(&["show", "last"]).expect(1).says(&["no runs yet", "headcount sync"]);
    project.run(&["report", "last"]).expect(1).says(&["no runs yet"]);
    assert!(!project.path(".headcount").exists());
}

#[test]
fn show_has_every_account_that_the_run_touched() {
    let (_tenant, project, run) = done();
    for name in [run.as_str(), "last"] {
        let ran = project.run(&["show", name]);
        ran.expect(0).says(&[
            &run,
            "create",
            "cy",
            "update",
            "bo",
            "last_name: Li → Lindqvist",
            "account 2 by login_id",
        ]);
    }
    let json: Value = serde_json::from_str(&project.run(&["--format", "json", "show", &run]).stdout).unwrap();
    assert_eq!(json["summary"]["run"], run.as_str());
    let entries = json["entries"].as_array().unwrap();
    assert_eq!(entries.len(), 2);
    for entry in entries {
        assert!(entry["key"].is_string() && entry["account"].is_string() && entry["source"]["line"].is_number());
        assert!(entry["outcome"]["result"] == "applied" && entry["outcome"]["at"].is_string(), "{entry}");
        assert!(entry["changes"].as_array().unwrap().iter().all(|change| change.get("to").is_some()));
    }
}

#[test]
fn a_run_that_there_is_not_is_said_with_where_to_look() {
    let (_tenant, project, _) = done();
    for command in ["show", "report"] {
        project
            .run(&[command, "20200101T000000Z-000000"])
            .expect(1)
            .says(&["no run 20200101T000000Z-000000", "headcount runs"]);
        project.run(&[command, "nonsense"]).expect(1).says(&["no run nonsense", "headcount runs"]);
    }
}

#[test]
fn a_report_of_a_run_reads_in_every_form() {
    let (_tenant, project, run) = done();
    let report = |form: &str| {
        let ran = project.run(&["report", &run, "--as", form]);
        ran.expect(0);
        assert_eq!(ran.stderr, "");
        ran.stdout
    };
    assert_eq!(report("text"), project.run(&["report", &run]).stdout);
    assert!(report("text").contains("last_name: Li → Lindqvist"));

    let markdown = report("markdown");
    assert!(markdown.starts_with("## ") && markdown.contains("| + | create |"), "{markdown}");
    for table in markdown.split("\n\n").filter(|block| block.starts_with('|')) {
        let widths: Vec<usize> = table.lines().map(|line| line.matches('|').count()).collect();
        assert!(widths.iter().all(|width| *width == widths[0]), "{table}");
    }

    let html = report("html");
    assert!(html.starts_with("<!doctype html>") && html.contains("<bdi class=\"to\">Lindqvist</bdi>"), "{html}");

    let json: Value = serde_json::from_str(&report("json")).unwrap();
    assert_eq!((&json["of"], &json["summary"]["outcome"]), (&"run".into(), &"complete".into()));
    let entries = json["entries"].as_array().unwrap();
    assert!(entries.iter().all(|entry| entry["outcome"]["result"] == "applied" && entry["outcome"]["at"].is_string()));

    let csv = report("csv");
    let mut table = csv::Reader::from_reader(csv.as_bytes());
    let columns = table.headers().unwrap().clone();
    let rows: Vec<csv::StringRecord> = table.records().map(Result::unwrap).collect();
    let at = |name: &str| columns.iter().position(|column| column == name).unwrap();
    let update: Vec<_> = rows.iter().filter(|row| &row[at("key")] == "bo").collect();
    assert_eq!(update.len(), 1);
    assert_eq!((&update[0][at("from")], &update[0][at("to")]), ("Li", "Lindqvist"));
    assert_eq!((&update[0][at("file")], &update[0][at("line")]), ("people.csv", "3"));
    // One line for each value of the new account.
    assert_eq!(rows.iter().filter(|row| &row[at("action_or_finding")] == "create").count(), 6);
}

#[test]
fn a_report_of_a_plan_is_found_by_file_and_by_name() {
    let tenant = three_accounts();
    let project = tenant.project(&three_rows());
    let name = project.plan()["run"].as_str().unwrap().to_owned();
    let by_file = project.run(&["report", "plan.jsonl"]);
    by_file.expect(0).says(&["planned, nothing was changed", "Lindqvist"]);
    assert_eq!(project.run(&["report", &name]).stdout, by_file.stdout);
    let json: Value = serde_json::from_str(&project.run(&["report", &name, "--as", "json"]).stdout).unwrap();
    assert_eq!(json["of"], "plan");
    project.write("plan.jsonl", project.read("plan.jsonl").replace("Lindqvist", "Mallory"));
    project.run(&["report", "plan.jsonl"]).expect(1).says(&["plan.jsonl", "edited"]);
}

#[test]
fn a_report_goes_to_a_private_file_where_one_is_named() {
    let (_tenant, project, run) = done();
    let ran = project.run(&["report", &run, "--as", "csv", "-o", "report.csv"]);
    ran.expect(0);
    assert_eq!(ran.stdout, "");
    assert_eq!(project.mode("report.csv"), 0o600);
    assert_eq!(project.read("report.csv"), project.run(&["report", &run, "--as", "csv"]).stdout);
    project.run(&["report", &run, "-o", "no/such/report"]).expect(1).says(&["no/such", "-o"]);
}

#[test]
fn a_form_that_there_is_not_is_wrong_usage() {
    let (_tenant, project, run) = done();
    project.run(&["report", &run, "--as", "makdown"]).expect(2).says(&["makdown", "markdown"]);
}

#[test]
fn the_report_that_the_configuration_asks_for_is_written() {
    let tenant = three_accounts();
    let project = tenant.project(&three_rows());
    let text = project.read("config.toml") + "\n[report]\nmarkdown = \"reports/{run}.md\"\nredact = [\"last_name\"]\n";
    project.write("config.toml", text);
    let run = project.sync(0)["run"].as_str().unwrap().to_owned();
    let report = project.read(&format!("reports/{run}.md"));
    assert!(report.contains("<code>cy</code>"), "{report}");
    assert!(!report.contains("Lindqvist") && !report.contains("Young"), "{report}");
    assert_eq!(project.mode(&format!("reports/{run}.md")), 0o600);
}

#[test]
fn a_page_stands_beside_the_runs_before_it() {
    let tenant = three_accounts();
    let project = tenant.project(&three_rows());
    let add = |table: &str| project.write("config.toml", project.read("config.toml") + table);
    add("\n[report]\nhtml = \"reports/{run}.html\"\nredact = [\"last_name\"]\n");
    let first = project.sync(0)["run"].as_str().unwrap().to_owned();
    let page = project.read(&format!("reports/{first}.html"));
    assert!(page.contains("<b id=\"n-join\">1</b>") && !page.contains("Compared with previous runs"), "{page}");
    assert!(!page.contains("Lindqvist") && !page.contains("Young"), "{page}");
    assert_eq!(project.mode(&format!("reports/{first}.html")), 0o600);

    project.people(&[three_rows(), row("E9", "zoe", "Zoë", "Ek")].concat());
    let second = project.sync(0)["run"].as_str().unwrap().to_owned();
    let of_first = format!("<tr><th scope=\"row\"><bdi>{first}</bdi></th>");
    for page in
        [project.read(&format!("reports/{second}.html")), project.run(&["report", "last", "--as", "html"]).stdout]
    {
        assert!(page.contains("Compared with previous runs") && page.contains(&of_first), "{page}");
        assert!(page.contains(&format!("<bdi>{second}</bdi> (this run)")) && page.contains("last run: 1"), "{page}");
    }
    // A plan that nobody has executed stands beside both; an earlier run only beside those before it.
    project.people(&[three_rows(), row("E9", "zoe", "Zoë", "Ek"), row("E10", "kim", "Kim", "Oh")].concat());
    let plan = project.json(&["plan"]).1["run"].as_str().unwrap().to_owned();
    let page = project.run(&["report", &plan, "--as", "html"]).stdout;
    assert!(page.contains(&of_first) && page.contains(&format!("<bdi>{plan}</bdi> (this plan)")), "{page}");
    assert!(!project.run(&["report", &first, "--as", "html"]).stdout.contains("Compared with previous runs"));
}

#[test]
fn a_report_that_cannot_be_written_leaves_the_run_as_it_is_and_says_so() {
    let tenant = three_accounts();
    let project = tenant.project(&three_rows());
    // A folder of this name cannot be made.
    project.write("reports", "a file");
    let text = "\n[report]\nhtml = \"reports/{run}.html\"\nmarkdown = \"{run}.md\"\n";
    project.write("config.toml", project.read("config.toml") + text);
    let (ran, summary) = project.json(&["sync", "--yes"]);
    let run = summary["run"].as_str().unwrap();
    ran.expect(0).says(&[&format!("reports/{run}.html is not written"), &format!("headcount report {run} --as html")]);
    assert_eq!(summary["outcome"], "complete");
    assert!(project.read(&format!("{run}.md")).contains("<code>cy</code>"), "the other one is");
    project.run(&["report", run, "--as", "html", "-o", "page.html"]).expect(0);
    assert!(project.read("page.html").contains("Lindqvist"));
}

/// Runs with a reader that is gone before anything is written.
fn without_a_reader(project: &Project, args: &[&str]) -> Ran {
    let mut child = project.command(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    Ran::of(child.wait_with_output().unwrap())
}

#[test]
fn a_reader_that_has_gone_is_no_error() {
    let tenant = Tenant::sample();
    let project = tenant.connect(Project::sample());
    project.sync(0);
    let long = ["report", "last", "--as", "json"];
    for args in [
        &["show", "last"][..],
        &["runs"],
        &long,
        &["--format", "json", "show", "last"],
        &["completions", "bash"],
        &["man"],
        &["check"],
        &["plan"],
    ] {
        let ran = without_a_reader(&project, &[args, &["--no-progress"]].concat());
        assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{args:?}");
    }
}

#[test]
fn a_reader_that_takes_one_line_is_enough() {
    let tenant = Tenant::sample();
    let project = tenant.connect(Project::sample());
    project.sync(0);
    let mut child = project.command(&["show", "last"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut first = [0; 4];
    let mut stdout = child.stdout.take().unwrap();
    stdout.read_exact(&mut first).unwrap();
    drop(stdout);
    assert_eq!(&first, b"run ");
    let ran = Ran::of(child.wait_with_output().unwrap());
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
}

#[test]
fn output_that_cannot_be_written_is_an_error() {
    let (_tenant, project, _) = done();
    let full = || std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    for args in
        [&["show", "last"][..], &["runs"], &["report", "last", "--as", "csv"], &["man"], &["completions", "zsh"]]
    {
        let output = project.command(args).stdout(full()).output().unwrap();
        let ran = Ran::of(output);
        ran.expect(1).says(&["the output cannot be written", "No space left"]);
    }
}
