//! The documents are what the data says, and what stands in them and beside them is right.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::*;
use crate::config::reference::templates::{FILTERS, USUAL};
use crate::config::reference::{json_schema, markdown};
use crate::config::sections::default_of;
use crate::discovery;
use crate::mapping::spec::{Blank, Entry, Expression, Located, MapSpec, On};
use crate::mapping::{Creates, Lookup, Lookups, Mapping, Options};
use crate::model::{Attribute, Columns, Kind, Record, Schema, Wanted};

/// Writes the documents anew where it is set.
const WRITE: &str = "HEADCOUNT_WRITE_REFERENCE";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

#[track_caller]
fn is_committed(name: &str, text: &str) {
    let path = root().join("docs").join(name);
    if std::env::var_os(WRITE).is_some() {
        fs::write(&path, text).unwrap();
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    let line = committed.lines().zip(text.lines()).position(|(a, b)| a != b);
    assert!(
        committed == text,
        "docs/{name} is not what src/config/reference makes, from line {:?} on: write it with\n  \
         {WRITE}=1 cargo test --lib config::reference",
        line.map(|line| line + 1)
    );
}

#[test]
fn the_page_for_people_is_committed_as_it_is_made() {
    is_committed("configuration.md", &markdown());
}

#[test]
fn the_schema_for_editors_is_committed_as_it_is_made_and_is_one() {
    is_committed("config.schema.json", &json_schema());
    jsonschema::meta::validate(&SCHEMA).unwrap_or_else(|error| panic!("{error}"));
}

fn heading_anchors(page: &str) -> BTreeSet<String> {
    let headings = page
        .lines()
        .filter_map(|line| line.trim_start_matches('#').strip_prefix(' ').filter(|_| line.starts_with('#')));
    let mut anchors = BTreeSet::new();
    for heading in headings {
        let kept = heading.chars().filter(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | ' '));
        let anchor: String = kept.map(|c| if c == ' ' { '-' } else { c.to_ascii_lowercase() }).collect();
        // A heading that stands there twice gets a number.
        let again = (1..).map(|n| format!("{anchor}-{n}")).find(|numbered| !anchors.contains(numbered)).unwrap();
        if !anchors.insert(anchor) {
            anchors.insert(again);
        }
    }
    anchors
}

#[test]
fn every_link_of_the_page_leads_somewhere_and_every_setting_has_its_heading() {
    let page = markdown();
    let anchors = heading_anchors(&page);
    let links: Vec<&str> = page.split("](#").skip(1).filter_map(|rest| rest.split(')').next()).collect();
    assert!(links.len() > 60, "only {} links", links.len());
    for link in links {
        assert!(anchors.contains(link), "#{link} leads nowhere");
    }
    for place in places().iter().filter(|place| place.path.len() == 2) {
        assert!(page.contains(&format!("# `{}`\n", place.name())), "{}", place.name());
    }
    assert!(!json_schema().contains("](#"), "a link in what an editor shows");
    let long: Vec<_> = page.lines().filter(|line| line.chars().count() > 130).collect();
    assert!(long.iter().all(|line| line.starts_with('|') || line.contains("](http")), "{long:?}");
}

/// The blocks of TOML in a page.
fn blocks(page: &str) -> Vec<String> {
    let lines = |block: &str| {
        let indent =
            block.lines().find(|line| !line.trim().is_empty()).map_or(0, |line| line.len() - line.trim_start().len());
        block.lines().map(|line| line.get(indent..).unwrap_or_default().to_owned() + "\n").collect()
    };
    page.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next()).map(lines).collect()
}

/// Every page that may have settings in it.
fn pages() -> Vec<PathBuf> {
    let mut pages = vec![root().join("README.md")];
    let mut folders = vec![root().join("docs")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "md") {
                pages.push(path);
            }
        }
    }
    pages
}

/// The file with what a whole configuration has besides.
fn completed(mut file: Table) -> Table {
    let kind = file.get("target").and_then(|target| target.get("kind")).and_then(Value::as_str).unwrap_or("scim");
    for (name, section) in least(kind) {
        let there = file.entry(name).or_insert_with(|| Table::new().into()).as_table_mut().unwrap();
        let is_map = section.as_table().is_some_and(|section| section.contains_key("login_id"));
        for (key, value) in section.as_table().unwrap() {
            if !is_map || there.is_empty() {
                there.entry(key.clone()).or_insert_with(|| value.clone());
            }
        }
    }
    file
}

#[track_caller]
fn is_right(file: &Table, whose: &str) {
    read(file).unwrap_or_else(|error| panic!("{whose}: {error:#}\n{file}"));
    assert_eq!(marks(file), [], "{whose}: an editor marks\n{file}");
}

