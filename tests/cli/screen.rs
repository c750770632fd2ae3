//! The program on a terminal, which `script` provides; where there is no such program there is nothing to try.

use headcount::report::columns::text_width;

use super::support::{COLUMNS, Project, ran, three_accounts, three_rows};

/// What a terminal of so many columns gets to see of a `sync`; none where there is no terminal to be had.
fn seen(project: &Project, columns: u16, variables: &[(&str, &str)]) -> Option<String> {
    shown(project, "sync --yes", columns, variables)
}

/// What it gets to see of any command that ends well.
fn shown(project: &Project, command: &str, columns: u16, variables: &[(&str, &str)]) -> Option<String> {
    let program = env!("CARGO_BIN_EXE_headcount");
    if std::process::Command::new("script").arg("--version").output().is_err() {
        return None;
    }
    let line = format!("stty cols {columns} rows 24 && '{program}' {command}");
    let mut script = project.through("script", &["-qec", &line, "/dev/null"]);
    script.env("TERM", "xterm").env("SHELL", "/bin/sh").envs(variables.iter().copied());
    let ran = ran(&mut script);
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

/// Every line that is no command fits.
fn fits(text: &str, width: usize) {
    for line in text.lines().map(str::trim_end).filter(|line| !line.contains("headcount ")) {
        assert!(text_width(line) <= width, "{line:?} takes {} columns of {width} in\n{text}", text_width(line));
    }
}

#[test]
fn the_runs_are_a_table_where_it_fits_and_a_few_lines_each_where_it_does_not() {
    let tenant = three_accounts();
    let project = tenant.project(&three_rows());
    project.sync(0);
    let runs = |width| shown(&project, "runs", width, &[]);
    let Some(wide) = runs(80) else { return };
    fits(&wide, 80);
    assert!(wide.lines().next().unwrap().starts_with("run  ") && wide.lines().count() == 2, "{wide}");
    for width in [20, 40, 60] {
        let narrow = runs(width).unwrap();
        fits(&narrow, usize::from(width).max(22));
        assert!(narrow.contains("    sync of acme"), "{narrow}");
    }
}

#[test]
fn names_in_any_script_and_of_any_length_are_told_in_lines_that_fit() {
    let tenant = three_accounts();
    let long = "x".repeat(10_000);
    let rows = format!(
        "{}E7,佐藤健太,sato@example.com,健太,佐藤,カスタマーサポート担当マネージャー,active\n\
         E8,emoji👩‍👩‍👧‍👦,emoji@example.com,Zoe\u{308}\u{308},مريم,a\tb,active\nE9,{long},{long}@example.com,Long,Name,{long},active\n",
        three_rows()
    );
    let project = tenant.project(&rows);
    assert!(project.read("people.csv").starts_with(COLUMNS));
    for width in [20, 33, 80, 200] {
        let Some(plan) = shown(&project, "plan --no-progress", width, &[]) else { return };
        fits(&plan, usize::from(width));
        assert!(plan.contains("カスタマー"), "{plan}");
        for key in ["E7", "E9"] {
            let one = shown(&project, &format!("explain --no-progress {key}"), width, &[]).unwrap();
            fits(&one, usize::from(width));
            assert!(one.contains("create"), "{one}");
        }
    }
}
