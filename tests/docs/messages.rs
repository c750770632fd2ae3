//! Troubleshooting: every message that stands there is provoked, so that people find what they see. `…` in a heading
//! stands for what differs; the rest must come in this order.

use std::net::TcpListener;

use headcount::connectors::find_kind;
use headcount::journal::{Journal, Options as JournalOptions};
use headcount::plan::file::{PlanReader, PlanWriter};
use headcount::sandbox::{Options, Seed};
use jiff::{SignedDuration, Timestamp};
use rust_xlsxwriter::{Format, Workbook};
use serde_json::json;

use crate::documents::document;
use crate::stage::{Scene, Stage};
use crate::support::{
    COLUMNS, DOMAIN, Project, Ran, Tenant, account, answering, at, but, row, three_accounts, three_rows,
};

/// A heading, and what makes the program say it.
type Case = (&'static str, fn() -> Ran);

fn small() -> Project {
    let project = Project::small("");
    project.people(&three_rows());
    project
}

/// What a check says once the configuration has been changed.
fn edited(from: &str, to: &str) -> Ran {
    let project = small();
    project.edit(from, to);
    project.run(&["check"])
}

const CONFIGURATION: &[Case] = &[
    ("config.toml: cannot be read: …", || Project::empty().run(&["check"])),
    ("unknown setting … in …", || edited("[safety]", "[safety]\nmax_creat = 3")),
    ("… must be a string, not a whole number", || edited("identity = \"id\"", "identity = 7")),
    ("no column …", || edited("\"first\"", "\"frist\"")),
    ("… operators or brackets are nested", || {
        let deep = format!("\"{{{{ {}first{} }}}}\"", "(".repeat(2000), ")".repeat(2000));
        edited("\"first\"", &deep)
    }),
    ("… which [map] does not map", || edited("email_id = \"email\"\n", "")),
    ("… is not mapped, and a create without it is refused", || {
        edited("password = { generate = { length = 20 } }\n", "")
    }),
    ("… must begin with https://: nothing leaves unencrypted", || {
        edited("\"sandbox\"", "\"http://acme.imi.chat/v3.1\"")
    }),
    ("target.api_key: the environment variable … is not set", || secret("{ env = \"HEADCOUNT_NO_KEY\" }")),
    ("target.api_key: the secret file … cannot be read: …", || secret("{ file = \"no.key\" }")),
    ("target.api_key: the secret command … failed …", || secret("{ command = [\"false\"] }")),
    ("target.api_key … is here in clear text", || secret("\"hk-0000\"")),
    ("… cannot be \"delete\": imichat has no way to delete an account", || {
        edited("[policy]", "[policy]\nabsent = \"delete\"")
    }),
    ("… is not an age recipient: …", || {
        edited("[journal]", "[passwords]\ndeliver_to = \"age1nonsense\"\n\n[journal]")
    }),
];

/// A tenant whose key is kept there.
fn secret(kept: &str) -> Ran {
    let project = small();
    let address = format!("\"https://127.0.0.1:9/v3.1\"\napi_key = {kept}\ndomain = \"{DOMAIN}\"");
    project.set("base_url", &address);
    project.run(&["plan"])
}

/// What is said of an export of these bytes.
fn export(name: &str, bytes: impl AsRef<[u8]>, settings: &str) -> Ran {
    let project = small();
    project.write(name, bytes).edit("people.csv", name).add("source", settings);
    project.run(&["check"])
}

fn csv() -> String {
    format!("{COLUMNS}{}", three_rows())
}

fn sheets(names: &[&str], merged: bool) -> Vec<u8> {
    let mut workbook = Workbook::new();
    for name in names {
        let sheet = workbook.add_worksheet().set_name(*name).unwrap();
        for (column, title) in (0..).zip(COLUMNS.trim_end().split(',')) {
            sheet.write(0, column, title).unwrap();
        }
        if merged {
            sheet.merge_range(0, 3, 0, 4, "name", &Format::new()).unwrap();
        }
    }
    workbook.save_to_buffer().unwrap()
}

/// As a spreadsheet program begins a workbook with a password.
fn encrypted() -> Vec<u8> {
    let name: Vec<u8> = "EncryptedPackage".encode_utf16().flat_map(u16::to_le_bytes).collect();
    [&b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1"[..], &[0; 504], &name].concat()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    use std::io::Write;
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    packed.write_all(bytes).unwrap();
    packed.finish().unwrap()
}

const EXPORT: &[Case] = &[
    ("…: there is no such file", || edited("people.csv", "peple.csv")),
    ("…: the file is empty", || export("people.csv", "", "")),
    ("the file looks delimited by …", || export("people.csv", csv().replace(',', ";"), "")),
    ("the bytes … are not UTF-8", || {
        export("people.csv", [csv().as_bytes(), b"E4,jo,jo@example.com,Jos\xe9,Li,Agent,active\n"].concat(), "")
    }),
    ("the name … is in the header twice: …", || export("people.csv", csv().replacen("email", "login", 1), "")),
    ("… without a name in the header", || export("people.csv", csv().replacen("status", "status,", 1), "")),
    ("… have the same identity", || export("people.csv", csv() + &row("E1", "dee", "Dee", "Day"), "")),
    ("… have the same login_id", || {
        export("people.csv", csv() + &row("E4", "ana", "Ana", "Day").replace("ana@", "dee@"), "")
    }),
    ("this is not a workbook but text, such as CSV", || export("people.xlsx", csv(), "")),
    ("the workbook is encrypted with a password", || export("people.xlsx", encrypted(), "")),
    ("the workbook has several sheets: …", || export("people.xlsx", sheets(&["People", "Old"], false), "")),
    ("there is no sheet …", || export("people.xlsx", sheets(&["People"], false), "sheet = \"Peple\"")),
    ("the header has merged cells (…), so not every column has its own name", || {
        export("people.xlsx", sheets(&["People"], true), "")
    }),
    ("format \"xls\" cannot be read by this version; …", || export("people.xls", csv(), "")),
    ("this is not text: …", || export("people.csv", b"%PDF-1.7\n\0\0\0", "")),
    ("its columns are not those of …; missing: …", || {
        let project = small();
        project.write("south.csv", "login,id\ndee,E4\n");
        project.edit("path = \"people.csv\"", "path = [\"people.csv\", \"south.csv\"]");
        project.run(&["check"])
    }),
    ("there is no header: this line has values (…)", || {
        let project = Project::empty();
        project.write("export.csv", three_rows());
        project.run(&["init", "export.csv", "--yes"])
    }),
    ("the gzip file ends before its content does: it was cut short", || {
        let packed = gzip(csv().as_bytes());
        export("people.csv.gz", &packed[..packed.len() / 2], "")
    }),
    ("its name says gzip, but its content is not packed", || export("people.csv.gz", csv(), "")),
    ("… bytes expand to … or more, which no export does", || {
        export("people.csv.gz", gzip(&vec![b'a'; 66 << 20]), "")
    }),
    ("the last row does not begin with …: the trailer is missing", || {
        export("people.csv", csv(), "trailer = { mark = \"TOTAL\" }")
    }),
    ("… says … rows, but there are …", || {
        export("people.csv", csv() + "TOTAL,4\n", "trailer = { mark = \"TOTAL\" }")
    }),
    ("this is a JSON list: JSON Lines has one object on each line", || {
        export("people.jsonl", "[{\"id\":\"E1\"}]\n", "")
    }),
    ("the source changed while …", || {
        // A plan whose secrets are in the export asks for the export that it was made from.
        let tenant = Tenant::with(&[]);
        let project = tenant.project(&three_rows());
        project.set("password", "\"title\"").plan();
        project.people(&three_rows().replace("Agent", "Lead"));
        project.run(&["apply", "plan.jsonl", "--yes"])
    }),
];

const ROWS: &[Case] = &[
    ("the row has … cells instead of …", || export("people.csv", csv() + "E4,dee\n", "")),
    ("… a quoted cell that began on line …", || {
        export("people.csv", csv() + "E4,\"dee,dee@example.com\n" + &three_rows(), "")
    }),
    ("no … in lookup …", || {
        let project = small();
        project
            .write("teams.csv", "team,number\nCare,1\n")
            .edit("[match]", "[lookup.teams]\npath = \"teams.csv\"\nkey = \"team\"\n\n[match]");
        project.add(
            "map",
            "privileges = [{ teamid = \"{{ title | lookup('teams', 'number') }}\", role = \"{{ 'Team Agent' }}\" }]",
        );
        project.run(&["check"])
    }),
    ("neither true nor false: …", || edited("job_description = \"title\"", "login_using_email = \"title\"")),
    ("the last row of the source has no line break at its end: …", || {
        let project = small();
        project.write("people.csv", csv().trim_end());
        project.run(&["plan"])
    }),
];

/// A tenant of this kind, and the sample that belongs to it, which signs in with this.
fn sample(kind: &str, config: &str, credentials: &str, faults: &str) -> (Tenant, Stage) {
    let faults = headcount::sandbox::Faults::parse(faults).unwrap();
    let tenant = Tenant::start(Options {
        system: (find_kind(kind).unwrap().simulate)(),
        seed: Seed::Sample,
        faults,
        ..Options::default()
    });
    let stage = Stage::new(Scene::Sample);
    let text = stage.project.read(config);
    let scheme = match kind {
        "brightpattern" => "/configapi/v2",
        "scim" => "/scim/v2",
        _ => "/v3.1",
    };
    let address = format!("base_url = \"http://127.0.0.1:{}{scheme}\"\n{credentials}\n", tenant.port());
    let rest = text.lines().filter(|line| !line.starts_with("base_url")).map(|line| line.to_owned() + "\n");
    let text = rest.collect::<String>().replace("[target]\n", &format!("[target]\n{address}"));
    stage.project.write(config, text);
    (tenant, stage)
}

/// Replaces a piece of a file, wherever it stands.
fn replace(project: &Project, name: &str, from: &str, to: &str) {
    let text = project.read(name);
    assert!(text.contains(from), "{name} has no {from:?}");
    project.write(name, text.replace(from, to));
}

fn key(stage: &Stage, key: &str) {
    stage.project.write("secret.key", key);
}

/// What a plan says of a server that gives every request this status.
fn status(kind: &str, op: &str, status: u16) -> Ran {
    let faults = format!("[[rule]]\non = {{ op = \"{op}\" }}\ntimes = 1000\nthen = {{ status = {status} }}\n");
    let (config, credentials) = match kind {
        "scim" => ("samples/scim.toml", "token = { file = \"../secret.key\" }"),
        _ => panic!("{kind:?} has codes of its own"),
    };
    let (_tenant, stage) = sample(kind, config, credentials, &faults);
    key(&stage, headcount::sandbox::TOKEN);
    replace(&stage.project, config, "retries        = 5", "retries = 0");
    stage.project.run(&["-c", config, "plan"])
}

/// What a plan says of a tenant with these faults.
fn faulty(rule: &str) -> Ran {
    let tenant = Tenant::with_faults(&[account(1, "ana", "Ana", "Diaz")], rule);
    tenant.project(&three_rows()).run(&["sync", "--yes"])
}

const CONNECTION: &[Case] = &[
    ("cannot reach …", || {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        at(&format!("http://127.0.0.1:{port}/v3.1")).run(&["plan"])
    }),
    ("cannot find …", || at("https://no-such-tenant.invalid/v3.1").run(&["plan"])),
    ("no trusted connection to …", || {
        let tenant = three_accounts();
        at(&format!("https://127.0.0.1:{}/v3.1", tenant.port())).run(&["plan"])
    }),
    ("no answer … within …", || {
        let latency = std::time::Duration::from_secs(20);
        let tenant = Tenant::start(Options { latency, ..Options::default() });
        let project = tenant.project(&three_rows());
        project.add("rate", "timeout = \"200ms\"");
        project.run(&["plan"])
    }),
    ("the key or the domain is not accepted: …", || {
        let tenant = three_accounts();
        let project = tenant.project(&three_rows());
        project.set("domain", "\"other.imi.chat\"");
        project.run(&["plan"])
    }),
    ("2010 …", || {
        let tenant = three_accounts();
        let project = tenant.project(&three_rows());
        project.edit("domain =", "team_id = \"999\"\ndomain =");
        project.run(&["plan"])
    }),
    ("2099 …", || {
        let tenant = three_accounts();
        let project = tenant.project(&three_rows());
        project.edit("domain =", "update_method = \"PUT\"\ndomain =");
        project.run(&["sync", "--yes"])
    }),
    ("the credentials are not accepted…", || {
        let credentials = "client_id = \"nobody\"\nclient_secret = { file = \"../secret.key\" }\nscope = \"acme\"";
        let (_tenant, stage) = sample("brightpattern", "samples/brightpattern.toml", credentials, "");
        key(&stage, "wrong");
        stage.project.run(&["-c", "samples/brightpattern.toml", "plan"])
    }),
    ("HTTP 401", || {
        let (_tenant, stage) = sample("scim", "samples/scim.toml", "token = { file = \"../secret.key\" }", "");
        key(&stage, "wrong");
        stage.project.run(&["-c", "samples/scim.toml", "plan"])
    }),
    ("HTTP 403", || status("scim", "list", 403)),
    ("the server redirects to …, and no redirect is followed", || {
        let answer = "HTTP/1.1 302 Found\r\nlocation: https://elsewhere.example.com/\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
        at(&format!("http://127.0.0.1:{}/v3.1", saying(answer))).run(&["plan"])
    }),
    ("the answer is not the API's JSON but …", || {
        faulty("[[rule]]\non = { op = \"list\" }\nthen = { html = true, status = 200 }\n")
    }),
    ("the server keeps saying that there are too many requests", || {
        faulty("[[rule]]\non = { op = \"list\" }\ntimes = 1000\nthen = { status = 429 }\n")
    }),
    ("the daily quota is used up to its reserve: …", || {
        let accounts = json!({ "accounts": [account(1, "ana", "Ana", "Diaz")] }).to_string();
        let faults =
            headcount::sandbox::Faults::parse("[[rule]]\non = { op = \"list\" }\nthen = { remaining = 0 }\n").unwrap();
        let tenant = Tenant::start(Options { seed: Seed::Text(accounts), faults, ..Options::default() });
        tenant.project(&three_rows()).run(&["sync", "--yes"])
    }),
    ("HTTP 500", || {
        faulty(
            "[[rule]]\non = { op = \"list\" }\ntimes = 1000\nthen = { status = 500, code = 2007, description = \"no\" }\n",
        )
    }),
];

/// A server that says this to everybody.
fn saying(answer: &'static str) -> u16 {
    use std::io::{Read, Write};
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write_all(answer.as_bytes());
        }
    });
    port
}

