//! How the program was called, so that a command that it hints at works when it is pasted.

use std::path::Path;

use super::visible::visible;

/// The options that every command needs as this one did: another configuration, another state directory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Invocation {
    /// `headcount`, with the options behind it.
    options: String,
}

impl Invocation {
    /// `config` and `state` as they were given; none where they were not.
    #[must_use]
    pub fn new(config: Option<&Path>, state: Option<&Path>) -> Self {
        let given = [("-c", config), ("--state", state)];
        let options =
            given.into_iter().filter_map(|(flag, path)| Some(format!(" {flag} {}", quote_path(path?)))).collect();
        Self { options }
    }

    /// A whole command from what follows the program's name: `resume r-7`.
    #[must_use]
    pub fn whole_command(&self, rest: &str) -> String {
        format!("headcount{} {rest}", self.options)
    }

    /// A text in which every command in backquotes has the options.
    #[must_use]
    pub fn complete_commands(&self, text: &str) -> String {
        text.replace("`headcount ", &format!("`headcount{} ", self.options))
    }
}

/// A path as a shell takes it for one word.
fn quote_path(path: &Path) -> String {
    let text = path.display().to_string();
    let is_plain = |c: char| c.is_alphanumeric() || "/._-+,:@%=".contains(c);
    // A word that begins like an option would be taken for one.
    let text = if text.starts_with('-') { format!("./{text}") } else { text };
    let text = visible(&text);
    if !text.is_empty() && text.chars().all(is_plain) {
        text.into_owned()
    } else {
        format!("'{}'", text.replace('\'', "'\\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_given_is_given_again_as_a_shell_takes_it() {
        let command = |config: Option<&str>, state: Option<&str>| {
            Invocation::new(config.map(Path::new), state.map(Path::new)).whole_command("runs")
        };
        assert_eq!(command(None, None), "headcount runs");
        assert_eq!(command(Some("prod/hr.toml"), None), "headcount -c prod/hr.toml runs");
        assert_eq!(
            command(Some("a b.toml"), Some("/var/it's")),
            r"headcount -c 'a b.toml' --state '/var/it'\''s' runs"
        );
        assert_eq!(command(None, Some("$(rm x);")), "headcount --state '$(rm x);' runs");
        assert_eq!(command(Some("-v"), None), "headcount -c ./-v runs");
        assert!(!command(Some("a\x1b[2Jb"), None).contains('\x1b'));
    }

    #[test]
    fn every_command_in_a_text_gets_the_options_and_nothing_else_does() {
        let invocation = Invocation::new(None, Some(Path::new("s")));
        let text = "`headcount resume` finishes it, `headcount sync --yes` finishes it first; headcount waits";
        assert_eq!(
            invocation.complete_commands(text),
            "`headcount --state s resume` finishes it, `headcount --state s sync --yes` finishes it first; headcount waits"
        );
        assert_eq!(Invocation::default().complete_commands(text), text);
    }
}