#[test]
fn every_block_of_settings_in_the_pages_is_right_for_the_program_and_for_an_editor() {
    let sections: BTreeSet<&str> = all_sections().iter().map(|section| section.name).collect();
    let mut seen = 0;
    for page in pages() {
        for block in blocks(&fs::read_to_string(&page).unwrap()) {
            let whose = format!("{}:\n{block}", page.display());
            let file: Table = block.parse().unwrap_or_else(|error| panic!("{whose}{error}"));
            let known = file.keys().filter(|name| sections.contains(name.as_str())).count();
            // Faults for the sandbox, settings of an editor.
            if known == 0 {
                continue;
            }
            assert_eq!(known, file.len(), "{whose}");
            is_right(&completed(file), &whose);
            seen += 1;
        }
    }
    assert!(seen > 15, "only {seen}");
}

#[test]
fn every_example_of_the_reference_is_right() {
    let kinds = KINDS.iter().map(|kind| kind.example);
    for example in all_sections().iter().map(|section| section.example).chain(kinds) {
        is_right(&completed(example.parse().unwrap_or_else(|error| panic!("{example}{error}"))), example);
    }
}

#[test]
fn the_configurations_of_the_repository_are_right() {
    let samples = fs::read_dir(root().join("samples")).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> =
        samples.filter(|path| path.extension().is_some_and(|ending| ending == "toml")).collect();
    files.retain(|path| !path.ends_with("faults.toml"));
    files.push(root().join("config.toml"));
    assert!(files.len() > 3);
    for path in files {
        is_right(&fs::read_to_string(&path).unwrap().parse().unwrap(), &path.display().to_string());
    }
}

/// What `init` writes for a small export.
fn initialised(blueprint: &'static discovery::Blueprint) -> Table {
    let columns =
        Columns::new(["Employee ID", "First Name", "Last Name", "Work Email", "Status"].map(str::to_owned).to_vec());
    let mut sample = discovery::ExportSample::new(&columns);
    let mut record = Record::default();
    ["E1", "Ana", "Diaz", "ana.diaz@example.com", "Active"].iter().for_each(|cell| record.push(cell));
    sample.take(&record);
    let recognised = discovery::recognise(&sample.finish());
    let mut census = discovery::Census::new(&recognised);
    census.take(&record);
    let place = discovery::ExportPlace {
        source: "hr.csv".into(),
        header_row: 1,
        state: ".headcount".into(),
        ..discovery::ExportPlace::default()
    };
    let proposal =
        discovery::propose(blueprint, &recognised, &census, &place, None, &discovery::Answers::default()).unwrap();
    discovery::config_text(&proposal, &["imichat"]).parse().unwrap()
}

#[test]
fn what_init_writes_is_right_and_has_the_defaults_in_its_limits() {
    for kind in KINDS {
        let file = initialised(kind.blueprint);
        is_right(&file, "init");
        for section in ["policy", "safety", "rate", "journal", "passwords"] {
            // A target without passwords has no section for them.
            let settings = file.get(section).and_then(Value::as_table).into_iter().flatten();
            for (key, value) in settings.filter(|(key, _)| *key != "protect") {
                let default = default_of(section, key, None).and_then(toml_value);
                assert_eq!(Some(value), default.as_ref(), "{section}.{key}");
            }
        }
    }
}

/// What a file shows, also where it is switched off.
fn shown(name: &str) -> String {
    fs::read_to_string(root().join(name)).unwrap()
}

#[test]
fn the_samples_show_every_setting() {
    for section in all_sections() {
        for (kind, setting) in section.settings() {
            let name = match kind.map(|kind| kind.kind.name) {
                None | Some("imichat") => "config.toml",
                Some("brightpattern") => "samples/brightpattern.toml",
                Some(_) => "samples/scim.toml",
            };
            let text = shown(name);
            let section = text.split(&format!("\n[{}]", section.name)).nth(1).unwrap_or_else(|| panic!("{name}"));
            let section = section.split("\n[").next().unwrap();
            let words: BTreeSet<&str> = section.split(|c: char| !(c.is_alphanumeric() || c == '_')).collect();
            assert!(words.contains(setting.name), "{name} does not show {}", setting.name);
        }
    }
}

