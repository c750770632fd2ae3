//! A secret is never printed, logged, journalled or reported.

use std::io::Read;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use headcount::sandbox::password_hash;

use crate::support::{DOMAIN, KEY, Project, Ran, TOKEN, Tenant, answering, at, three_accounts, three_rows};

/// What must stand nowhere: the key, in clear and as it is sent.
fn key_in_both_forms() -> Vec<String> {
    vec![KEY.to_owned(), STANDARD.encode(format!("{KEY}@{DOMAIN}"))]
}

/// Every file of the project but the named ones, and every output, is free of the secrets.
fn nowhere(project: &Project, outputs: &[Ran], secrets: &[String], but: &[&str]) {
    for ran in outputs {
        for secret in secrets {
            assert!(!ran.stdout.contains(secret.as_str()) && !ran.stderr.contains(secret.as_str()), "{secret}");
        }
    }
    let files = project.files(".");
    assert!(files.iter().any(|file| file.ends_with("journal/db")), "{files:?}");
    for file in files.iter().filter(|file| !but.iter().any(|name| file.ends_with(name))) {
        let bytes = std::fs::read(file).unwrap();
        for secret in secrets {
            let found = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
            assert!(!found, "{secret} stands in {}", file.display());
        }
    }
}

/// Everything that tells of the last run.
fn tellings(project: &Project) -> Vec<Ran> {
    let mut tellings = vec![project.run(&["show", "last"]), project.run(&["runs"]), project.run(&["plan", "-vvv"])];
    for form in ["text", "markdown", "json", "csv"] {
        tellings.push(project.run(&["report", "last", "--as", form]));
        tellings.push(project.run(&["report", "plan.jsonl", "--as", form]));
    }
    tellings.iter().for_each(|ran| {
        ran.expect(0);
    });
    tellings
}

fn decrypted(project: &Project, file: &str, identity: &age::x25519::Identity) -> Vec<csv::StringRecord> {
    let bytes = std::fs::read(project.path(file)).unwrap();
    let decryptor = age::Decryptor::new(&bytes[..]).unwrap();
    let mut text = String::new();
    let identity: &dyn age::Identity = identity;
    decryptor.decrypt(std::iter::once(identity)).unwrap().read_to_string(&mut text).unwrap();
    let mut table = csv::Reader::from_reader(text.as_bytes());
    assert_eq!(table.headers().unwrap(), vec!["key", "identity", "account", "attribute", "value"]);
    table.records().map(Result::unwrap).collect()
}

#[test]
fn generated_passwords_reach_their_owner_and_nobody_else() {
    let identity = age::x25519::Identity::generate();
    let tenant = Tenant::sample();
    let project = tenant.connect(Project::sample());
    project.set("deliver_to", &format!("\"{}\"", identity.to_public()));
    project.run(&["plan", "-o", "plan.jsonl", "-vvv"]).expect(0);
    let sync = project.run(&["sync", "--yes", "-vvv"]);
    sync.expect(0).says(&["Generated passwords: passwords.age"]);

    assert_eq!(project.mode("passwords.age"), 0o600);
    let rows = decrypted(&project, "passwords.age", &identity);
    assert_eq!(rows.len(), 31);
    let accounts = tenant.accounts();
    for row in &rows {
        let account = accounts.iter().find(|account| account.login_id == row[0]).unwrap();
        assert_eq!(account.id.to_string(), row[2]);
        assert_eq!(account.password.as_deref(), Some(password_hash(&row[4]).as_str()), "{}", &row[0]);
        assert_eq!((&row[3], row[4].chars().count()), ("password", 20));
    }

    let mut secrets: Vec<String> = rows.iter().map(|row| row[4].to_owned()).collect();
    assert_eq!(secrets.iter().collect::<std::collections::HashSet<_>>().len(), 31);
    secrets.extend(key_in_both_forms());
    let mut outputs = tellings(&project);
    outputs.push(sync);
    nowhere(&project, &outputs, &secrets, &[]);
    // What the passwords were derived from is gone with the run's end.
    assert!(project.files(".headcount").iter().all(|file| !file.ends_with("secret")));
}