const ACCOUNTS: &[Case] = &[
    ("3111 …", || {
        faulty(
            "[[rule]]\non = { op = \"create\" }\nthen = { status = 400, code = 3111, description = \"Email exists\" }\n",
        )
    }),
    ("the contact center does not have one of: …", || {
        let stage = Stage::new(Scene::Sample);
        let config = "samples/brightpattern.toml";
        replace(&stage.project, config, "\nroles", "\nroles = { value = [\"Wizard\"], on = \"create\" }\n# ");
        stage.project.run(&["-c", config, "sync", "--yes"])
    }),
    ("accounts refer to values that the target does not have, so nothing was changed: …", || {
        let stage = Stage::new(Scene::Sample);
        let config = "samples/brightpattern.toml";
        replace(&stage.project, "samples/hr_export.csv", "Customer Care", "Customer Cre");
        stage.project.run(&["-c", config, "check", "--online"])
    }),
    ("several accounts match this row: …", || {
        let twice = but(account(2, "ana2", "Ana", "Diaz"), json!({ "email_id": "ana2@example.com" }));
        let tenant = Tenant::with(&[account(1, "ana", "Ana", "Diaz"), twice]);
        let project = tenant.project(&three_rows());
        project.set("rules", "[[\"first_name\", \"last_name\"]]");
        project.run(&["plan"])
    }),
    ("changed since the plan: …", || {
        let tenant = three_accounts();
        let project = tenant.project(&three_rows());
        project.plan();
        tenant.project("E2,bo,bo@example.com,Bo,Meanwhile,Agent,active\n").sync(0);
        project.run(&["apply", "plan.jsonl", "--yes"])
    }),
];

