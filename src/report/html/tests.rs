//! What a page says, and that whatever goes into it comes out as text.

use proptest::prelude::*;

use super::{POLICY, SCRIPT, STYLE};
use crate::report::laws::{entries, head};
use crate::report::samples::{past, quiet, rendered, rich, rich_plan};
use crate::report::{Entry, Form, Head, PastRun, ProblemKind, RunRecord, Style, SummaryProblem};

fn page(record: RunRecord<'_>) -> String {
    rendered(record, Form::Html, &Style::default())
}

/// The page without the three parts that are the same on every page or that another test looks at.
fn body(page: &str) -> String {
    let policy = POLICY.replace('\'', "&#39;");
    let page = page.replace(STYLE, "…").replace(SCRIPT, "…").replace(&policy, "…");
    let mut text = String::new();
    let mut rest = page.as_str();
    while let Some((before, after)) = rest.split_once("<svg ") {
        text += before;
        text += "<svg …/>";
        rest = after.split_once("</svg>").unwrap().1;
    }
    text + rest
}

fn data(page: &str) -> serde_json::Value {
    let (_, after) = page.split_once("<script type=\"application/json\" id=\"data\">").unwrap();
    serde_json::from_str(after.split_once("</script>").unwrap().0).unwrap()
}

#[test]
fn a_run_reads_like_this() {
    insta::assert_snapshot!(body(&page(rich().with_past(past()))));
}

#[test]
fn a_plan_reads_like_this() {
    insta::assert_snapshot!(body(&page(rich_plan().with_past(past()))));
}

#[test]
fn where_nothing_is_to_do_the_page_says_so() {
    let page = page(quiet());
    assert!(page.contains("Nobody is changed, and nothing was found."));
    assert!(!page.contains("<svg") && !page.contains("id=\"trend\"") && !page.contains("id=\"held\""));
}

#[test]
fn what_cannot_be_released_has_no_command_that_releases_it() {
    let with = |change: &dyn Fn(&mut Head)| {
        let mut head = rich_plan().head;
        change(&mut head);
        page(RunRecord::from_parts(head, std::iter::empty()))
    };
    assert!(with(&|_| {}).contains("<code>headcount apply r-7 --approve 9f2c41</code>"));
    let against = with(&|head| head.against = Some("accounts.csv".into()));
    assert!(against.contains("id=\"held\"") && !against.contains("--approve"));
    let error = SummaryProblem { kind: ProblemKind::Safety, message: "too few rows".into(), hint: None };
    let stopped = with(&|head| head.summary.error = Some(error.clone()));
    assert!(stopped.contains("Safety error:") && !stopped.contains("--approve") && !stopped.contains("id=\"held\""));
}

#[test]
fn the_policy_allows_the_one_script_and_the_one_style_sheet_and_nothing_else() {
    let sources: Vec<&str> = POLICY.split("; ").collect();
    assert_eq!(sources[0], "default-src 'none'");
    assert!(sources[1].starts_with("style-src 'sha256-") && sources[2].starts_with("script-src 'sha256-"));
    assert!(!POLICY.contains("unsafe") && !POLICY.contains('*') && !POLICY.contains("http"));
    let page = page(rich().with_past(past()));
    assert_eq!(page.matches("<script>").count(), 1);
    assert_eq!(page.matches("<style>").count(), 1);
    let (_, style) = page.split_once("<style>").unwrap();
    assert!(style.starts_with(STYLE));
}

