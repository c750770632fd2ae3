use crate::report::samples::{quiet, rendered, rich, rich_plan};
use crate::report::{Extent, Form, RunRecord, Style};

#[test]
fn a_run_reads_like_this() {
    insta::assert_snapshot!(rendered(rich(), Form::Text, &Style::default()), @r#"
    run r-7 of acme

    + create      ana.diaz  hr.csv:2
        first_name: Ana
        phone: +34 600 111
        password: (generated)
    + create      cy.o'neil  hr.csv:4
        first_name: Cy
        adopted, the account existed already: it was created meanwhile

    ~ update      bo.li  hr.csv:3, account 4711 by login_id
        first_name: Bo → 李 Zoë
        job_description: (empty) → Lead | <b>Ops</b>\n2nd line
        skill_attributes: English: 80 → 100, Spanish: (none) → 80

    ! update      fay.wong  hr.csv:7, account 4712 by login_id+email_id
        last_name: Wang → Wong
        failed: PATCH users/4712: email already exists (code 3111, trxid 7f-0a)

    ? reactivate  gus.ode  hr.csv:8, account 4713 by link
        status: inactive → active
        unknown, the answer was lost: timed out after 30 s

    - deactivate  dee.ray  hr.csv:9, account 4714 by login_id
        status: active → inactive
        because: the row says Terminated
        warning: has 2 open chats
        held

    = drift       hal.ito  hr.csv:11, account 4715 by login_id
        email_id: hal@old.example → hal@new.example
        the API cannot change email_id

    ! invalid     =E-9  hr.csv:12
        column `start`: `31.02.2026` is not a date

    o absent      old.hand  account 4716
        without a row since 2026-11-20, 2 of 3 runs

    run r-7 of acme: finished, but some accounts failed or have an unknown outcome
    imichat https://acme.imi.chat/v3.1, 2026-11-22 03:00:00 UTC

                 planned      done
      create           2         2
      update           2         1
      reactivate       1         0
      deactivate       1         0  1 held, the limit is 0
      not done    1 held, 1 failed, 1 unknown
      found       1170 unchanged, 1 drift, 1 invalid, 1 absent
      requests    127 sent, 125 estimated: 1 auth, 119 list, 1 lookup, 6 write; 2 of them repeats
      quota       9863 of 10000 left, resets at 2026-11-23 00:00:00 UTC
      took        31.2 s

    1 account of unknown outcome: looked up before anything is sent again
        headcount resume r-7
    1 account failed: fix what the messages name, the next plan tries again
    1 account to deactivate held, the limit is 0 (safety.max_deactivate): look at them, then release them
        headcount sync --approve 9f2c41
    1 row cannot be used: fix the export
        headcount check
    "#);
}

#[test]
fn a_plan_reads_like_this() {
    insta::assert_snapshot!(rendered(rich_plan(), Form::Text, &Style { width: 60, ..Style::default() }), @r#"
    plan r-7 of acme

    + create      ana.diaz  hr.csv:2
        first_name: Ana
        phone: +34 600 111
        password: (generated)
    + create      cy.o'neil  hr.csv:4
        first_name: Cy

    ~ update      bo.li  hr.csv:3, account 4711 by login_id
        first_name: Bo → 李 Zoë
        job_description: (empty) → Lead | <b>Ops</b>\n2nd line
        skill_attributes: English: 80 → 100, 1 more
    ~ update      fay.wong  hr.csv:7, account 4712 by login_id+email_id
        last_name: Wang → Wong

    ^ reactivate  gus.ode  hr.csv:8, account 4713 by link
        status: inactive → active

    - deactivate  dee.ray  hr.csv:9, account 4714 by login_id
        status: active → inactive
        because: the row says Terminated
        warning: has 2 open chats
        held

    = drift       hal.ito  hr.csv:11, account 4715 by login_id
        email_id: hal@old.example → hal@new.example
        the API cannot change email_id

    ! invalid     =E-9  hr.csv:12
        column `start`: `31.02.2026` is not a date

    o absent      old.hand  account 4716
        without a row since 2026-11-20, 2 of 3 runs

    plan r-7 of acme: planned, nothing was changed
    imichat https://acme.imi.chat/v3.1, 2026-11-22 03:00:00 UTC
    note: the listing shifted while it was read

      create           2
      update           2
      reactivate       1
      deactivate       1  1 held, the limit is 0
      held        1
      found       1170 unchanged, 1 drift, 1 invalid, 1 absent
      requests    127 sent, 125 estimated: 1 auth, 119 list,
                  1 lookup, 6 write; 2 of them repeats
      quota       9863 of 10000 left,
                  resets at 2026-11-23 00:00:00 UTC
      took        31.2 s

    1 account to deactivate held, the limit is 0 (safety.max_deactivate): look at them, then release them
        headcount apply r-7 --approve 9f2c41
    5 accounts to change
        headcount apply r-7
    1 row cannot be used: fix the export
        headcount check
    "#);
}

#[test]
fn a_plan_without_changes_reads_like_this() {
    insta::assert_snapshot!(rendered(quiet(), Form::Text, &Style::default()), @r#"
    plan p-1 of acme: nothing to change
    imichat https://acme.imi.chat/v3.1, 2026-11-22 03:00:00 UTC

      found       1187 unchanged
      requests    120 sent, 120 estimated: 1 auth, 119 list
      took        24.1 s

    Nothing to do.
    "#);
}

#[test]
fn before_a_run_each_action_is_a_line() {
    let style = Style { extent: Extent::Preview, limit: Some(1), width: 80, ..Style::default() };
    insta::assert_snapshot!(rendered(rich_plan(), Form::Text, &style), @r#"
    plan r-7 of acme

    + create      ana.diaz  hr.csv:2

    ~ update      bo.li  hr.csv:3  first_name, job_description, skill_attributes

    ^ reactivate  gus.ode  hr.csv:8  status: inactive → active

    - deactivate  dee.ray  hr.csv:9  held  status: active → inactive
        warning: has 2 open chats

    … not shown: 1 create, 1 update

    plan r-7 of acme: planned, nothing was changed yet
    imichat https://acme.imi.chat/v3.1, 2026-11-22 03:00:00 UTC
    note: the listing shifted while it was read

      create           2
      update           2
      reactivate       1
      deactivate       1  1 held, the limit is 0
      held        1
      found       1170 unchanged, 1 drift, 1 invalid, 1 absent
      requests    127 sent, 125 estimated: 1 auth, 119 list, 1 lookup,
                  6 write; 2 of them repeats
      quota       9863 of 10000 left, resets at 2026-11-23 00:00:00 UTC
      took        31.2 s
      all of it   headcount report r-7
    "#);
}

#[test]
fn a_preview_hides_no_warning_behind_its_limit() {
    let RunRecord { head, entries, .. } = rich_plan();
    let mut entries: Vec<_> = entries.map(Result::unwrap).collect();
    let mut unwarned = entries[5].clone();
    if let crate::report::Entry::Action { action, .. } = &mut unwarned {
        action.warnings.clear();
    }
    entries.splice(5..5, [unwarned.clone(), unwarned]);
    let style = Style { extent: Extent::Preview, limit: Some(1), ..Style::default() };
    let text = rendered(RunRecord::from_parts(head, entries.into_iter().map(Ok)), Form::Text, &style);
    assert!(text.contains("warning: has 2 open chats"), "{text}");
    assert!(text.contains("1 deactivate"), "{text}");
}

#[test]
fn after_a_run_what_was_not_done_is_told_and_the_rest_is_counted() {
    let style = Style { extent: Extent::Result, limit: Some(10), width: 80, ..Style::default() };
    insta::assert_snapshot!(rendered(rich(), Form::Text, &style), @r#"
    run r-7 of acme

    ! update      fay.wong  hr.csv:7, account 4712 by login_id+email_id
        last_name: Wang → Wong
        failed: PATCH users/4712: email already exists (code 3111, trxid 7f-0a)

    ? reactivate  gus.ode  hr.csv:8, account 4713 by link
        status: inactive → active
        unknown, the answer was lost: timed out after 30 s

    - deactivate  dee.ray  hr.csv:9, account 4714 by login_id
        status: active → inactive
        because: the row says Terminated
        warning: has 2 open chats
        held

    = drift       hal.ito  hr.csv:11, account 4715 by login_id
        email_id: hal@old.example → hal@new.example
        the API cannot change email_id

    ! invalid     =E-9  hr.csv:12
        column `start`: `31.02.2026` is not a date

    run r-7 of acme: finished, but some accounts failed or have an unknown outcome
    imichat https://acme.imi.chat/v3.1, 2026-11-22 03:00:00 UTC

                 planned      done
      create           2         2
      update           2         1
      reactivate       1         0
      deactivate       1         0  1 held, the limit is 0
      not done    1 held, 1 failed, 1 unknown
      found       1170 unchanged, 1 drift, 1 invalid, 1 absent
      requests    127 sent, 125 estimated: 1 auth, 119 list, 1 lookup,
                  6 write; 2 of them repeats
      quota       9863 of 10000 left, resets at 2026-11-23 00:00:00 UTC
      took        31.2 s
      all of it   headcount show r-7

    1 account of unknown outcome: looked up before anything is sent again
        headcount resume r-7
    1 account failed: fix what the messages name, the next plan tries again
    1 account to deactivate held, the limit is 0 (safety.max_deactivate): look at them, then release them
        headcount sync --approve 9f2c41
    1 row cannot be used: fix the export
        headcount check
    "#);
}

#[test]
fn no_limit_hides_what_was_not_done() {
    let RunRecord { head, entries, .. } = rich();
    let entries: Vec<_> = entries.map(Result::unwrap).collect();
    let many = entries.iter().cycle().take(30 * entries.len()).cloned().map(Ok);
    let style = Style { extent: Extent::Result, limit: Some(2), ..Style::default() };
    let text = rendered(RunRecord::from_parts(head, many), Form::Text, &style);
    for (line, times) in [
        ("! update      fay.wong", 30),
        ("? reactivate  gus.ode", 30),
        ("- deactivate  dee.ray", 30),
        ("! invalid ", 2),
    ] {
        assert_eq!(text.matches(line).count(), times, "{line} in {text}");
    }
    assert!(text.contains("… not shown: 28 drift, 28 invalid"), "{text}");
}

#[test]
fn findings_within_a_limit_stand_together_by_their_kind() {
    let RunRecord { head, entries, .. } = rich();
    let findings: Vec<_> = entries.map(Result::unwrap).skip(6).collect();
    let mixed = findings.iter().chain(&findings).cloned().map(Ok);
    let style = Style { limit: Some(5), ..Style::default() };
    let text = rendered(RunRecord::from_parts(head, mixed), Form::Text, &style);
    assert!(text.find("! invalid").unwrap() > text.rfind("= drift").unwrap(), "{text}");
}

#[test]
fn a_row_known_by_its_place_names_it_once() {
    let RunRecord { head, entries, .. } = rich();
    let mut invalid = entries.map(Result::unwrap).nth(7).unwrap();
    if let crate::report::Entry::Finding(finding) = &mut invalid {
        finding.key = "hr.csv:12".into();
    }
    let text = rendered(RunRecord::from_parts(head, [Ok(invalid)].into_iter()), Form::Text, &Style::default());
    assert!(text.contains("! invalid     hr.csv:12\n"), "{text}");
}

#[test]
fn a_limit_hides_successes_but_never_the_first_failures() {
    let style = Style { limit: Some(1), ..Style::default() };
    let text = rendered(rich(), Form::Text, &style);
    assert!(text.contains("… not shown: 1 create"), "{text}");
    assert!(text.contains("fay.wong") && text.contains("gus.ode"), "{text}");
}

#[test]
fn colour_adds_nothing_but_colour() {
    let colored = rendered(rich(), Form::Text, &Style { color: true, ..Style::default() });
    assert!(colored.contains("\x1b[32m+ create"));
    let mut plain = String::new();
    for (at, part) in colored.split('\x1b').enumerate() {
        plain.push_str(if at == 0 { part } else { part.split_once('m').unwrap().1 });
    }
    assert_eq!(plain, rendered(rich(), Form::Text, &Style::default()));
}

#[test]
fn on_a_terminal_of_twenty_columns_only_what_must_be_whole_is_longer() {
    for record in [rich, rich_plan, quiet] {
        for extent in [Extent::Whole, Extent::Preview, Extent::Result] {
            let style = Style { width: 20, extent, limit: Some(10), ..Style::default() };
            let text = rendered(record(), Form::Text, &style);
            let closing = text.rfind("\nrun ").or_else(|| text.rfind("\nplan ")).unwrap_or(0);
            for line in text[closing..].lines() {
                let is_command = line.trim_start().starts_with("headcount ");
                let is_word = !line.trim_start().contains(' ');
                assert!(line.chars().count() <= 20 || is_command || is_word, "{line:?} in\n{text}");
            }
        }
    }
}
