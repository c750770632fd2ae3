//! `init` over exports that are no plain text, and over such as only look like one.

use crate::init::{creates, export, settings};
use crate::sheets::{encrypted, gzip, jsonl, ods, xlsx, zstd};
use crate::support::{Project, counts};

const PEOPLE: &str = "Employee ID,First Name,Last Name,Work Email,Job Title,Employment Status\n\
                      00017,Ana,Díaz,ana@example.com,Agent,Active\n00018,Bo,Li,bo@example.com,Lead,Active\n\
                      00019,Cy,Young,cy@example.com,Agent,Terminated\n";

/// Runs `init`, and then what it wrote.
#[track_caller]
fn works(project: &Project, file: &str) -> toml::Table {
    creates(project, &[file], 2);
    assert_eq!(counts(&project.plan(), "planned"), "create 2");
    let config = settings(project);
    assert_eq!(config["source"]["identity"].as_str(), Some("Employee ID"), "{file}");
    assert_eq!(config["source"]["path"].as_str(), Some(file));
    config
}

#[test]
fn workbooks() {
    for (name, bytes) in [("people.xlsx", xlsx(&[("Staff", PEOPLE)])), ("people.ods", ods(&[("Staff", PEOPLE)]))] {
        let project = export(name, bytes);
        let config = works(&project, name);
        assert!(config["source"].get("sheet").is_none() && config["source"].get("delimiter").is_none());
        let text = project.read("config.toml");
        assert!(text.contains("# sheet") && !text.contains("delimiter") && !text.contains("encoding"), "{text}");
        assert!(project.actions().iter().any(|action| action["identity"] == "00017"), "zeros in front stay");
    }
}

#[test]
fn a_workbook_with_titles_above_its_names() {
    let titled = format!("Staff of Acme\n,\nmade today,,by HR\n{PEOPLE}");
    for (name, bytes) in [("people.xlsx", xlsx(&[("Staff", &titled)])), ("people.ods", ods(&[("Staff", &titled)]))] {
        let project = export(name, bytes);
        let line = 4;
        project.run(&["init", "--yes", name]).expect(0).says(&[&format!("names on line {line}")]);
        assert_eq!(settings(&project)["source"]["header_row"].as_integer(), Some(line));
    }
}

#[test]
fn of_several_sheets_the_one_with_the_people_is_proposed_and_named() {
    let notes = "Note\nthis is the export\nmade by HR\n";
    let old = "Employee ID,Work Email\n1,x@example.com\n";
    let sheets = [("Read me", notes), ("Old", old), ("Staff \"2026\"", PEOPLE)];
    for (name, bytes) in [("people.xlsx", xlsx(&sheets)), ("people.ods", ods(&sheets))] {
        let project = export(name, bytes);
        let said = ["sheet \"Staff \"2026\"\"", "\"Read me\", \"Old\", \"Staff \"2026\"\"", "--sheet names another"];
        project.run(&["init", name]).expect(1).says(&said).says(&["there is no terminal to ask"]);
        assert!(!project.path("config.toml").exists());
        creates(&project, &[name], 2);
        assert_eq!(settings(&project)["source"]["sheet"].as_str(), Some("Staff \"2026\""));
        assert_eq!(counts(&project.plan(), "planned"), "create 2");
        creates(&project, &["--force", "--sheet", "Old", name], 1);
        assert_eq!(settings(&project)["source"]["sheet"].as_str(), Some("Old"));
        let ran = project.run(&["init", "--yes", "--force", "--sheet", "staff", name]);
        ran.expect(1)
            .says(&["there is no sheet \"staff\"; there is \"Read me\", \"Old\"", "--sheet names one of them"]);
    }
    let project = export("people.xlsx", xlsx(&[("A", "x\n1\n"), ("B", "y\n\n")]));
    let ran = project.run(&["init", "--yes", "people.xlsx"]);
    ran.expect(1).says(&["none of its sheets looks like a list of people: A, B", "--sheet NAME"]);
    assert!(!project.path("config.toml").exists());
}

