//! Where secrets come from. The configuration only says where one is kept; it is read when it is needed, handed on as
//! a [`Secret`], and no error, log or `Debug` text holds it.

use std::ffi::OsString;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use toml::de::DeValue;

use super::toml_reader::type_of;
use super::{
    ConfigReading, Doubles, Either, FILE, ItemList, Sees, Setting, SettingForm, SettingsTable, ShapedText, TEXT,
    TableRule, TextShape, TomlItem, ValueKind, one_of, plain_text, settings_table,
};
use crate::model::Secret;

/// How long a command may take to tell a secret: enough for a vault on the network, too short for one that waits for a
/// person who is not there.
const COMMAND_LIMIT: Duration = Duration::from_secs(30);

/// As much of a command's output as is kept.
const OUTPUT_LIMIT: u64 = 64 * 1024;

/// Where a secret is found; it is read when it is needed, and not kept in the settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretSource {
    Env(String),
    File(PathBuf),
    Command(Vec<String>),
}

/// Why a secret could not be had. Never says what it would have been.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    #[error("the environment variable {name} is not set")]
    Unset { name: String },
    #[error("the environment variable {name} is empty")]
    EmptyVariable { name: String },
    #[error("the environment variable {name} is not UTF-8")]
    GarbledVariable { name: String },
    #[error("the secret file {} cannot be read: {source}", path.display())]
    Unreadable { path: PathBuf, source: io::Error },
    #[error("the secret file {} is empty", path.display())]
    EmptyFile { path: PathBuf },
    #[error("the secret command {program} cannot be run: {source}")]
    NotRun { program: String, source: io::Error },
    #[error("the secret command {program} failed ({status}): {stderr}")]
    Failed { program: String, status: String, stderr: String },
    #[error("the secret command {program} printed nothing on its first line")]
    Silent { program: String },
    #[error("the secret command {program} printed something that is not UTF-8")]
    GarbledOutput { program: String },
    #[error("the secret command {program} did not finish within {} seconds", limit.as_secs_f64())]
    TooSlow { program: String, limit: Duration },
}

impl SecretSource {
    /// Reads the secret. Blocks; a command may take up to 30 seconds.
    ///
    /// # Errors
    /// A variable that is missing or empty, a file that cannot be read or is empty, a command that cannot be run,
    /// fails, says nothing or takes too long.
    pub fn resolve(&self) -> Result<Secret, SecretError> {
        self.resolve_within(COMMAND_LIMIT)
    }

    /// The same, with less time for a command.
    ///
    /// # Errors
    /// As there.
    pub fn resolve_within(&self, limit: Duration) -> Result<Secret, SecretError> {
        match self {
            Self::Env(name) => from_env(name, |name| std::env::var_os(name)),
            Self::File(path) => from_file(path),
            Self::Command(words) => from_command(words, limit.min(COMMAND_LIMIT)),
        }
    }
}

fn from_env(name: &str, read: impl Fn(&str) -> Option<OsString>) -> Result<Secret, SecretError> {
    let name = || name.to_owned();
    let text = read(&name()).ok_or_else(|| SecretError::Unset { name: name() })?;
    let text = text.into_string().map_err(|_| SecretError::GarbledVariable { name: name() })?;
    if text.trim().is_empty() {
        return Err(SecretError::EmptyVariable { name: name() });
    }
    Ok(Secret::new(text))
}

fn from_file(path: &Path) -> Result<Secret, SecretError> {
    let unreadable = |source| SecretError::Unreadable { path: path.to_owned(), source };
    warn_if_everybody_reads(path);
    let text = std::fs::read_to_string(path).map_err(unreadable)?;
    let line = text.strip_suffix('\n').unwrap_or(&text);
    let line = line.strip_suffix('\r').unwrap_or(line);
    if line.trim().is_empty() {
        return Err(SecretError::EmptyFile { path: path.to_owned() });
    }
    Ok(Secret::new(line))
}

/// A secret that every user of the machine can read is worth a word; it may still be meant that way (a container).
#[cfg(unix)]
fn warn_if_everybody_reads(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    // A file that is not there is an error on reading, just after this.
    if std::fs::metadata(path).is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o004 != 0) {
        tracing::warn!(path = %path.display(), "every user of this machine can read this secret file: chmod 600");
    }
}

#[cfg(not(unix))]
fn warn_if_everybody_reads(_: &Path) {}