/// What apply says of a plan that was made a moment ago, and of which something was changed.
fn applied(change: impl FnOnce(&Project)) -> Ran {
    let tenant = three_accounts();
    let project = tenant.project(&three_rows());
    project.plan();
    change(&project);
    project.run(&["apply", "plan.jsonl", "--yes"])
}

/// The plan as it would have been a while ago.
fn aged(project: &Project, hours: i64) {
    let text = project.read("plan.jsonl");
    let mut reader = PlanReader::new(text.as_bytes()).unwrap();
    let mut header = reader.header.clone();
    header.created_at = Timestamp::now() - SignedDuration::from_hours(hours);
    let mut writer = PlanWriter::new(Vec::new(), &header).unwrap();
    while let Some(action) = reader.next().unwrap() {
        writer.write_action(action).unwrap();
    }
    project.write("plan.jsonl", writer.seal_plan().unwrap().0);
}

const PLANS: &[Case] = &[
    ("the plan is … old, older than safety.plan_max_age allows", || applied(|project| aged(project, 25))),
    ("the configuration changed since the plan was made", || {
        applied(|project| {
            project.add("policy", "update = false");
        })
    }),
    ("the plan is for tenant …, the configuration is for …", || {
        applied(|project| {
            project.set("tenant", "\"other\"");
        })
    }),
    ("the plan was edited: …", || {
        applied(|project| {
            project.write("plan.jsonl", project.read("plan.jsonl").replace("Lindqvist", "Mallory"));
        })
    }),
    ("the plan was cut short: …", || {
        applied(|project| {
            project.write("plan.jsonl", &project.read("plan.jsonl")[..200]);
        })
    }),
    ("the run … changed accounts after this plan was made: the plan is out of date", || {
        applied(|project| {
            project.sync(0);
        })
    }),
    ("the plan was made against …, not against the live tenant: it can be read, not applied", || {
        applied(|project| {
            project.run(&["export", "-o", "accounts.csv"]).expect(0);
            project.run(&["plan", "--against", "accounts.csv", "-o", "plan.jsonl"]).expect(0);
        })
    }),
    ("nothing was applied: there is no terminal to ask", || small().run(&["sync"])),
    ("--approve … releases nothing of this plan", || small().run(&["sync", "--yes", "--approve", "7132b6b6c29d"])),
    ("the run … has not ended", || {
        // The quota is used up after the first create.
        let faults = "[[rule]]\non = { op = \"create\" }\nthen = { remaining = 0 }\n";
        let tenant = Tenant::with_faults(&[account(1, "ana", "Ana", "Diaz")], faults);
        let project = tenant.project(&three_rows());
        project.add("rate", "concurrency = 1").plan();
        project.sync(6);
        project.run(&["apply", "plan.jsonl", "--yes"])
    }),
];