#[test]
fn json_lines() {
    let project = export("people.jsonl", jsonl(PEOPLE));
    let config = works(&project, "people.jsonl");
    assert!(config["source"].get("header_row").is_none() && config["source"].get("delimiter").is_none());
    // Values of the first line look like no names of columns, and need not.
    let latin = encoding_rs::WINDOWS_1252.encode(&jsonl(PEOPLE)).0.into_owned();
    let project = export("people.ndjson", latin);
    assert_eq!(works(&project, "people.ndjson")["source"]["encoding"].as_str(), Some("windows-1252"));
    let nested =
        "{\"Employee ID\":\"1\",\"name\":{\"First Name\":\"Ana\",\"Last Name\":\"Diaz\"},\"Work Email\":\"a@x.org\"}\n";
    let project = export("people.jsonl", nested);
    creates(&project, &["people.jsonl"], 1);
}

#[test]
fn packed_exports_with_delimiters_and_encodings_of_their_own() {
    let semicolons = PEOPLE.replace(',', ";");
    let latin = encoding_rs::WINDOWS_1252.encode(&semicolons).0.into_owned();
    for (name, bytes) in
        [("people.csv.gz", gzip(&latin)), ("people.csv.zst", zstd(&latin)), ("people.csv", gzip(&latin))]
    {
        let project = export(name, bytes);
        let config = works(&project, name);
        assert_eq!(config["source"]["delimiter"].as_str(), Some(";"), "{name}");
        assert_eq!(config["source"]["encoding"].as_str(), Some("windows-1252"), "{name}");
    }
    let tabs = PEOPLE.replace(',', "\t");
    for (name, bytes) in [("people.tsv", tabs.clone().into_bytes()), ("people.tsv.gz", gzip(tabs.as_bytes()))] {
        let project = export(name, bytes);
        assert!(works(&project, name)["source"].get("delimiter").is_none(), "{name}");
    }
    for (name, bytes) in [
        ("people.jsonl.gz", gzip(jsonl(PEOPLE).as_bytes())),
        ("people.xlsx.gz", gzip(&xlsx(&[("Staff", PEOPLE)]))),
        ("people.ods.zst", zstd(&ods(&[("Staff", PEOPLE)]))),
    ] {
        works(&export(name, bytes), name);
    }
}

#[test]
fn what_is_no_export_is_refused_with_the_reason_and_nothing_is_written() {
    let packed = gzip(PEOPLE.as_bytes());
    let headless = "00017,Ana,ana@example.com\n00018,Bo,bo@example.com\n";
    let refused: [(&str, Vec<u8>, &[&str]); 13] = [
        ("empty.xlsx", xlsx(&[("Sheet1", "")]), &["the file is empty", "make it again"]),
        ("empty.ods", ods(&[("Sheet1", "")]), &["the file is empty"]),
        ("names.xlsx", xlsx(&[("Sheet1", "Employee ID,Email\n")]), &["no row that can be read"]),
        ("renamed.xlsx", PEOPLE.into(), &["not a workbook but text, such as CSV", "the name of its format"]),
        ("renamed.ods", xlsx(&[("Staff", PEOPLE)]), &["it is an xlsx file by what is in it"]),
        ("renamed.csv", xlsx(&[("Staff", PEOPLE)]), &["not text"]),
        ("locked.xlsx", encrypted(), &["encrypted with a password", "save it without a password"]),
        ("headless.xlsx", xlsx(&[("Staff", headless)]), &["headless.xlsx:1", "there is no header", "00017, Ana"]),
        ("headless.ods", ods(&[("Staff", headless)]), &["headless.ods:1", "there is no header"]),
        ("list.jsonl", b"[{\"id\":1}]".to_vec(), &["this is a JSON list", "jq -c"]),
        ("nothing.jsonl", b"nothing\n".to_vec(), &["no line of the file is a JSON object"]),
        (
            "cut.csv.gz",
            packed[..packed.len() - 9].to_vec(),
            &["the gzip file ends before its content does", "cut short"],
        ),
        ("plain.csv.gz", PEOPLE.into(), &["its name says gzip, but its content is not packed"]),
    ];
    for (name, bytes, reasons) in refused {
        let project = export(name, bytes);
        project.run(&["init", "--yes", name]).expect(1).says(reasons).says(&[name]);
        assert!(!project.path("config.toml").exists() && !project.path(".headcount").exists(), "{name}");
    }
}
