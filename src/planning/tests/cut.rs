//! An export that was cut short anywhere: never more is taken away than the limits allow, and every cut inside a record
//! is said. A cut right behind a record looks like a shorter export, which is what the limits are for.

use super::*;

const STRICT: &str = "absent = \"deactivate\"\nabsent_for = { runs = 1, days = 0 }";
const PEOPLE: usize = 200;
const MOST: usize = 10;

/// A way to write an export.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Plain,
    Windows,
    /// Cells in quotes with line breaks and doubled quotes in them, and characters of two to four bytes.
    Quoted,
    /// The last row has no line break at its end.
    Open,
    Utf16,
}

/// What is remembered of exports before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Before {
    Nothing,
    LastGoodRun,
}

/// The export, and where each of its records ends, the header among them.
fn export(form: Form) -> (Vec<u8>, Vec<usize>) {
    let row = |n: usize| match form {
        Form::Quoted => format!("{n},p{n},p{n}@x.org,\"Łucja\nde \"\"Ö\"\" 😀 {n}\",Agent,active,\"a:1;é:2\""),
        _ => format!("{n},p{n},p{n}@x.org,P{n},Agent,active,a:1"),
    };
    let terminator = if form == Form::Windows { "\r\n" } else { "\n" };
    let lines = std::iter::once(HEADER.trim_end().to_owned()).chain((0..PEOPLE).map(row));
    let (mut bytes, mut ends) = (Vec::new(), Vec::new());
    if form == Form::Utf16 {
        bytes.extend(b"\xFF\xFE");
    }
    for (n, line) in lines.enumerate() {
        let terminator = if form == Form::Open && n == PEOPLE { "" } else { terminator };
        let text = format!("{line}{terminator}");
        match form {
            Form::Utf16 => bytes.extend(text.encode_utf16().flat_map(u16::to_le_bytes)),
            _ => bytes.extend(text.bytes()),
        }
        ends.push(bytes.len());
        if form == Form::Windows {
            // Between CR and LF the record is whole, and its line has ended.
            ends.push(bytes.len() - 1);
        }
    }
    (bytes, ends)
}

fn office(form: Form, before: Before) -> (Office, Vec<u8>, Vec<usize>) {
    let safety = format!("max_deactivate = {MOST}\nmax_row_drop = \"20%\"\nmax_update = 5");
    let mut office = Office::new().policy(STRICT).safety(&safety);
    // Thousands of plans are written and synced here, and nothing is about the disk.
    if let Ok(memory) = tempfile::tempdir_in("/dev/shm") {
        office.dir = memory;
    }
    let (bytes, ends) = export(form);
    for n in 0..PEOPLE {
        let name = if form == Form::Quoted { format!("Łucja\nde \"Ö\" 😀 {n}") } else { format!("P{n}") };
        let id = office.account(&format!("p{n}"), &name, "active");
        let skills = if form == Form::Quoted { "{\"a\":1,\"é\":2}" } else { "{\"a\":1}" };
        let skills = Value::from(serde_json::from_str::<serde_json::Value>(skills).unwrap());
        office.target.meddle(&id, SKILLS, skills);
    }
    if before == Before::LastGoodRun {
        let made = office.try_survey(&bytes).unwrap();
        assert_eq!(made.actions(), [""; 0], "{form:?}: a whole export changes nothing");
        office.learn(&made);
    }
    (office, bytes, ends)
}