/// The first line that the command writes. It runs without a shell and without input, so that it cannot wait for one.
fn from_command(words: &[String], limit: Duration) -> Result<Secret, SecretError> {
    let program = || words.first().cloned().unwrap_or_default();
    let not_run = |source| SecretError::NotRun { program: program(), source };
    let started = Instant::now();
    let mut child = Command::new(program())
        .args(words.iter().skip(1))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(not_run)?;
    let (stdout, stderr) = (read_in_background(child.stdout.take()), read_in_background(child.stderr.take()));
    let too_slow = || SecretError::TooSlow { program: program(), limit };
    let status = loop {
        if let Some(status) = child.try_wait().map_err(not_run)? {
            break status;
        }
        if started.elapsed() >= limit {
            end_command(&mut child);
            return Err(too_slow());
        }
        thread::sleep(Duration::from_millis(5));
    };
    // A child of the command may hold the pipes open for longer than the command itself.
    let output = |pipe: mpsc::Receiver<Vec<u8>>| {
        pipe.recv_timeout(limit.saturating_sub(started.elapsed())).map_err(|_| too_slow())
    };
    if !status.success() {
        let stderr = String::from_utf8_lossy(&output(stderr)?).trim().chars().take(500).collect::<String>();
        let stderr = if stderr.is_empty() { "it printed nothing on stderr".to_owned() } else { stderr };
        return Err(SecretError::Failed { program: program(), status: status.to_string(), stderr });
    }
    let text = String::from_utf8(output(stdout)?).map_err(|_| SecretError::GarbledOutput { program: program() })?;
    match text.lines().next().map(str::trim) {
        Some(line) if !line.is_empty() => Ok(Secret::new(line)),
        _ => Err(SecretError::Silent { program: program() }),
    }
}

/// Reads a pipe to its end beside the waiting, so that a command that writes much is not stuck; keeps the beginning.
fn read_in_background(pipe: Option<impl Read + Send + 'static>) -> mpsc::Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::channel();
    if let Some(mut pipe) = pipe {
        thread::spawn(move || {
            let mut kept = Vec::new();
            // A pipe that breaks ends like one that is closed: what was read by then is all there is, and whoever
            // waited has gone when it cannot be sent.
            let _ = pipe.by_ref().take(OUTPUT_LIMIT).read_to_end(&mut kept);
            let _ = io::copy(&mut pipe, &mut io::sink());
            let _ = sender.send(kept);
        });
    }
    receiver
}

/// Ends a command that took too long, and waits for it so that no zombie stays.
fn end_command(child: &mut Child) {
    // It may have ended by itself just now; either way there is nothing more to do.
    let _ = child.kill();
    let _ = child.wait();
}

/// Where a secret is kept: `{ env }`, `{ file }` or `{ command }`.
pub struct SecretForm {
    variable: &'static str,
}

/// A secret, which is usually kept in this environment variable.
#[must_use]
pub const fn secret_place(variable: &'static str) -> SecretForm {
    SecretForm { variable }
}

const PLACES: &[&str] = &["env", "file", "command"];

settings_table! {
    SecretTable makes Option<SecretSource> {
        env = one_of(VARIABLE, PLACES), "The environment variable that holds it.";
        file = one_of(FILE, PLACES),
            "A file that holds it and nothing else; a line break at its end is ignored.";
        command = one_of(Either { one: WORDS, other: COMMAND, said: "a list of words or a string" }, PLACES),
            "A command that prints it in its first line. It runs without a shell and without input, for 30 seconds \
             at most; a string is split at spaces.";
    } => env.map(SecretSource::Env).or(file.map(SecretSource::File)).or(command.map(SecretSource::Command))
}

const WORDS: ItemList<ShapedText<String>> =
    ItemList { of: TEXT, said: "a list of words", doubles: Doubles::Allowed, empty: Some(("is empty", None)) };

const COMMAND: ShapedText<Vec<String>> = plain_text("a command", &["pass show imichat", "vault"], |item, reading| {
    Some(item.read_str(reading)?.split_whitespace().map(str::to_owned).collect())
});

const VARIABLE: ShapedText<String> = ShapedText {
    shape: TextShape {
        said: "the name of an environment variable (letters, digits, _)",
        pattern: "^[A-Za-z_][A-Za-z0-9_]*$",
        sees: Sees::All,
        taken: &["IMICHAT_API_KEY", "_key2"],
        refused: &["", "1A", "a-b", "a b"],
    },
    read: read_variable,
};

/// The settings of which exactly one says where a secret is.
#[must_use]
pub fn secret_settings() -> Vec<Setting> {
    SecretTable.settings()
}

/// What a table of secrets takes, for the reference and for editors.
#[must_use]
pub fn secret_table() -> ValueKind {
    let said = "a table that says where the secret is kept";
    ValueKind::Table { settings: secret_settings(), rule: TableRule::ExactlyOne, said }
}

impl SettingForm for SecretForm {
    type Output = SecretSource;

    fn takes(&self) -> ValueKind {
        ValueKind::Secret(self.variable)
    }