#[test]
fn mistakes_that_a_schema_can_see_are_marked_at_their_place() {
    let cases = [
        ("source.identity", "7", "/source/identity"),
        ("rate.retries", "'often'", "/rate/retries"),
        ("rate.retries", "-1", "/rate/retries"),
        ("policy.create", "'yes'", "/policy/create"),
        ("policy.leavers", "'deactvate'", "/policy/leavers"),
        ("safety.max_update", "'lots'", "/safety/max_update"),
        ("safety.plan_max_age", "'soon'", "/safety/plan_max_age"),
        ("rate.concurency", "3", "/rate"),
        ("policy.creat", "true", "/policy"),
        ("source.idenity", "'id'", "/source"),
        ("target.no_such_setting", "1", "/target"),
        ("target.page_size", "7", "/target/page_size"),
        ("target.update_method", "'auto'", "/target/update_method"),
        ("target.base_url", "'http://acme.imi.chat/v3.1'", "/target/base_url"),
        ("target.base_url", "'sandbx'", "/target/base_url"),
        ("target.base_url", "'https://user:word@acme.imi.chat/v3.1'", "/target/base_url"),
        ("target.base_url", "'https://acme.imi.chat/v3.1'", "/target"),
        ("target.api_key", "'hunter2'", "/target/api_key"),
        ("policy.absent", "'delete'", "/policy/absent"),
        ("passwords.deliver_to", "'AGE-SECRET-KEY-1QQQQ'", "/passwords/deliver_to"),
        ("polizy.create", "true", ""),
    ];
    for (name, value, at) in cases {
        let (section, key) = name.split_once('.').unwrap();
        let mut file = least("imichat");
        let table = file.entry(section).or_insert_with(|| Table::new().into()).as_table_mut().unwrap();
        table.insert(key.to_owned(), toml_value(value).unwrap());
        assert!(read(&file).is_err(), "{name} = {value}");
        let marks = marks(&file);
        assert!(marks.iter().any(|(marked, _)| marked == at), "{name} = {value}: {marks:?}");
    }
    for section in ["source", "target", "match", "map"] {
        let mut file = least("imichat");
        file.remove(section);
        assert!(read(&file).is_err() && !marks(&file).is_empty(), "without [{section}]");
    }
}

fn toml_value(text: &str) -> Option<Value> {
    crate::config::reference::toml_value(text)
}

/// What a template makes of a cell in the column `x`.
fn rendered(template: &str, cell: &str) -> Result<String, String> {
    let at = |value: &str| Located { value: value.to_owned(), span: 0..0 };
    let expression = Located { value: Expression::Template(template.to_owned()), span: 0..0 };
    let entry = Entry { attribute: at("a"), expression, on: On::Always, parse: None, blank: Some(Blank::Clear) };
    let mut teams =
        Lookup::new("teams", "teams.csv", "team_name", Columns::new(vec!["team_name".into(), "team_id".into()]))
            .unwrap();
    let mut row = Record::default();
    row.push("North");
    row.push("12");
    teams.insert(&row).unwrap();
    let lookups: Lookups = [teams].into_iter().collect();
    let spec = MapSpec { entries: vec![entry], ..MapSpec::default() };
    let schema = Schema::new(vec![Attribute::new("a", Kind::Text)]);
    let today = jiff::civil::date(2024, 3, 1);
    let options = Options { creates: Creates::Never, table: 0..0 };
    let mapping = Mapping::compile(&spec, &schema, &Columns::new(vec!["x".into()]), lookups, today, &options)
        .map_err(|errors| errors[0].message.clone())?;
    let mut row = Record::default();
    row.push(cell);
    let desired = mapping.map(&row, &mut mapping.scratch()).map_err(|bad| bad[0].reason.clone())?;
    match &desired.values[0].1 {
        Wanted::Set(value) => Ok(value.to_string()),
        Wanted::Clear => Ok(String::new()),
    }
}

#[test]
fn the_filters_make_what_their_examples_say() {
    for filter in &FILTERS {
        let (from, to) = filter.example;
        assert_eq!(rendered(&format!("{{{{ x | {} }}}}", filter.call), from).as_deref(), Ok(to), "{}", filter.call);
    }
    for name in USUAL {
        let said = rendered(&format!("{{{{ x | {name} }}}}"), "a").err().unwrap_or_default();
        assert!(!said.contains("no filter"), "{name}: {said}");
    }
    assert_eq!(rendered("{{ x or 'b' }}", "").as_deref(), Ok("b"));
    assert_eq!(rendered("{{ today() }}", "").as_deref(), Ok("2024-03-01"));
    for (date, day) in
        [("1.3.2024", "1"), ("25/03/2024", "25"), ("3/25/2024", "25"), ("1 Mar 2024", "1"), ("March 1, 2024", "1")]
    {
        assert_eq!(rendered("{{ x | date('%-d') }}", date).as_deref(), Ok(day), "{date}");
    }
    assert!(rendered("{{ x | date('%d') }}", "03/04/2024").is_err());
}
