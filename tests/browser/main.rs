//! The HTML report in a real browser: what a reader sees is what the plan says, the filters find, nothing foreign runs,
//! and nothing leaves the machine.
//!
//! Needs Chromium and chromedriver, which `.ci/run` installs; without them the tests fail and say so:
//!
//! ```sh
//! cargo test --test browser -- --ignored
//! PICTURES=docs/pictures cargo test --test browser -- --ignored as_wide   # takes those of the documents anew
//! ```

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking, and so do its helpers")]

mod driver;
mod pages;

use std::fs;
use std::path::Path;

use driver::Browser;
use pages::{Folder, company, head, past, update, write};
use serde_json::{Value, json};

/// How many people the page says that it shows.
fn counted(browser: &Browser) -> u64 {
    let text = browser.text("#count");
    text.split(' ').next().unwrap().replace(',', "").parse().unwrap()
}

/// The keys of the people that are drawn, in their order.
fn keys(browser: &Browser) -> Vec<String> {
    let keys = browser.ask("[...document.querySelectorAll('#table tbody th')].map(th => th.firstChild.textContent)");
    serde_json::from_value(keys).unwrap()
}

/// Nobody complained, and the only thing that was asked for is the page itself.
fn is_quiet_and_alone(browser: &Browser) {
    assert_eq!(browser.console(), Vec::<Value>::new());
    let requests = browser.requests();
    let elsewhere: Vec<_> = requests.iter().filter(|url| !url.starts_with("file:///") && *url != "data:,").collect();
    assert!(elsewhere.is_empty() && !requests.is_empty(), "{requests:?}");
}

#[test]
#[ignore = "needs chromedriver"]
fn the_page_shows_what_the_plan_says_and_the_run_did() {
    let folder = Folder::new();
    folder.run(&["plan", "-o", "plan.jsonl"]);
    let (header, actions) = folder.plan();
    let browser = Browser::start();
    browser.open(&folder.page("plan.jsonl"));

    let of = |kinds: &[&str]| kinds.iter().map(|kind| header["counts"][kind].as_u64().unwrap()).sum::<u64>();
    let figure = |name: &str| browser.text(&format!("#n-{name}")).replace(',', "").parse::<u64>().unwrap();
    assert_eq!(figure("join"), of(&["create", "reactivate"]));
    assert_eq!(figure("change"), of(&["update"]));
    assert_eq!(figure("leave"), of(&["deactivate", "delete"]));
    let held: u64 = header["held"].as_object().unwrap().values().map(|held| held["count"].as_u64().unwrap()).sum();
    assert_eq!(figure("held"), held);

    let findings = ["drift", "conflict", "invalid", "skipped", "absent", "protected"];
    let everybody = actions.len() as u64 + of(&findings);
    assert_eq!(counted(&browser), everybody);
    for kind in ["create", "update", "deactivate", "reactivate"].into_iter().chain(findings) {
        if of(&[kind]) == 0 {
            continue;
        }
        browser.choose("#f-kind", kind);
        assert_eq!(counted(&browser), of(&[kind]), "{kind}");
    }
    browser.click("#f-clear");
    assert_eq!(counted(&browser), everybody);

    // Each action's person, attributes and line, and no other.
    for action in actions.iter().step_by(7) {
        let (key, line) = (action["key"].as_str().unwrap(), action["source"]["line"].as_u64().unwrap());
        browser.type_into("#f-text", &format!("hr_export.csv:{line} {key}"));
        let row = browser.text("#table tbody tr");
        assert!(
            row.contains(action["action"].as_str().unwrap()) && row.contains(&format!("hr_export.csv:{line}")),
            "{row}"
        );
        for change in action["changes"].as_array().unwrap() {
            assert!(row.contains(change["attribute"].as_str().unwrap()), "{row}");
        }
    }
    is_quiet_and_alone(&browser);

    folder.run(&["--format", "json", "sync", "--yes"]);
    let summary: Value = serde_json::from_str(&folder.run(&["report", "last", "--as", "json"])).unwrap();
    browser.open(&folder.page("last"));
    let applied = |kind: &str| summary["summary"]["applied"][kind].as_u64().unwrap();
    assert_eq!(figure("join"), applied("create") + applied("reactivate"));
    assert_eq!(figure("change"), applied("update"));
    browser.choose("#f-state", "applied");
    assert_eq!(
        counted(&browser),
        summary["entries"].as_array().unwrap().iter().filter(|e| e["outcome"]["result"] == "applied").count() as u64
    );
    is_quiet_and_alone(&browser);
}