/// What a sync of these rows says under these limits.
fn limited(rows: &str, limits: &str) -> Ran {
    let tenant = Tenant::with(&[account(1, "ana", "Ana", "Diaz"), account(2, "bo", "Bo", "Li")]);
    let project = tenant.project(rows);
    project.add("safety", limits);
    project.run(&["sync", "--yes"])
}

const HELD: &[Case] = &[
    ("… accounts to deactivate held, the limit is … (safety.max_deactivate)…", || {
        limited(&three_rows().replace("active", "left"), "max_deactivate = 1")
    }),
    ("the source has … rows that count, fewer than safety.min_rows = …: the export looks broken", || {
        limited(&three_rows(), "min_rows = 4")
    }),
    ("… rows cannot be used, at most … are allowed (safety.max_invalid)", || {
        limited(&(three_rows() + "E4,dee\n"), "max_invalid = 0")
    }),
    ("… fewer, at most … are allowed (safety.max_row_drop)", || {
        let tenant = three_accounts();
        let project = tenant.project(&three_rows());
        project.sync(0);
        project.people(&row("E1", "ana", "Ana", "Diaz"));
        project.run(&["sync", "--yes"])
    }),
    ("the listing is not complete…", || {
        let body = r#"{"status_code":4306,"description":"ok","response":{"users":[{"id":1},{"id":2}]}}"#;
        at(&format!("http://127.0.0.1:{}/v3.1", answering(body.to_owned()))).run(&["plan"])
    }),
];

