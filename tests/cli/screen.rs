//! The program on a terminal, which `script` provides; where there is no such program there is nothing to try.

use super::support::{Project, ran, three_accounts, three_rows};

/// What a terminal of so many columns gets to see of a `sync`; none where there is no terminal to be had.
fn seen(project: &Project, columns: u16, variables: &[(&str, &str)]) -> Option<String> {
    let program = env!("CARGO_BIN_EXE_headcount");
    if std::process::Command::new("script").arg("--version").output().is_err() {
        return None;
    }
    let line = format!("stty cols {columns} rows 24 && '{program}' sync --yes");
    let mut command = project.through("script", &["-qec", &line, "/dev/null"]);
    command.env("TERM", "xterm").env("SHELL", "/bin/sh").envs(variables.iter().copied());
    let ran = ran(&mut command);
    ran.expect(0);
    Some(ran.stdout)
}

/// Whether something in it chooses a colour, or bold.
fn is_coloured(text: &str) -> bool {
    let ends =
        text.split("\x1b[").skip(1).map(|rest| rest.trim_start_matches(|c: char| c.is_ascii_digit() || c == ';'));
    ends.into_iter().any(|rest| rest.starts_with('m'))
}

#[test]
fn colours_are_for_who_wants_them_and_a_dumb_terminal_gets_no_escape_sequence() {
    let tenant = three_accounts();
    let project = tenant.project(&three_rows());
    let Some(plain) = seen(&project, 80, &[]) else { return };
    assert!(is_coloured(&plain), "{plain:?}");
    let refused = seen(&project, 80, &[("NO_COLOR", "1")]).unwrap();
    assert!(!is_coloured(&refused), "{refused:?}");
    let dumb = seen(&project, 80, &[("TERM", "dumb")]).unwrap();
    assert!(!dumb.contains('\x1b'), "{dumb:?}");
    assert!(dumb.contains("nothing to change"), "{dumb}");
}

#[test]
fn on_a_terminal_of_twenty_columns_a_run_is_told_in_lines_that_fit() {
    let tenant = three_accounts();
    let project = tenant.project(&three_rows());
    let Some(text) = seen(&project, 20, &[("NO_COLOR", "1")]) else { return };
    let result = &text[text.rfind("of acme: complete").expect("a result")..];
    for line in result.lines().map(str::trim_end).filter(|line| line.trim_start().contains(' ')) {
        assert!(line.chars().count() <= 20 || line.contains("headcount "), "{line:?} in\n{result}");
    }
    assert!(result.contains("  create     1/1"), "{result}");
}