    /// Whatever is no table is a secret in clear, as far as anyone can tell, and is not shown.
    fn read(&self, item: &TomlItem<'_>, reading: &mut ConfigReading) -> Option<SecretSource> {
        let DeValue::Table(_) = item.value else {
            reading.hide_value(item.value, &item.span);
            let what = match item.value {
                DeValue::String(_) => "is here in clear text".to_owned(),
                other => format!("must be a table that says where the secret is kept, not {}", type_of(other)),
            };
            let help = format!("use {{ env = \"{}\" }}, {{ file = … }} or {{ command = … }}", self.variable);
            return item.refuse(&what, help, reading);
        };
        let table = item.read_table(reading)?;
        table.hide_unknown(PLACES, reading);
        table.refuse_unknown(PLACES, reading);
        if PLACES.iter().filter(|place| table.has_key(place)).count() != 1 {
            return item.refuse("must name one of `env`, `file` and `command`", None, reading);
        }
        SecretTable.fill(&table, reading)?
    }
}

fn read_variable(item: &TomlItem<'_>, reading: &mut ConfigReading) -> Option<String> {
    let name = item.read_str(reading)?;
    let plain =
        name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') && !name.starts_with(|c: char| c.is_ascii_digit());
    if plain {
        return Some(name.to_owned());
    }
    // It is likely the secret itself.
    reading.hide_value(item.value, &item.span);
    item.refuse(&format!("must be {}", VARIABLE.shape.said), None, reading)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(words: &[&str]) -> Vec<String> {
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    fn file(content: &[u8]) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), content).unwrap();
        file
    }

    #[test]
    fn a_variable_is_read_as_it_stands_and_a_missing_one_is_named() {
        let read = |value: Option<&str>| from_env("KEY", |_| value.map(OsString::from));
        assert_eq!(read(Some("hunter2")).unwrap().expose(), "hunter2");
        assert_eq!(read(None).unwrap_err().to_string(), "the environment variable KEY is not set");
        assert_eq!(read(Some(" ")).unwrap_err().to_string(), "the environment variable KEY is empty");
        let path = SecretSource::Env("PATH".into()).resolve().unwrap();
        assert_eq!(path.expose(), std::env::var("PATH").unwrap());
    }

    #[test]
    fn a_file_loses_one_line_end_and_nothing_else() {
        let read = |content: &[u8]| from_file(file(content).path());
        assert_eq!(read(b" pass word \n").unwrap().expose(), " pass word ");
        assert_eq!(read(b"one\r\n").unwrap().expose(), "one");
        assert_eq!(read(b"one\n\n").unwrap().expose(), "one\n");
        assert_eq!(read(b"one").unwrap().expose(), "one");
        assert!(matches!(read(b"\n"), Err(SecretError::EmptyFile { .. })));
        assert!(matches!(read(b"\xff\xfe"), Err(SecretError::Unreadable { .. })));
        let missing = from_file(Path::new("/nowhere/at/all")).unwrap_err().to_string();
        assert!(missing.starts_with("the secret file /nowhere/at/all cannot be read: "), "{missing}");
    }

    #[cfg(unix)]
    #[test]
    fn a_command_tells_its_first_line_without_a_shell() {
        let run = |list: &[&str]| from_command(&words(list), COMMAND_LIMIT);
        assert_eq!(run(&["printf", " hunter2 \nuser: me\n"]).unwrap().expose(), "hunter2");
        assert_eq!(run(&["echo", "$HOME;"]).unwrap().expose(), "$HOME;");
        assert!(matches!(run(&["true"]), Err(SecretError::Silent { .. })));
        assert!(matches!(run(&["printf", "\\377"]), Err(SecretError::GarbledOutput { .. })));
        assert!(matches!(run(&["/nowhere/at/all"]), Err(SecretError::NotRun { .. })));
    }

    #[cfg(unix)]
    #[test]
    fn a_command_that_fails_says_what_it_said_and_not_what_it_told() {
        let script = "echo hunter2; echo vault is sealed >&2; exit 3";
        let error = from_command(&words(&["sh", "-c", script]), COMMAND_LIMIT).unwrap_err().to_string();
        assert!(error.contains("(exit status: 3): vault is sealed"), "{error}");
        assert!(!error.contains("hunter2"), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn a_command_that_takes_too_long_is_ended() {
        let started = Instant::now();
        let error = from_command(&words(&["sleep", "60"]), Duration::from_millis(20)).unwrap_err();
        assert!(matches!(error, SecretError::TooSlow { .. }));
        assert!(started.elapsed() < Duration::from_secs(30));
    }

    #[cfg(unix)]
    #[test]
    fn a_command_may_write_more_than_a_pipe_holds() {
        let script = "echo hunter2; yes | head -c 1000000; yes | head -c 1000000 >&2";
        let secret = from_command(&words(&["sh", "-c", script]), COMMAND_LIMIT).unwrap();
        assert_eq!(secret.expose(), "hunter2");
    }
}