const STATE: &[Case] = &[
    ("another run holds …", || {
        let project = small();
        project.run(&["plan"]).expect(0);
        let _held = Journal::open(&project.path(".headcount"), JournalOptions::new(Timestamp::now())).unwrap();
        project.run(&["sync", "--yes"])
    }),
    ("the journal in … is damaged: …", || {
        let project = small();
        project.sync(0);
        std::fs::remove_file(project.path(".headcount/anchor")).unwrap();
        project.run(&["sync", "--yes"])
    }),
    ("No space left on device", || {
        let project = small();
        std::os::unix::fs::symlink("/dev/full", project.path("full")).unwrap();
        project.run(&["plan", "-o", "full"])
    }),
    ("there is no run …", || {
        let project = small();
        project.sync(0);
        project.run(&["show", "20200101T000000Z-000000"])
    }),
];

/// What a sync says of which a report goes where nothing can be written.
fn reporting(section: &str) -> Ran {
    let project = small();
    project.people(&(three_rows() + "E4,dee\n")).add("safety", "max_invalid = 9");
    project.edit("[journal]", &format!("{section}\n\n[journal]"));
    project.run(&["sync", "--yes"])
}

const TOLD: &[Case] = &[
    ("the generated passwords are not delivered: …", || {
        let recipient = age::x25519::Identity::generate().to_public();
        reporting(&format!("[passwords]\ndeliver_to = \"{recipient}\"\nfile = \"people.csv/passwords.age\""))
    }),
    ("the webhook was not notified: …", || {
        let project = small();
        let answer = "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
        project.write("hook.url", format!("http://127.0.0.1:{}/hook", saying(answer)));
        project
            .edit("[journal]", "[report]\nwebhook = { url = { file = \"hook.url\" }, on = [\"always\"] }\n\n[journal]");
        project.run(&["sync", "--yes"])
    }),
    ("the metrics are not written: …", || reporting("[report]\nmetrics = \"people.csv/headcount.prom\"")),
    ("the report … is not written: …", || reporting("[report]\nmarkdown = \"people.csv/run.md\"")),
    ("the error sheet … is not written: …", || reporting("[report]\nerrors = \"people.csv/errors.csv\"")),
    ("… exists already, and nothing was written", || small().run(&["init", "people.csv", "--yes"])),
    ("Nobody goes by …, neither in the export nor in the last listing of the accounts.", || {
        let project = small();
        project.sync(0);
        project.run(&["explain", "zoe"])
    }),
];

