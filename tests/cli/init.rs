//! `init` over exports as six products write them, and over such as nobody should write.

use std::fmt::Write;
use std::path::Path;

use crate::support::{Project, Ran, counts, fed};

/// An export in a folder that has nothing else.
pub fn export(name: &str, content: impl AsRef<[u8]>) -> Project {
    let project = Project::empty();
    project.write(name, content);
    project
}

/// The fixture of a product.
fn fixture(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli/init_exports").join(name);
    std::fs::read_to_string(path).unwrap()
}

fn latin(text: &str) -> Vec<u8> {
    text.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect()
}

/// The words of the configuration, without comments.
pub fn settings(project: &Project) -> toml::Table {
    toml::from_str(&project.read("config.toml")).unwrap()
}

/// Runs `init` and judges the dry run: everybody who is in use is created, and every row can be used.
#[track_caller]
pub fn creates(project: &Project, args: &[&str], people: u64) -> Ran {
    let (ran, summary) = project.json(&[&["init", "--yes"], args].concat());
    ran.expect(0);
    assert_eq!(
        counts(&summary, "planned"),
        format!("create {people}"),
        "{}\n{}",
        ran.stderr,
        project.read("config.toml")
    );
    assert_eq!((&summary["command"], &summary["found"]["invalid"]), (&"init".into(), &0.into()), "{}", ran.stderr);
    assert_eq!(summary["found"]["conflict"], 0);
    ran
}

/// People in use: of the eight people of each fixture one has left and one is not here yet.
const PRODUCTS: [(&str, &str, u64); 6] = [
    ("workday.csv", "Workday", 7),
    ("successfactors.csv", "SAP SuccessFactors", 7),
    ("bamboohr.csv", "BambooHR", 7),
    ("personio.csv", "Personio", 6),
    ("adp.csv", "ADP", 7),
    ("plain.csv", "", 6),
];

#[test]
fn the_exports_of_six_products_become_accounts_in_every_system() {
    for (name, product, people) in PRODUCTS {
        for kind in ["imichat", "brightpattern", "scim"] {
            let project = export(name, fixture(name));
            let ran = creates(&project, &["--kind", kind, name], people);
            if !product.is_empty() {
                ran.says(&[&format!("Its columns are those of {product}.")]);
            }
            let config = settings(&project);
            assert_eq!(config["target"]["kind"].as_str(), Some(kind));
            assert!(config["source"].get("identity").is_some(), "{name}");
        }
    }
}

#[test]
fn what_init_wrote_is_what_plan_and_sync_read() {
    let project = export("personio.csv", latin(&fixture("personio.csv")));
    creates(&project, &["personio.csv"], 6).says(&["windows-1252", "semicolons"]);
    assert_eq!(counts(&project.plan(), "planned"), "create 6");
    assert_eq!(counts(&project.sync(0), "applied"), "create 6");
    assert_eq!(counts(&project.sync(0), "planned"), "");
}

#[test]
fn the_sample_is_recognised_with_the_table_of_its_teams() {
    let project = Project::sample();
    let ran = project.run(&["init", "--yes", "--force", "samples/hr_export.csv"]);
    ran.expect(0)
        .says(&["The ids of the teams are taken from samples/teams.csv.", "E-mail", "248 of 250"].as_slice()[..1]);
    let config = settings(&project);
    assert_eq!(config["lookup"]["teams"]["key"].as_str(), Some("team_name"));
    assert_eq!(config["source"]["include"].as_str(), Some("status != 'Applicant'"));
    assert_eq!(config["map"]["privileges"][0]["teamid"].as_str(), Some("{{ team | lookup('teams', 'team_id') }}"));
    assert_eq!(config["map"]["privileges"][0]["role"].as_str(), Some("{{ role }}"));
}

#[test]
fn the_written_configuration_is_as_it_is_meant_to_be_read() {
    let project = export("personio.csv", latin(&fixture("personio.csv")));
    project.run(&["init", "--yes", "personio.csv"]).expect(0);
    let written = project.read("config.toml");
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli/init_exports/personio.toml");
    if std::env::var_os("HEADCOUNT_KEEP").is_some() {
        std::fs::write(&kept, &written).unwrap();
    }
    assert_eq!(written, std::fs::read_to_string(kept).unwrap(), "HEADCOUNT_KEEP=1 keeps the new one");
}

#[test]
fn encodings_and_delimiters_are_found_out() {
    let text = "Personalnummer;Vorname;Nachname;E-Mail;Status\n1;Jörg;Müller;joerg@example.com;aktiv\n\
                2;Zoë;Groß;zoe@example.com;ausgetreten\n3;Ana;Díaz;ana@example.com;aktiv\n";
    let utf16: Vec<u8> = std::iter::once(0xFEFF).chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    let no_mark: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
    let tabs = text.replace(';', "\t");
    let marked = format!("\u{feff}{}", text.replace(';', ","));
    let files: [(&str, Vec<u8>); 7] = [
        ("semicolon.csv", text.into()),
        ("latin.csv", latin(text)),
        ("utf16.csv", utf16),
        ("utf16be.csv", no_mark),
        ("people.tsv", tabs.clone().into()),
        ("tabs.csv", tabs.into()),
        ("mark.csv", marked.into()),
    ];
    for (name, bytes) in files {
        let project = export(name, bytes);
        creates(&project, &[name], 2);
        assert!(project.read("config.toml").contains("Status in ['ausgetreten']"), "{name}");
    }
}