#[test]
#[ignore = "needs chromedriver"]
fn filters_find_and_sorting_sorts() {
    let folder = tempfile::tempdir().unwrap();
    let browser = Browser::start();
    browser.open(&company(folder.path()));
    let everybody = 108;
    assert_eq!(browser.text("#count"), "108 people");
    assert_eq!(browser.ask("document.getElementById('table').getAttribute('aria-rowcount')"), "109");

    // By what is done, and by what it waits for.
    browser.choose("#f-kind", "deactivate");
    assert_eq!(browser.text("#count"), "61 of 108 people");
    browser.click("#f-clear");
    browser.click("button[data-held]");
    assert_eq!(browser.text("#count"), "61 of 108 people");
    assert_eq!(browser.ask("document.activeElement.id"), "people");
    browser.click("#f-clear");

    // By an attribute that changes; by a value of it, also where that stays as it is.
    browser.choose("#f-attribute", "team");
    let changing = counted(&browser);
    let teams: Vec<_> = browser.offered("#f-value").into_iter().skip(1).map(|(value, _)| value).collect();
    assert_eq!(teams.len(), 4, "{teams:?}");
    browser.choose("#f-value", "Sales");
    let sales = counted(&browser);
    assert!(
        sales > 0 && changing < everybody && browser.text("#table").contains("Sales (stays)"),
        "{sales} of {changing}"
    );
    let rows = browser
        .ask("[...document.querySelectorAll('#table tbody tr')].every(row => row.textContent.includes('Sales'))");
    assert_eq!(rows, true);
    browser.click("#f-clear");
    assert_eq!(browser.ask("document.getElementById('f-value').disabled"), true);

    // By any text, all words of it, whatever their case; and by none that there is.
    browser.type_into("#f-text", "TERMINATED chats");
    assert_eq!(browser.text("#count"), "3 of 108 people");
    browser.type_into("#f-text", "nobody of this name");
    assert_eq!(browser.text("#count"), "0 of 108 people");
    assert!(browser.text("#table tbody").contains("Nobody is like that"));
    browser.click("#f-clear");
    assert_eq!(counted(&browser), everybody);

    // Up, down, and back.
    let original = keys(&browser);
    let sorted = |how: &str| {
        browser.ask(&format!("document.querySelector('[data-sort=key]').getAttribute('aria-sort') === '{how}'"))
    };
    assert_eq!(sorted("none"), true);
    browser.click("[data-sort=key] button");
    let up = keys(&browser);
    assert_eq!(sorted("ascending"), true);
    assert!(up != original && up.windows(2).all(|pair| pair[0].to_lowercase() <= pair[1].to_lowercase()), "{up:?}");
    browser.click("[data-sort=key] button");
    assert_eq!(sorted("descending"), true);
    assert!(keys(&browser)[0] > up[0]);
    browser.click("[data-sort=key] button");
    assert_eq!((sorted("none"), keys(&browser)), (true.into(), original));
    is_quiet_and_alone(&browser);
}

/// What an export may hold that means to run, to hide, to turn or to break.
const NASTY: [&str; 9] = [
    "<script>window.hit = 1</script>",
    "</script><script>window.hit = 2</script>",
    "<img src=x onerror=\"window.hit = 3\">",
    "\"><svg onload=window.hit=4>",
    "' onfocus='window.hit=5' autofocus='",
    "</bdi></td></tr></table><iframe src=\"https://example.com/\"></iframe>",
    "javascript:window.hit=6",
    "<!--<script>",
    "{{ 7 * 7 }} ${window.hit=7} \u{202e}gpj.exe\u{0}\u{2028}",
];