#[test]
fn an_earlier_file_of_passwords_is_never_overwritten() {
    let identity = age::x25519::Identity::generate();
    let tenant = three_accounts();
    let project = tenant.project(&three_rows());
    let text = project.read("config.toml");
    project.write("config.toml", format!("{text}\n[passwords]\ndeliver_to = \"{}\"\n", identity.to_public()));
    project.sync(0);
    let first = std::fs::read(project.path("passwords.age")).unwrap();
    project.people(&(three_rows() + &crate::support::row("E4", "dee", "Dee", "Day")));
    let run = project.sync(0)["run"].as_str().unwrap().to_owned();
    assert_eq!(std::fs::read(project.path("passwords.age")).unwrap(), first);
    let second = decrypted(&project, &format!("passwords-{run}.age"), &identity);
    assert_eq!((second.len(), &second[0][0]), (1, "dee"));
    assert_eq!(&decrypted(&project, "passwords.age", &identity)[0][0], "cy");
}

#[test]
fn a_password_from_the_export_is_sent_and_told_to_nobody() {
    let tenant = Tenant::with(&[]);
    let project = tenant.connect(Project::small("id,login,email,first,last,title,status,pin\nE1,ana,ana@example.com,Ana,Diaz,Agent,active,Zx81-Plumtree\nE2,bo,bo@example.com,Bo,Li,Agent,active,Quince&Vim66\n"));
    project.set("password", "\"pin\"");
    project.run(&["plan", "-o", "plan.jsonl", "-vvv"]).expect(0);
    let sync = project.run(&["sync", "--yes", "-vvv"]);
    sync.expect(0);
    assert_eq!(tenant.account("ana").password, Some(password_hash("Zx81-Plumtree")));
    assert_eq!(tenant.account("bo").password, Some(password_hash("Quince&Vim66")));
    let mut outputs = tellings(&project);
    outputs.push(sync);
    let mut secrets = key_in_both_forms();
    secrets.extend(["Zx81-Plumtree".to_owned(), "Quince&Vim66".to_owned()]);
    nowhere(&project, &outputs, &secrets, &["people.csv"]);
}

#[test]
fn a_server_that_repeats_the_key_and_a_password_in_its_answer_is_not_repeated() {
    let auth = STANDARD.encode(format!("{KEY}@{DOMAIN}"));
    let faults = format!(
        "[[rule]]\non = {{ op = \"create\" }}\nthen = {{ status = 400, code = 3115, description = \"key {KEY} auth {auth} \
         pin Zx81-Plumtree\" }}\n"
    );
    let tenant = Tenant::with_faults(&[], &faults);
    let project = tenant.connect(Project::small(
        "id,login,email,first,last,title,status,pin\nE1,ana,ana@example.com,Ana,Diaz,Agent,active,Zx81-Plumtree\n",
    ));
    project.set("password", "\"pin\"");
    let sync = project.run(&["sync", "--yes", "-vvv"]);
    sync.expect(4).says(&["3115"]);
    let mut secrets = key_in_both_forms();
    secrets.push("Zx81-Plumtree".to_owned());
    let report = project.run(&["report", "last", "--as", "json"]);
    nowhere(&project, &[sync, report], &secrets, &["people.csv"]);
}

#[test]
fn a_token_stands_nowhere_even_where_the_server_repeats_it() {
    let users = format!(r#"{{"status_code":9999,"description":"token {TOKEN} is odd","response":""}}"#);
    let project = at(&format!("http://127.0.0.1:{}/v3.1", answering(users)));
    let plan = project.run(&["plan", "-vvv"]);
    plan.expect(1).says(&["9999", "is odd"]);
    nowhere(&project, &[plan], &[vec![TOKEN.to_owned()], key_in_both_forms()].concat(), &[]);
}

#[test]
fn a_key_in_clear_is_refused_and_not_shown() {
    let project = Project::small("");
    project.people(&three_rows());
    project.set("base_url", &format!("\"https://acme.imi.chat/v3.1\"\napi_key = \"{KEY}\"\ndomain = \"{DOMAIN}\""));
    project.run(&["check"]).expect(1).says(&["api_key", "env", "config.toml:8"]).says_nothing_of(&[KEY]);
    let (ran, _) = project.json(&["plan"]);
    ran.says_nothing_of(&[KEY]);
    project.edit(&format!("api_key = \"{KEY}\""), "api_key = { env = \"HEADCOUNT_TEST_KEY\" }");
    project.set("password", "{ value = \"Zx81-Plumtree\" }");
    project.run(&["check"]).expect(1).says(&["password"]).says_nothing_of(&["Plumtree"]);
}