const SECTIONS: [(&str, &[Case]); 9] = [
    ("## Configuration", CONFIGURATION),
    ("## The export", EXPORT),
    ("## Rows", ROWS),
    ("## Signing in and the connection", CONNECTION),
    ("## Accounts that fail", ACCOUNTS),
    ("## Plans", PLANS),
    ("## Held and stopped", HELD),
    ("## The state directory", STATE),
    ("## Passwords, reports and notifications", TOLD),
];

/// Provokes every message of a section, side by side.
fn provoked(section: &str) {
    let (_, cases) = SECTIONS.iter().find(|(name, _)| *name == section).unwrap();
    let missing: Vec<String> = std::thread::scope(|scope| {
        let said: Vec<_> = cases.iter().map(|(heading, provoke)| (heading, scope.spawn(*provoke))).collect();
        said.into_iter()
            .filter_map(|(heading, ran)| {
                let ran = ran.join().unwrap_or_else(|_| panic!("{heading} could not be provoked"));
                let flat = flat(&(ran.stdout + "\n" + &ran.stderr));
                let mut rest = flat.as_str();
                for piece in heading.split('…').map(str::trim).filter(|piece| !piece.is_empty()) {
                    match rest.split_once(piece) {
                        Some((_, after)) => rest = after,
                        None => return Some(format!("{heading}: {piece:?} is not in\n{flat}\n")),
                    }
                }
                None
            })
            .collect()
    });
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}

/// On one line, without what draws a box.
fn flat(text: &str) -> String {
    text.split(|c: char| c.is_whitespace() || "│╰╭─·×".contains(c))
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

#[test]
fn what_is_said_of_the_configuration() {
    provoked("## Configuration");
}

#[test]
fn what_is_said_of_the_export() {
    provoked("## The export");
}

#[test]
fn what_is_said_of_rows() {
    provoked("## Rows");
}

#[test]
fn what_is_said_of_the_connection() {
    provoked("## Signing in and the connection");
}

#[test]
fn what_is_said_of_accounts() {
    provoked("## Accounts that fail");
}

#[test]
fn what_is_said_of_plans() {
    provoked("## Plans");
}

#[test]
fn what_is_held_and_stopped() {
    provoked("## Held and stopped");
}

#[test]
fn what_is_said_of_the_state_directory() {
    provoked("## The state directory");
}

#[test]
fn what_is_said_of_passwords_and_reports() {
    provoked("## Passwords, reports and notifications");
}

#[test]
fn every_message_that_is_explained_is_provoked_and_no_other_is() {
    let page = document("docs/troubleshooting.md");
    let (mut explained, mut tried) = (Vec::new(), Vec::new());
    for (section, cases) in SECTIONS {
        let text = page.section(section);
        explained.extend(
            text.lines()
                .filter_map(|line| line.strip_prefix("### `")?.strip_suffix('`'))
                .map(|heading| format!("{section}: {heading}")),
        );
        tried.extend(cases.iter().map(|(heading, _)| format!("{section}: {heading}")));
    }
    explained.sort();
    tried.sort();
    assert_eq!(explained, tried);
    assert_eq!(page.headings(3).len(), explained.len(), "a message stands in no section");
    assert!(explained.len() > 70, "{}", explained.len());
}