#[test]
fn a_page_names_nothing_that_lies_elsewhere() {
    let page = page(rich().with_past(past())).replace("http://www.w3.org/2000/svg", "");
    for elsewhere in ["src=", "url(", "@import", "<iframe", "<object", "<embed", "<form action", "fetch(", "XMLHttp"] {
        assert!(!page.contains(elsewhere), "{elsewhere}");
    }
    let links: Vec<_> = page.split("href=\"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
    assert_eq!(links, ["data:,", "#people"]);
}

/// As many updates as asked for, of a usual size; of each hundred the last one failed.
fn many(count: u64) -> impl Iterator<Item = std::io::Result<Entry>> {
    (1..=count).map(|seq| {
        let result = if seq % 100 == 0 { "failed" } else { "applied" };
        let action = serde_json::json!({"seq": seq, "action": "update", "key": format!("given.family{seq}"),
            "identity": format!("E-{seq:06}"), "account": (40_000 + seq).to_string(), "match": "login_id",
            "source": {"file": "hr_export_2026-11-22.csv", "line": seq + 1},
            "changes": [
                {"attribute": "job_description", "from": "Customer Support Agent", "to": "Senior Customer Support Agent"},
                {"attribute": "skill_attributes", "from": {"English": 80}, "to": {"English": 100, "Spanish": 80}},
            ],
            "also": {"last_name": format!("Family{seq}"), "email_id": format!("given.family{seq}@acme.example"),
                     "login_using_email": true, "team": format!("Team {}", seq % 40)},
            "requests": 1, "held": false, "outcome": {"result": result}});
        serde_json::from_value(action).map_err(Into::into)
    })
}

fn head_of(updates: u64) -> Head {
    let mut head = rich().head;
    head.summary.planned = Default::default();
    head.summary.planned.update = updates;
    head.summary.found = Default::default();
    (head.summary.held, head.summary.failed, head.summary.unknown) = (0, 0, 0);
    head.summary.applied = head.summary.planned;
    head.held.clear();
    head
}

#[test]
fn twenty_thousand_changes_fit_eight_megabytes_and_all_of_them_are_there() {
    let page = page(RunRecord::from_parts(head_of(20_000), many(20_000)));
    assert!(page.len() < 8_000_000, "{} bytes", page.len());
    let data = data(&page);
    assert_eq!(data["rows"].as_array().unwrap().len(), 20_000);
    assert_eq!(page.matches("<tr role=\"row\" aria-rowindex").count(), 100, "the first stand in the page itself");
    assert!(page.contains(">20,000 people</output>"));
}

#[test]
fn of_more_than_that_the_first_of_each_kind_stand_there_with_the_way_to_all_of_them() {
    let page = page(RunRecord::from_parts(head_of(20_001), many(20_001)));
    assert!(!page.contains("id=\"data\"") && !page.contains("id=\"filters\""));
    assert!(page.contains("20,001 people are more than one page can hold"));
    assert!(page.contains("<code>headcount report r-7 --as csv -o r-7.csv</code>"));
    assert_eq!(page.matches("<tr role=\"row\" aria-rowindex").count(), 200);
    assert_eq!(page.matches("class=\"state s-failed\"").count(), 100, "what failed is not hidden by what did not");
    assert!(page.contains("Not shown: 19701 update, 100 failed."), "{}", page.split("Not shown").nth(1).unwrap());
    assert!(page.len() < 400_000);
}

#[test]
fn a_run_of_some_of_a_large_plan_is_as_large_as_the_run() {
    let mut head = head_of(50_000);
    head.summary.applied.update = 150;
    assert!(page(RunRecord::from_parts(head.clone(), many(150))).contains(">150 people</output>"));
    // Of a run that was paused the rest is among the entries.
    head.summary.outcome = crate::report::summary::SummaryOutcome::Paused;
    assert!(!page(RunRecord::from_parts(head, many(150))).contains("id=\"data\""));
}

#[test]
fn a_name_of_ten_thousand_letters_is_there_as_text() {
    let name = "<ß>".repeat(3_334);
    let action = serde_json::json!({"seq": 1, "action": "create", "key": name, "requests": 1, "held": false,
        "changes": [{"attribute": "first_name", "to": name}]});
    let entry: Entry = serde_json::from_value(action).unwrap();
    let page = page(RunRecord::from_parts(rich_plan().head, [Ok(entry)].into_iter()));
    let data = data(&page);
    assert_eq!(data["rows"][0][2], name);
    assert_eq!(data["rows"][0][8][0][2], name);
    assert!(page.contains(&name.replace('<', "&lt;").replace('>', "&gt;")));
}

/// The tags of a page, with everything between `<` and `>`, and the text outside of them. Fails where a `<` begins
/// neither: a browser would take that for something, and nobody meant it.
fn taken_apart(page: &str) -> (Vec<&str>, String) {
    let (mut tags, mut text) = (Vec::new(), String::new());
    let mut rest = page;
    while let Some(at) = rest.find('<') {
        text += &rest[..at];
        let end = rest[at..].find('>').expect("a tag ends") + at;
        tags.push(&rest[at..=end]);
        rest = &rest[end + 1..];
        // What is in these is no markup, and ends where they end.
        for raw in ["style", "script"] {
            if tags.last().is_some_and(|tag| tag[1..].starts_with(raw)) {
                rest = &rest[rest.find(&format!("</{raw}")).expect("it ends")..];
            }
        }
    }
    (tags, text + rest)
}

/// The shape of a tag: its name and the names of its attributes.
fn shape(tag: &str) -> String {
    let parts = tag.split('"').step_by(2);
    parts.collect::<Vec<_>>().join("\"\"")
}

fn past_of(text: &str) -> Vec<PastRun> {
    past().into_iter().map(|past| PastRun { run: text.to_owned(), ..past }).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn whatever_goes_in_comes_out_as_text(head in head(), entries in entries(), run in any::<String>()) {
        let record = || RunRecord::from_parts(head.clone(), entries.iter().cloned().map(Ok)).with_past(past_of(&run));
        let page = page(record());
        let (tags, text) = taken_apart(&page);
        prop_assert!(!text.contains('>'), "{}", text);
        // Every tag is one that stands in this source, with attributes that do.
        for tag in tags {
            let shape = shape(tag);
            let name = shape.trim_start_matches(['<', '/']).split([' ', '>', '/']).next().unwrap();
            let known = ["!doctype", "html", "head", "meta", "link", "title", "style", "body", "a", "main", "header", "p", "h1", "h2",
                "strong", "bdi", "time", "section", "div", "dl", "dt", "dd", "b", "span", "figure", "figcaption", "svg", "path", "text",
                "g", "circle", "line", "rect", "polyline", "code", "button", "ul", "li", "br", "details", "summary", "table", "thead",
                "tbody", "tr", "th", "td", "form", "label", "input", "select", "option", "output", "noscript", "small", "script"];
            prop_assert!(known.contains(&name), "{}", tag);
            let mut parts: Vec<&str> = shape.split("=\"\"").collect();
            parts.pop();
            for attribute in parts.into_iter().map(|part| part.rsplit(' ').next().unwrap()) {
                prop_assert!(!attribute.starts_with("on") && attribute != "style" && attribute != "src", "{}", tag);
            }
        }
        // Nothing that turns, hides or breaks.
        prop_assert!(page.chars().all(|c| c == '\n' || !c.is_control()));
        let hidden = ['\u{202e}', '\u{200f}', '\u{2028}', '\u{feff}'];
        prop_assert!(!page.contains(hidden));
        // And every person is in the data.
        prop_assert_eq!(data(&page)["rows"].as_array().unwrap().len(), entries.len());
    }
}