#[test]
#[ignore = "needs chromedriver"]
fn what_an_export_holds_stays_text() {
    let folder = tempfile::tempdir().unwrap();
    let long = format!("<b onclick=window.hit=8>{}", "Ärger ".repeat(1_700));
    let texts: Vec<&str> = NASTY.into_iter().chain([long.as_str()]).collect();
    let entries = texts.iter().enumerate().map(|(n, text)| {
        json!({"seq": n + 1, "action": "update", "key": text, "identity": text, "account": text, "match": text,
            "source": {"file": text, "line": 7}, "changes": [{"attribute": text, "from": text, "to": {"k": text, (*text): [text]}},
            {"attribute": "team", "from": text, "to": text}], "also": {"team": text}, "reason": text, "warnings": [text],
            "requests": 1, "held": n == 0, "outcome": {"result": "failed", "message": text, "trxid": text}})
    });
    let mut head = head(
        "run",
        json!({"create": 0, "update": texts.len(), "deactivate": 0, "reactivate": 0, "delete": 0}),
        json!([{"kind": "update", "count": 1, "limit": 0, "approve": NASTY[0]}]),
    );
    (head.summary.run, head.summary.tenant, head.target) = (NASTY[3].into(), NASTY[2].into(), NASTY[1].into());
    head.notes = NASTY.map(str::to_owned).to_vec();
    let mut past = past();
    past[11].run = NASTY[5].into();
    let page = write(folder.path(), head, past, entries);

    let browser = Browser::start();
    browser.open(&page);
    let inert = || {
        assert_eq!(browser.ask("window.hit === undefined"), true);
        let foreign = "document.querySelectorAll('img, iframe, object, embed, b[onclick], [onerror], [onload], [onfocus]').length";
        assert_eq!(browser.ask(foreign), 0);
        assert_eq!(
            browser.ask("[document.scripts.length, document.styleSheets.length, document.forms.length]"),
            json!([2, 1, 1])
        );
    };
    inert();
    assert_eq!(counted(&browser), texts.len() as u64);
    // It is shown as what it is, but for what would not show itself.
    for (shown, text) in keys(&browser).iter().zip(&NASTY[..8]) {
        assert_eq!(shown, text);
    }
    assert!(keys(&browser)[8].contains("\\u{202e}gpj.exe\\u{0}\\u{2028}"), "{:?}", keys(&browser)[8]);
    assert!(keys(&browser)[9].contains(&long), "a name of 10,000 letters is there as a whole");
    // A reader opens it, sorts, and filters by it.
    browser.click("#table tbody th details summary");
    browser.click("[data-sort=key] button");
    browser.choose("#f-attribute", "team");
    browser.type_into("#f-text", "</script><script>");
    assert_eq!(counted(&browser), 1);
    inert();
    is_quiet_and_alone(&browser);

    // And through the program, from the cells of an export.
    let folder = Folder::new();
    let cell = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
    let export = fs::read_to_string(folder.path("samples/hr_export.csv")).unwrap();
    let (header, first) = (export.lines().next().unwrap(), export.lines().nth(1).unwrap());
    let first: Vec<&str> = first.split(',').collect();
    for (n, text) in NASTY.into_iter().take(8).enumerate() {
        let row = header.split(',').zip(&first).map(|(column, value)| match column {
            "employee_id" => format!("X-{n}"),
            "work_email" => format!("nasty{n}@acme.example"),
            "first_name" | "last_name" => cell(text),
            _ => (*value).to_owned(),
        });
        folder.hire(&(row.collect::<Vec<_>>().join(",") + "\n"));
    }
    folder.run(&["plan", "-o", "plan.jsonl"]);
    browser.open(&folder.page("plan.jsonl"));
    browser.type_into("#f-text", "nasty");
    assert_eq!(counted(&browser), 8);
    inert();
    is_quiet_and_alone(&browser);
}

