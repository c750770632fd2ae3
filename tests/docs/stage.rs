//! Where the commands of a document are run: a folder that is prepared with what the document says is there, and a path on
//! which nothing is found but headcount and what the tables here name.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;
use std::process::Stdio;

use crate::documents::{Block, root};
use crate::support::{KEY, Project, Ran, Tenant, ran};

/// What a document, or a part of it, finds in its folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scene {
    /// The configuration of the repository and the samples, at full speed.
    Sample,
    /// An export and the table of its teams, and nothing else.
    Export,
    /// As the sample, against a tenant of its own that asks for a key.
    Live,
    /// As the sample, with more leavers than may be deactivated at once.
    Held,
    /// As the sample, after its first run.
    Done,
}

/// Where a document is not at home in the sample, by heading; from there on, until the next of these. The folder is a new one.
pub const SCENES: [(&str, &str, Scene); 8] = [
    ("README.md", "The first five minutes", Scene::Export),
    ("README.md", "Going live", Scene::Live),
    ("docs/recipes/nightly-sync.md", "Every night, with cron or systemd", Scene::Live),
    ("docs/recipes/staged-roll-out.md", "Some people first", Scene::Sample),
    ("docs/recipes/staged-roll-out.md", "Carefully at first", Scene::Held),
    ("docs/recipes/undoing-a-run.md", "Undoing a run", Scene::Done),
    ("docs/recipes/approval-by-pull-request.md", "What is held", Scene::Held),
    ("docs/recipes/approval-by-pull-request.md", "Without pull requests", Scene::Sample),
];

/// Programs of the machine that commands may use.
const TOOLS: [&str; 8] = ["cat", "cp", "dirname", "ls", "mkdir", "mv", "rm", "true"];

/// Programs that are not run: why not, and what stands in for them.
pub const NOT_RUN: [(&str, &str, &str); 9] = [
    (
        "cargo",
        "it is what runs this test; of what it starts, `cargo run --release --` is run as the program itself",
        "",
    ),
    ("systemctl", "it needs a machine whose services this test would change", ""),
    ("journalctl", "as systemctl", ""),
    ("kubectl", "it needs a cluster", "cat > /dev/null"),
    (
        "gh",
        "it needs GitHub",
        "case \"$1 $2\" in 'run list') echo 7 ;; 'run download') cp \"$ARTIFACTS/hr.plan\" . ;; esac",
    ),
    ("curl", "it needs GitLab", "case \"$*\" in *' --output hr.plan '*) cp \"$ARTIFACTS/hr.plan\" . ;; esac"),
    ("jq", "it need not be installed", "cat > /dev/null; echo 7"),
    ("age", "it need not be installed; what it decrypts is read by `tests/cli/secrets.rs`", "cat > /dev/null"),
    ("age-keygen", "as age", ""),
];

pub struct Stage {
    pub project: Project,
    tenant: Option<Tenant>,
    programs: tempfile::TempDir,
    /// All that the commands said so far.
    pub said: String,
}

impl Stage {
    pub fn new(scene: Scene) -> Self {
        let mut project = Project::empty();
        let mut tenant = None;
        if scene == Scene::Export {
            for (from, to) in [("samples/hr_export.csv", "export.csv"), ("samples/teams.csv", "teams.csv")] {
                fs::copy(root().join(from), project.path(to)).unwrap();
            }
        } else {
            fs::create_dir(project.path("samples")).unwrap();
            project.write("config.toml", at_full_speed(&crate::documents::file("config.toml")));
            for entry in fs::read_dir(root().join("samples")).unwrap().map(Result::unwrap) {
                let name = format!("samples/{}", entry.file_name().to_str().unwrap());
                project.write(&name, at_full_speed(&crate::documents::file(&name)));
            }
            // The commands of the documents name it so.
            fs::copy(root().join("samples/hr_export.csv"), project.path("export.csv")).unwrap();
            fs::copy(root().join("samples/teams.csv"), project.path("teams.csv")).unwrap();
        }
        match scene {
            Scene::Live => {
                let sample = Tenant::sample();
                project.write("api.key", KEY);
                fs::set_permissions(project.path("api.key"), fs::Permissions::from_mode(0o600)).unwrap();
                project = sample.connect(project);
                project.edit("{ env = \"HEADCOUNT_TEST_KEY\" }", "{ file = \"api.key\" }");
                tenant = Some(sample);
            }
            Scene::Held => {
                project.set("max_deactivate", "5");
            }
            Scene::Done => drop(project.sync(0)),
            Scene::Sample | Scene::Export => {}
        }
        Self { project, tenant, programs: programs(), said: String::new() }
    }

    /// The requests that arrived at the tenant of the scene.
    pub fn tenant(&self) -> &Tenant {
        self.tenant.as_ref().unwrap()
    }

