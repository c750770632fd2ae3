//! The recipes that are more than commands: a manifest for Kubernetes, two pipelines, the migration.

use headcount::sandbox::{Options, Seed};
use serde_json::{Map, Number, Value};
use yaml_rust2::{Yaml, YamlLoader};

use crate::documents::{Block, all, document, file};
use crate::stage::{Scene, Stage};
use crate::support::{KEY, Project, Tenant};

/// YAML as the JSON that it could be.
fn json(yaml: &Yaml) -> Value {
    match yaml {
        Yaml::Real(text) => Value::Number(Number::from_f64(text.parse().unwrap()).unwrap()),
        Yaml::Integer(number) => Value::from(*number),
        Yaml::String(text) => Value::from(text.as_str()),
        Yaml::Boolean(is) => Value::from(*is),
        Yaml::Array(list) => list.iter().map(json).collect(),
        Yaml::Hash(map) => {
            let entry = |(key, value): (&Yaml, &Yaml)| match key {
                // GitHub's `on` is a word.
                Yaml::Boolean(true) => ("on".to_owned(), json(value)),
                key => (key.as_str().unwrap().to_owned(), json(value)),
            };
            Value::Object(map.iter().map(entry).collect::<Map<_, _>>())
        }
        Yaml::Null => Value::Null,
        Yaml::Alias(_) | Yaml::BadValue => panic!("{yaml:?}"),
    }
}

fn yaml(text: &str) -> Vec<Value> {
    YamlLoader::load_from_str(text).unwrap().iter().map(json).collect()
}

fn yaml_of(block: &Block) -> Value {
    let [value] = &yaml(&block.text())[..] else { panic!("{}: several documents", block.at) };
    value.clone()
}

#[test]
fn every_yaml_can_be_read() {
    let blocks: Vec<_> = all().iter().flat_map(|document| document.of("yaml")).collect();
    assert_eq!(blocks.len(), 3, "who looks at the other one?");
    for block in &blocks {
        assert!(yaml_of(block).is_object(), "{}", block.at);
    }
}

/// What the manifest of Kubernetes holds, by kind.
fn manifest(kind: &str) -> Value {
    let all = yaml(&file("samples/kubernetes.yaml"));
    assert_eq!(all.len(), 3);
    all.into_iter().find(|part| part["kind"] == kind).unwrap_or_else(|| panic!("no {kind}"))
}

/// Makes what the pod finds in its file system in a folder: the configuration, the key, the export. The paths of the
/// container begin with `root` then.
fn pod(root: &str, project: &Project, tenant: &Tenant) {
    for folder in ["etc/headcount", "run/secrets/headcount", "export", "var/lib/headcount", "tmp"] {
        std::fs::create_dir_all(project.path(folder)).unwrap();
    }
    let address = tenant.connect(Project::small("")).read("config.toml");
    let address = address.lines().find(|line| line.starts_with("base_url")).unwrap().to_owned();
    for (name, text) in manifest("ConfigMap")["data"].as_object().unwrap() {
        let mut text = text.as_str().unwrap().to_owned();
        for path in ["/export/", "/run/", "/var/"] {
            text = text.replace(&format!("\"{path}"), &format!("\"{root}{path}"));
        }
        let text = text.replace("base_url = \"https://acme.imi.chat/v3.1\"", &address);
        let pace = if name == "config.toml" { "\n[rate]\nrequests_per_second = 0\n" } else { "" };
        project.write(&format!("etc/headcount/{name}"), text + pace);
    }
    project.write("run/secrets/headcount/api-key", KEY);
    project.write("export/hr_export.csv", file("samples/hr_export.csv"));
}