#[test]
#[ignore = "needs chromedriver"]
fn what_stands_in_the_page_is_what_its_script_draws() {
    let folder = tempfile::tempdir().unwrap();
    let page = company(folder.path());
    let text = fs::read_to_string(&page).unwrap();
    let (_, body) = text.split_once("<tbody role=\"rowgroup\">\n<tr").unwrap();
    let written =
        format!("<tr{}", body.split_once("</tbody>").unwrap().0).replace("&quot;", "\"").replace("&#39;", "'");
    let browser = Browser::start();
    // So much of it is in sight that all of them are drawn.
    browser.resize(1280, 9000);
    browser.open(&page);
    let drawn = browser.ask("[...document.querySelectorAll('#table tbody tr')].map(row => row.outerHTML)");
    let drawn: Vec<String> = serde_json::from_value(drawn).unwrap();
    let written: Vec<&str> = written.lines().collect();
    assert!(written.len() == 100 && drawn.len() > 100, "{} and {}", written.len(), drawn.len());
    for (written, drawn) in written.iter().zip(&drawn) {
        assert_eq!(written, drawn);
    }

    // Without its script the page has them, says so, and offers nothing that would need one.
    browser.devtools("Emulation.setScriptExecutionDisabled", json!({"value": true}));
    browser.devtools("Page.navigate", json!({"url": format!("file://{}", page.display())}));
    std::thread::sleep(std::time::Duration::from_secs(1));
    let root = browser.devtools("DOM.getDocument", json!({"depth": 0}))["root"]["nodeId"].clone();
    let all = |selector: &str| {
        let found = browser.devtools("DOM.querySelectorAll", json!({"nodeId": root, "selector": selector}));
        found["nodeIds"].as_array().unwrap().len()
    };
    assert_eq!((all("#table tbody tr"), all("noscript p"), all(".scripted"), all("svg")), (100, 1, 0, 3));
}

#[test]
#[ignore = "needs chromedriver"]
fn twenty_thousand_changes_are_there_at_once_and_only_those_in_sight_are_drawn() {
    const PEOPLE: u64 = 20_000;
    let folder = tempfile::tempdir().unwrap();
    let planned = json!({"create": 0, "update": PEOPLE, "deactivate": 0, "reactivate": 0, "delete": 0});
    let page = write(folder.path(), head("plan", planned, json!([])), past(), (1..=PEOPLE).map(update));
    assert!(fs::metadata(&page).unwrap().len() < 8_000_000);
    let browser = Browser::start();
    // The first page of a new browser also waits for the browser.
    browser.open(&page).open(&page);
    assert_eq!(counted(&browser), PEOPLE);
    let paint = browser.ask("performance.getEntriesByName('first-contentful-paint')[0].startTime").as_f64().unwrap();
    println!("first paint after {paint:.0} ms");
    assert!(paint < 1000.0, "first paint after {paint} ms");

    let drawn = || browser.ask("document.querySelectorAll('#table tbody tr:not(.spacer)').length").as_u64().unwrap();
    assert!((50..=400).contains(&drawn()), "{}", drawn());
    browser.ask("scrollTo(0, document.body.scrollHeight)");
    browser.settle();
    browser.ask("scrollTo(0, document.body.scrollHeight)");
    browser.settle();
    assert!(drawn() <= 400, "{}", drawn());
    assert_eq!(keys(&browser).last().unwrap(), "given.family20000");

    // What changes for nobody, and is only sent along, is a filter too.
    browser.choose("#f-attribute", "team");
    assert_eq!(counted(&browser), PEOPLE);
    browser.choose("#f-value", "Team 7");
    assert_eq!(counted(&browser), PEOPLE / 40);
    browser.click("#f-clear");
    let took = browser.ask(
        "(() => { const start = performance.now(), sort = document.querySelector('[data-sort=key] button'); \
         sort.click(); sort.click(); return performance.now() - start; })()",
    );
    println!("sorted twice in {took} ms");
    assert_eq!(keys(&browser)[0], "given.family20000");
    is_quiet_and_alone(&browser);
}