    /// Runs a command line as a person would type it.
    pub fn run(&mut self, line: &str) -> Ran {
        let line = self.filled_in(line);
        if let Some(arguments) = line.strip_prefix("headcount sandbox") {
            return self.serve(arguments);
        }
        let ran = self.script(&line, &[]);
        self.said.push_str(&ran.stdout);
        self.said.push_str(&ran.stderr);
        // What was just written asks for the pace of the sample.
        if line.contains("headcount init") {
            for name in ["config.toml", "scim.toml"].iter().filter(|name| self.project.path(name).exists()) {
                let text = self.project.read(name);
                self.project.write(name, at_full_speed(&text));
            }
        }
        ran
    }

    /// Runs a script in the folder, with nothing on its path but what the tables name.
    pub fn script(&self, script: &str, variables: &[(&str, &str)]) -> Ran {
        let arguments = ["--noprofile", "--norc", "-e", "-u", "-o", "pipefail", "-c", script];
        let mut command = self.project.through(which("bash").unwrap(), &arguments);
        command.env("PATH", self.programs.path()).env("ARTIFACTS", self.project.path("artifacts"));
        command.envs(variables.iter().copied());
        ran(&mut command)
    }

    /// A command line with what stands for something else replaced, and with the answer to its question.
    fn filled_in(&self, line: &str) -> String {
        let line = line.replace("cargo run --release -- ", "headcount ");
        let hash = self.said.rsplit("--approve ").next().and_then(|rest| rest.get(..12));
        let mut line = line.replace("HASH", hash.unwrap_or("no-hash-was-shown"));
        if line.contains(" RUN") {
            let runs = fs::read_dir(self.project.path(".headcount/runs")).unwrap();
            let last = runs.map(|run| run.unwrap().file_name().into_string().unwrap()).max().unwrap();
            line = line.replace(" RUN", &format!(" {last}"));
        }
        let asks = ["apply", "sync", "resume", "init"].contains(&subcommand(&line).unwrap_or_default());
        if asks && !line.contains("--yes") { line + " --yes" } else { line }
    }

    /// Starts a server, on any port that is free, and tells it to end once it serves.
    fn serve(&self, arguments: &str) -> Ran {
        let words: Vec<&str> =
            arguments.split_whitespace().map(|word| if word == "8080" { "0" } else { word }).collect();
        let mut command = self.project.command(&[&["sandbox"], &words[..]].concat());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        let mut stdout = std::io::BufReader::new(child.stdout.take().unwrap());
        std::io::BufRead::read_line(&mut stdout, &mut line).unwrap();
        let kill = std::process::Command::new("kill").arg(child.id().to_string()).status().unwrap();
        assert!(kill.success());
        let ended = Ran::of(child.wait_with_output().unwrap());
        Ran { stdout: line, ..ended }
    }
}

/// The name of headcount's command in a line, if it is one.
pub fn subcommand(line: &str) -> Option<&str> {
    let mut words = line.strip_prefix("headcount ")?.split_whitespace();
    while let Some(word) = words.next() {
        match word {
            "-c" | "--config" | "--state" | "--format" | "--color" => drop(words.next()),
            _ if word.starts_with('-') => {}
            _ => return Some(word),
        }
    }
    None
}

/// The command lines of a block, each with the exit code that stands beside it.
pub fn lines(block: &Block) -> Vec<(String, i32)> {
    let joined = block.text().replace("\\\n", " ");
    let lines = joined.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#'));
    lines
        .map(|line| {
            let (command, comment) = line.split_once(" #").unwrap_or((line, ""));
            let code = comment.split("exit ").nth(1).and_then(|rest| rest.split(|c: char| !c.is_ascii_digit()).next());
            (command.trim().to_owned(), code.map_or(0, |code| code.parse().unwrap()))
        })
        .collect()
}

/// A configuration that does not wait.
pub fn at_full_speed(config: &str) -> String {
    let fast = |line: &str| {
        if line.starts_with("requests_per_second") { "requests_per_second = 0" } else { line }.to_owned() + "\n"
    };
    config.lines().map(fast).collect()
}

/// A folder with the programs that commands may call.
fn programs() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    symlink(env!("CARGO_BIN_EXE_headcount"), folder.path().join("headcount")).unwrap();
    for tool in TOOLS {
        symlink(which(tool).unwrap_or_else(|| panic!("there is no {tool} here")), folder.path().join(tool)).unwrap();
    }
    let bash = which("bash").unwrap();
    for (name, _, instead) in NOT_RUN {
        let script = format!("#!{}\n{instead}\n", bash.display());
        fs::write(folder.path().join(name), script).unwrap();
        fs::set_permissions(folder.path().join(name), fs::Permissions::from_mode(0o755)).unwrap();
    }
    folder
}

/// A program of this machine.
pub fn which(name: &str) -> Option<PathBuf> {
    std::env::split_paths(&std::env::var_os("PATH")?).map(|folder| folder.join(name)).find(|path| path.is_file())
}

/// The scene that begins with this heading, if one does.
pub fn scene_at(document: &str, heading: &str) -> Option<Scene> {
    SCENES.iter().find(|(of, at, _)| (*of, *at) == (document, heading)).map(|(_, _, scene)| *scene)
}