/// Cuts at every `step`th byte; gives how many cuts there were.
fn cut(form: Form, before: Before, step: usize) -> usize {
    let (office, bytes, ends) = office(form, before);
    let mut cuts = 0;
    // What is cut in its header has other columns, or none: there is nothing to plan with.
    let header = ends.iter().copied().min().unwrap();
    for at in (header..bytes.len()).step_by(step) {
        cuts += 1;
        let what = format!("{form:?}, {before:?}, cut at {at} of {}", bytes.len());
        let made = match office.try_survey(&bytes[..at]) {
            Ok(made) => made,
            Err(PlanningError::Source(error)) => {
                assert!(error.to_string().contains("hr.csv"), "{what}: {error}");
                continue;
            }
            Err(error) => panic!("{what}: {error}"),
        };
        let header = &made.surveyed.header;
        let free: Vec<&Action> = made.actions.iter().filter(|action| !action.held).collect();
        let taken = free.iter().filter(|action| action.action.takes_away()).count();
        assert!(taken <= MOST, "{what}: {taken}");
        let invalid =
            |about: &str| made.findings.iter().any(|f| f.finding == FindingKind::Invalid && f.reason.contains(about));
        let said = invalid("") || !header.stopped.is_empty() || !header.source.notes.is_empty();
        let within = !ends.contains(&at);
        if before == Before::Nothing || form != Form::Open {
            assert!(said || !within, "{what}: nothing is said");
        }
        let rows =
            ends.iter().filter(|end| **end <= at).count().saturating_sub(1) / if form == Form::Windows { 2 } else { 1 };
        if rows == 0 && !within {
            assert!(!header.stopped.is_empty(), "{what}: no row at all");
        }
        if invalid("it may have been cut short") {
            assert_eq!(taken, 0, "{what}: a source that ends within a row proves no absence");
        }
        if before == Before::LastGoodRun {
            // Who is left has all that they should have, so that nothing but an absence can be found.
            assert!(made.actions.iter().all(|action| action.action.takes_away()), "{what}: {:?}", made.actions());
            if (rows + 1) * 10 < PEOPLE * 8 {
                assert!(!header.stopped.is_empty() && free.is_empty(), "{what}: safety.max_row_drop");
            }
            if within && form != Form::Open {
                assert_eq!(taken, 0, "{what}: a source unlike the last good one proves no absence");
            }
        }
        if !within && header.stopped.is_empty() {
            // The plain case of a shorter export: all that are missing, or none where they are too many.
            let missing = made.actions.iter().filter(|action| action.action.takes_away()).count();
            assert!(taken == 0 || taken == missing, "{what}");
            assert_eq!(taken == 0, missing == 0 || missing > MOST, "{what}: safety.max_deactivate");
        }
    }
    cuts
}

#[test]
fn a_source_cut_anywhere_takes_away_no_more_than_the_limits_allow() {
    for form in [Form::Plain, Form::Windows, Form::Quoted, Form::Open, Form::Utf16] {
        for before in [Before::Nothing, Before::LastGoodRun] {
            assert!(cut(form, before, 97) > 60, "{form:?}");
        }
    }
}

macro_rules! cut_everywhere {
    ($($name:ident: $form:ident, $step:literal;)*) => {$(
        #[test]
        #[ignore = "takes half a minute; .ci/run runs it"]
        fn $name() {
            // Without a last good run less is asked, and every other shape of a cut is among these.
            assert!(cut(Form::$form, Before::Nothing, $step * 7) > 300);
            assert!(cut(Form::$form, Before::LastGoodRun, $step) > 2_000);
        }
    )*};
}

cut_everywhere! {
    a_source_cut_at_every_byte: Plain, 1;
    a_source_with_crlf_cut_at_every_third_byte: Windows, 3;
    a_source_with_quotes_cut_at_every_byte: Quoted, 1;
    a_source_without_a_last_line_break_cut_at_every_third_byte: Open, 3;
    a_source_in_utf16_cut_at_every_seventh_byte: Utf16, 7;
}

#[test]
fn a_last_row_without_a_line_break_is_one_that_was_cut_where_the_last_good_export_had_one() {
    let office = Office::new().policy(STRICT);
    for login in ["a", "b", "gone"] {
        office.account(login, "N", "active");
    }
    let whole = csv(&["1,a,a@x.org,N,,,", "2,b,b@x.org,N,,active,", "3,gone,gone@x.org,N,,,"]);
    let cut = whole.strip_suffix("\n3,gone,gone@x.org,N,,,\n").unwrap();
    // Nobody knows what the exports before looked like: the row is taken as it is, and it is said.
    let made = office.survey(cut);
    assert_eq!((made.actions(), made.unchanged()), (vec!["deactivate gone: status".to_owned()], 2));
    assert!(made.surveyed.header.source.notes[0].contains("no line break"));
    office.learn(&office.survey(&whole));
    let made = office.survey(cut);
    assert_eq!((made.actions().len(), made.unchanged(), made.absent_notes()), (0, 1, 0), "{:?}", made.actions());
    let findings = made.findings();
    assert!(findings.iter().any(|f| f.starts_with("invalid 2: the file ends with this row")), "{findings:?}");
    assert!(findings.iter().any(|f| f.contains("ends without a line break, unlike")), "{findings:?}");
    // Twice in a row it is how this export is written.
    office.learn(&made);
    let made = office.survey(cut);
    assert_eq!((made.actions(), made.unchanged()), (vec!["deactivate gone: status".to_owned()], 2));
    assert!(made.surveyed.header.source.notes.is_empty());
}