#[test]
fn a_letter_that_is_no_utf_8_far_down_in_the_file_is_found_too() {
    let mut text = String::from("Employee ID,First Name,Work Email\n");
    for n in 0..900 {
        writeln!(text, "{n},Ana {},ana{n}@example.com", "Margarita ".repeat(33)).unwrap();
    }
    let mut bytes = text.into_bytes();
    assert!(bytes.len() > 300_000);
    bytes.extend(latin("901,Zoë,zoe@example.com\n"));
    let project = export("hr.csv", bytes);
    creates(&project, &["hr.csv"], 901);
    assert_eq!(settings(&project)["source"]["encoding"].as_str(), Some("windows-1252"));
}

#[test]
fn an_address_alone_and_a_name_in_one_column_are_enough() {
    let project = export("hr.csv", "Name,Email\n\"Diaz, Ana\",ana@example.com\n\"Li, Bo\",bo@example.com\n");
    creates(&project, &["hr.csv"], 2).says(&["written \"Last, First\""]);
    project.plan();
    let first = project.actions().into_iter().find(|action| action["key"] == "ana").unwrap();
    let changes = first["changes"].to_string();
    assert!(changes.contains(r#""to":"Ana""#) && changes.contains(r#""to":"Diaz""#), "{changes}");
}

#[test]
fn what_is_no_export_is_refused_with_the_reason_and_nothing_is_written() {
    let refused: [(&str, &[u8], &str); 8] = [
        ("empty.csv", b"", "the file is empty"),
        ("names.csv", b"employee_id,email\n", "no row that can be read"),
        ("binary.csv", b"PK\x03\x04\x14\0\0\0", "not text"),
        ("nul.csv", b"id,name\n1,\0\0\0\n", "NUL byte"),
        ("twice.csv", b"id,email,email\n1,a@x.org,b@x.org\n", "is in the header twice: columns 2 and 3"),
        ("headless.csv", b"1,Ana,ana@example.com\n2,Bo,bo@example.com\n", "there is no header"),
        ("colours.csv", b"colour,shape\nred,round\nred,round\n", "no column tells people apart"),
        ("unnamed.csv", b"id,email,\n1,a@x.org,\n2,b@x.org,\n", "without a name in the header"),
    ];
    for (name, bytes, reason) in refused {
        let project = export(name, bytes);
        project.run(&["init", "--yes", name]).expect(1).says(&[reason]);
        assert!(!project.path("config.toml").exists() && !project.path(".headcount").exists(), "{name}");
    }
    let project = Project::empty();
    std::fs::create_dir(project.path("folder")).unwrap();
    project.run(&["init", "--yes", "folder"]).expect(1).says(&["this is a folder"]);
    project.run(&["init", "--yes", "missing.csv"]).expect(1).says(&["there is no such file"]);
    project.run(&["init", "--yes", "-"]).expect(2).says(&["init needs a file"]);
}

#[test]
fn a_file_that_is_there_is_written_over_only_when_somebody_says_so() {
    let project = export("hr.csv", fixture("plain.csv"));
    project.write("config.toml", "mine");
    project.run(&["init", "--yes", "hr.csv"]).expect(1).says(&["config.toml exists already", "--force"]);
    project.run(&["init", "hr.csv"]).expect(1).says(&["config.toml exists already"]);
    assert_eq!(project.read("config.toml"), "mine");
    project.run(&["init", "--yes", "hr.csv", "-c", "other.toml"]).expect(0);
    assert!(project.path(".headcount-other").is_dir() && !project.path(".headcount").exists());
    project.run(&["init", "--yes", "--force", "hr.csv"]).expect(0);
    assert!(project.read("config.toml").contains("[map]"));
    assert_eq!(project.mode("config.toml"), 0o644);
}

#[test]
fn without_a_terminal_nothing_is_taken_silently() {
    let project = export("hr.csv", fixture("plain.csv"));
    let ran = fed(project.command(&["init", "hr.csv"]), b"\n\n\n");
    ran.expect(1).says(&["there is no terminal to ask", "--yes accepts the proposals"]);
    assert!(!project.path("config.toml").exists());
}

#[test]
fn what_nothing_in_the_export_gives_is_marked_in_the_file_and_said() {
    let project = export("hr.csv", "Employee ID,First Name\nE1,Ana\nE2,Bo\n");
    let ran = project.run(&["init", "--yes", "hr.csv"]);
    ran.expect(1).says(&["must be filled in", "email_id", "FILL IN"]);
    assert!(project.read("config.toml").contains(">>> FILL IN: email_id"));
    let text = project.read("config.toml").replace("# email_id = \"…\"", "email_id = \"{{ First }}@example.com\"");
    project.write("config.toml", text.replace("{{ First }}", "{{ row['First Name'] | lower }}"));
    assert_eq!(counts(&project.plan(), "planned"), "create 2");
}

#[test]
fn columns_and_values_with_any_sign_make_a_configuration_that_works() {
    let project = export(
        "hr.csv",
        "\"Employee ID\",\"Work Email\",\"it's \"\"a\"\" \\ name\",Status,if\n\
         1,ana@example.com,x,\"it's \"\"gone\"\" \\ left\",y\n2,bo@example.com,x,Active,y\n3,cy@example.com,x,Terminated,y\n",
    );
    creates(&project, &["hr.csv"], 2);
}

#[test]
fn what_only_the_last_of_many_rows_says_is_known() {
    let mut text = String::from("Employee ID,First Name,Last Name,Work Email,Status\n");
    for n in 0..12_000 {
        // So many leavers that the plan is short.
        let status = match n {
            11_999 => "Verstorben",
            1_000.. => "Terminated",
            _ => "Active",
        };
        writeln!(text, "{n},Ana,Diaz,ana{n}@example.com,{status}").unwrap();
    }
    let project = export("hr.csv", text);
    // Only the first 10,000 are looked at closely.
    creates(&project, &["hr.csv"], 1_000).says(&["all 12000 different", "left: Terminated 10999, Verstorben 1"]);
}