#[test]
#[ignore = "needs chromedriver"]
fn it_is_read_with_a_keyboard_a_screen_reader_a_telephone_and_on_paper() {
    let folder = tempfile::tempdir().unwrap();
    let browser = Browser::start();
    browser.open(&company(folder.path()));

    // The first thing that a keyboard reaches leads past the summary; titles sort.
    const TAB: char = '\u{e004}';
    const ENTER: char = '\u{e007}';
    browser.press(TAB);
    assert_eq!(browser.ask("document.activeElement.className"), "skip");
    browser.press(ENTER);
    assert_eq!(browser.ask("document.activeElement.id"), "people");
    browser.ask("document.querySelector('[data-sort=place] button').focus()");
    browser.press(ENTER);
    assert_eq!(browser.ask("document.querySelector('[data-sort=place]').getAttribute('aria-sort')"), "ascending");
    let nameless = "[...document.querySelectorAll('input, select')].filter(field => !field.labels.length).length";
    assert_eq!(browser.ask(nameless), 0);

    // As a screen reader has it, on a wide screen and on a narrow one, where the table is laid out otherwise.
    for width in [1280, 390] {
        browser.resize(width, 844);
        let tree = browser.devtools("Accessibility.getFullAXTree", json!({}));
        let roles: Vec<&str> =
            tree["nodes"].as_array().unwrap().iter().filter_map(|node| node["role"]["value"].as_str()).collect();
        let of = |role: &str| roles.iter().filter(|found| **found == role).count();
        assert!(of("table") >= 1 && of("main") == 1 && of("search") == 1 && of("status") == 1, "{width}: {roles:?}");
        let drawn = keys(&browser).len();
        assert!(
            drawn >= 50 && of("rowheader") >= drawn && of("row") > drawn && of("cell") >= 3 * drawn,
            "{width}: {drawn}"
        );
        let over = "document.documentElement.scrollWidth - document.documentElement.clientWidth";
        assert_eq!(browser.ask(over), 0, "{width}: nothing reaches out of the page");
    }

    // On paper everybody is there.
    let pages = |pdf: &[u8]| {
        pdf.windows(12)
            .filter(|bytes| bytes.starts_with(b"/Type /Page\n") || bytes.starts_with(b"/Type /Page "))
            .count()
    };
    assert!(pages(&browser.print()) >= 4, "{}", pages(&browser.print()));
    is_quiet_and_alone(&browser);
}

/// Where PICTURES names a folder, pictures of it are kept there.
#[test]
#[ignore = "needs chromedriver"]
fn the_page_is_as_wide_as_the_screen_or_the_paper() {
    let folder = tempfile::tempdir().unwrap();
    let page = company(folder.path());
    let browser = Browser::start();
    let media = |media: &str, scheme: &str| {
        let features = json!([{"name": "prefers-color-scheme", "value": scheme}]);
        browser.devtools("Emulation.setEmulatedMedia", json!({"media": media, "features": features}));
    };
    for (name, width, height, kind, scheme, from) in [
        ("report-light", 1280, 1500, "", "light", "h1"),
        ("report-dark", 1280, 1000, "", "dark", "#people"),
        ("report-phone", 390, 1000, "", "light", "#people"),
        ("report-print", 794, 1123, "print", "light", "h1"),
    ] {
        browser.resize(width, height);
        media(kind, scheme);
        browser.open(&page);
        if from != "h1" {
            browser.choose("#f-attribute", "team");
            browser.choose("#f-value", "Sales");
            browser.ask(&format!("document.querySelector('{from}').scrollIntoView()"));
            browser.settle();
        }
        if kind == "print" {
            // The margin that paper has.
            browser.ask("document.body.style.padding = '48px'");
        }
        let wide = browser.ask("document.documentElement.scrollWidth").as_u64().unwrap();
        assert!(wide <= width.into(), "{name}: {wide} instead of {width}");
        if let Some(to) = std::env::var_os("PICTURES") {
            let to = Path::new(env!("CARGO_MANIFEST_DIR")).join(to);
            fs::create_dir_all(&to).unwrap();
            fs::write(to.join(format!("{name}.png")), browser.picture()).unwrap();
        }
    }
}