#[test]
fn the_manifest_of_kubernetes_runs_a_sync_that_does_its_work() {
    let tenant = Tenant::sample();
    let project = Project::empty();
    let root = project.path("").to_str().unwrap().trim_end_matches('/').to_owned();
    pod(&root, &project, &tenant);
    let job = &manifest("CronJob")["spec"]["jobTemplate"]["spec"];
    let container = &job["template"]["spec"]["containers"][0];
    let words: Vec<String> =
        container["args"].as_array().unwrap().iter().map(|word| word.as_str().unwrap().into()).collect();
    assert_eq!(words[0], "headcount");
    let words: Vec<String> = words[1..].iter().map(|word| word.replace("/etc/", &format!("{root}/etc/"))).collect();
    let run = || project.run(&words.iter().map(String::as_str).collect::<Vec<_>>());
    run().expect(0).says(&["create", "31"]);
    let writes = tenant.writes().len();
    assert!(writes > 70, "{writes}");
    // The second night finds everything in the state.
    run().expect(0).says(&["nothing to change"]);
    assert!(project.path("var/lib/headcount/state/journal").exists());
    // And a held change says so with exit code 5, which the manifest does not start again.
    let config = project.read("etc/headcount/config.toml");
    project.write("etc/headcount/config.toml", config.replace("[policy]", "[safety]\nmax_create = 0\n\n[policy]"));
    let more = file("samples/hr_export.csv")
        + "E99999,Zoe,Zed,zoe.zed@example.com,Agent,Billing,Team Agent,,Active,,,2026-01-01\n";
    project.write("export/hr_export.csv", more);
    run().expect(5).says(&["--approve"]);
    assert_eq!((&job["backoffLimit"], &job["template"]["spec"]["restartPolicy"]), (&0.into(), &"Never".into()));
}

#[test]
fn what_the_manifest_of_kubernetes_mounts_is_there_and_writable_where_it_must_be() {
    let spec = manifest("CronJob")["spec"].clone();
    assert_eq!(spec["concurrencyPolicy"], "Forbid");
    let pod = &spec["jobTemplate"]["spec"]["template"]["spec"];
    let container = &pod["containers"][0];
    let volumes: Vec<&Value> = pod["volumes"].as_array().unwrap().iter().collect();
    let mounts = container["volumeMounts"].as_array().unwrap();
    for mount in mounts {
        assert!(volumes.iter().any(|volume| volume["name"] == mount["name"]), "{mount}");
    }
    assert_eq!(mounts.len(), volumes.len());
    let config = manifest("ConfigMap")["data"]["config.toml"].as_str().unwrap().to_owned();
    let read_only = |path: &str| mounts.iter().find(|m| m["mountPath"] == path).unwrap()["readOnly"] == true;
    for (path, must) in
        [("/etc/headcount", true), ("/run/secrets/headcount", true), ("/export", true), ("/var/lib/headcount", false)]
    {
        assert_eq!(read_only(path), must, "{path}");
        assert!(path == "/etc/headcount" || config.contains(&format!("\"{path}/")), "{path}");
    }
    let state = volumes.iter().find(|volume| volume["name"] == "state").unwrap();
    assert_eq!(state["persistentVolumeClaim"]["claimName"], manifest("PersistentVolumeClaim")["metadata"]["name"]);
    let map = volumes.iter().find(|volume| volume["name"] == "config").unwrap();
    assert_eq!(map["configMap"]["name"], manifest("ConfigMap")["metadata"]["name"]);
}

#[test]
fn the_teams_of_the_manifest_are_those_of_the_sample() {
    assert_eq!(manifest("ConfigMap")["data"]["teams.csv"], file("samples/teams.csv"));
}

/// A pipeline for the approval: how it is made, the commands that plan, and those that apply.
struct Pipeline {
    plan: Vec<String>,
    apply: Vec<String>,
}

fn pipelines() -> [(&'static str, Pipeline); 2] {
    let blocks = document("docs/recipes/approval-by-pull-request.md").of("yaml");
    let [github, gitlab] = [&blocks[0], &blocks[1]].map(yaml_of);
    let steps = |job: &str| -> Vec<String> {
        let steps = github["jobs"][job]["steps"].as_array().unwrap().iter();
        steps.filter_map(|step| step["run"].as_str().map(str::to_owned)).collect()
    };
    // GitLab runs the lines of a job as one script.
    let script = |job: &str| -> Vec<String> {
        let lines = gitlab[job]["script"].as_array().unwrap().iter().map(|line| line.as_str().unwrap());
        vec![lines.collect::<Vec<_>>().join("\n")]
    };
    [
        ("GitHub", Pipeline { plan: steps("plan"), apply: steps("apply") }),
        ("GitLab", Pipeline { plan: script("plan"), apply: script("apply") }),
    ]
}

#[test]
fn the_pipelines_plan_tell_and_apply_exactly_that_plan() {
    for (name, pipeline) in pipelines() {
        let stage = Stage::new(Scene::Live);
        let state = stage.project.path("state").to_str().unwrap().to_owned();
        let run = |scripts: &[String]| {
            for script in scripts {
                let script = script.replace("/var/lib/headcount/state", &state);
                // What the service writes into a script before it is run.
                let script = script
                    .split("${{")
                    .map(|part| part.split_once("}}").map_or(part, |(_, rest)| rest))
                    .collect::<Vec<_>>()
                    .join("7");
                let variables =
                    ["CI_MERGE_REQUEST_IID", "CI_COMMIT_SHA", "HEADCOUNT_BOT", "API"].map(|name| (name, "7"));
                let ran = stage.script(&script, &variables);
                assert_eq!(ran.code, Some(0), "{name}: {script}\n{}\n{}", ran.stdout, ran.stderr);
            }
        };
        run(&pipeline.plan);
        assert!(stage.tenant().ledger().is_empty(), "{name}");
        assert!(stage.project.read("plan.md").contains("31"), "{name}");
        // The next job begins with what the service kept, and nothing else.
        std::fs::create_dir(stage.project.path("artifacts")).unwrap();
        std::fs::rename(stage.project.path("hr.plan"), stage.project.path("artifacts/hr.plan")).unwrap();
        std::fs::remove_file(stage.project.path("plan.md")).unwrap();
        run(&pipeline.apply);
        assert_eq!(stage.tenant().ledger().iter().filter(|effect| effect.starts_with("Create")).count(), 31, "{name}");
    }
}

#[test]
fn what_the_pipelines_keep_is_the_plan_and_not_for_long() {
    let blocks = document("docs/recipes/approval-by-pull-request.md").of("yaml");
    let [github, gitlab] = [&blocks[0], &blocks[1]].map(yaml_of);
    let upload =
        github["jobs"]["plan"]["steps"].as_array().unwrap().iter().find(|step| step["with"]["path"].is_string());
    assert_eq!(upload.unwrap()["with"], serde_json::json!({"name": "plan", "path": "hr.plan", "retention-days": 2}));
    assert_eq!(gitlab["plan"]["artifacts"], serde_json::json!({"paths": ["hr.plan"], "expire_in": "2 days"}));
}

#[test]
fn a_merge_that_brings_another_configuration_applies_nothing() {
    let stage = Stage::new(Scene::Live);
    stage.project.run(&["plan", "-o", "hr.plan"]).expect(0);
    stage.project.set("leavers", "\"report\"");
    stage
        .project
        .run(&["apply", "hr.plan", "--yes"])
        .expect(1)
        .says(&["the configuration changed since the plan was made"]);
    assert!(stage.tenant().ledger().is_empty());
}

#[test]
fn the_mapping_of_the_migration_is_that_of_its_sample() {
    let squeezed = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    let sample: Vec<String> =
        file("samples/migration.toml").lines().map(|line| squeezed(line.split(" #").next().unwrap())).collect();
    let blocks = document("docs/recipes/migration.md").of("toml");
    let lines: Vec<String> = blocks.into_iter().flat_map(|block| block.lines).filter(|line| !line.is_empty()).collect();
    assert!(lines.len() > 9, "{lines:?}");
    for line in lines {
        assert!(sample.contains(&squeezed(&line)), "samples/migration.toml has no `{line}`");
    }
}

#[test]
fn two_tenants_of_one_name_do_not_apply_each_others_plans() {
    let [one, other] = [0, 1].map(|_| Tenant::start(Options { seed: Seed::Sample, ..Options::default() }));
    let [first, second] = [&one, &other].map(|tenant| tenant.connect(Project::sample()));
    first.run(&["plan", "-o", "hr.plan"]).expect(0);
    second.write("hr.plan", first.read("hr.plan"));
    second.run(&["apply", "hr.plan", "--yes"]).expect(1).says(&["the plan is for tenant acme"]);
    assert!(other.ledger().is_empty());
}
