use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::notify::samples::{failed, partial};

/// A sample: name, labels, value.
type Sample = (String, BTreeMap<String, String>, f64);

/// Reads the text format of Prometheus as strictly as its description is: every family has HELP and TYPE once, before its
/// samples, which stand together; names and labels are of the letters allowed; no sample twice; no timestamps, which the
/// textfile collector refuses; a line break at the end.
fn parsed(text: &str) -> Result<Vec<Sample>, String> {
    if !text.ends_with('\n') {
        return Err("no line break at the end".into());
    }
    let (mut helped, mut typed) = (BTreeSet::new(), BTreeSet::new());
    let (mut samples, mut seen, mut family) = (Vec::new(), BTreeSet::new(), String::new());
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            let (name, help) = rest.split_once(' ').ok_or(format!("no help: {line}"))?;
            if !helped.insert(name.to_owned()) || help.is_empty() {
                return Err(format!("HELP: {line}"));
            }
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').ok_or(format!("no type: {line}"))?;
            if kind != "gauge" || !helped.contains(name) || !typed.insert(name.to_owned()) {
                return Err(format!("TYPE: {line}"));
            }
            family = name.to_owned();
        } else {
            let sample = sample(line).ok_or(format!("no sample: {line}"))?;
            if sample.0 != family || !seen.insert((sample.0.clone(), sample.1.clone())) {
                return Err(format!("out of place or twice: {line}"));
            }
            samples.push(sample);
        }
    }
    Ok(samples)
}

fn sample(line: &str) -> Option<Sample> {
    let (name, rest) = line.split_once('{')?;
    let is_name = |name: &str| {
        name.starts_with(|c: char| c.is_ascii_lowercase())
            && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
    };
    let (mut labels, mut rest) = (BTreeMap::new(), rest);
    loop {
        let (label, value) = rest.split_once("=\"")?;
        let (mut text, mut letters) = (String::new(), value.char_indices());
        let end = loop {
            match letters.next()? {
                (at, '"') => break at,
                (_, '\\') => text.push(match letters.next()?.1 {
                    'n' => '\n',
                    escaped @ ('\\' | '"') => escaped,
                    _ => return None,
                }),
                (_, letter) => text.push(letter),
            }
        };
        if !is_name(label) || labels.insert(label.to_owned(), text).is_some() {
            return None;
        }
        rest = &value[end + 1..];
        match rest.strip_prefix(',') {
            Some(more) => rest = more,
            None => break,
        }
    }
    let number = rest.strip_prefix("} ")?;
    // A second number would be a timestamp.
    (is_name(name) && !number.contains(' ')).then_some((name.to_owned(), labels, number.parse().ok()?))
}

fn value(samples: &[Sample], name: &str, label: Option<(&str, &str)>) -> Option<f64> {
    let fits = |labels: &BTreeMap<String, String>| {
        label.is_none_or(|(name, value)| labels.get(name).map(String::as_str) == Some(value))
    };
    samples.iter().find(|(known, labels, _)| known == name && fits(labels)).map(|(_, _, value)| *value)
}

#[test]
fn every_number_of_the_summary_is_a_sample_of_the_exposition_format() {
    let over = partial();
    let samples = parsed(&render_metrics(&over, Some(1_700_000_000))).unwrap();
    for (name, label, expected) in [
        ("headcount_last_run_timestamp_seconds", None, 1_795_316_420.0),
        ("headcount_last_success_timestamp_seconds", None, 1_700_000_000.0),
        ("headcount_last_run_exit_code", None, 4.0),
        ("headcount_last_run_outcome", Some(("outcome", "partial")), 1.0),
        ("headcount_last_run_outcome", Some(("outcome", "complete")), 0.0),
        ("headcount_last_run_duration_seconds", None, 20.7),
        ("headcount_accounts", None, 1187.0),
        ("headcount_last_run_planned_accounts", Some(("action", "deactivate")), 80.0),
        ("headcount_last_run_applied_accounts", Some(("action", "create")), 30.0),
        ("headcount_last_run_held_accounts", None, 80.0),
        ("headcount_last_run_failed_accounts", None, 1.0),
        ("headcount_last_run_unknown_accounts", None, 0.0),
        ("headcount_last_run_findings", Some(("finding", "unchanged")), 174.0),
        ("headcount_last_run_requests", Some(("kind", "write")), 67.0),
        ("headcount_last_run_retried_requests", None, 2.0),
        ("headcount_quota_limit_requests", None, 10_000.0),
        ("headcount_quota_remaining_requests", None, 9_907.0),
        ("headcount_quota_reset_timestamp_seconds", None, 1_795_392_000.0),
    ] {
        assert_eq!(value(&samples, name, label), Some(expected), "{name} {label:?}");
    }
    for (name, labels, _) in &samples {
        assert_eq!(labels["tenant"], "acme", "{name}");
        assert_eq!(labels["target"], "imichat https://acme.imi.chat/v3.1", "{name}");
    }
    let ones = samples.iter().filter(|(name, _, value)| name == "headcount_last_run_outcome" && *value > 0.5);
    assert_eq!(ones.count(), 1);
}

#[test]
fn what_is_not_known_is_left_out_and_not_said_to_be_nothing() {
    let samples = parsed(&render_metrics(&failed("no such file"), None)).unwrap();
    for name in ["headcount_accounts", "headcount_quota_remaining_requests", LAST_SUCCESS] {
        assert_eq!(value(&samples, name, None), None, "{name}");
    }
    assert_eq!(value(&samples, "headcount_last_run_outcome", Some(("outcome", "failed"))), Some(1.0));
}

#[test]
fn names_that_nobody_expected_stay_one_label() {
    let mut over = partial();
    over.head.summary.tenant = "a\"} 1\nheadcount_accounts{x=\"\\".into();
    let text = render_metrics(&over, None);
    let samples = parsed(&text).unwrap();
    assert_eq!(samples[0].1["tenant"], over.head.summary.tenant);
    let before = render_metrics(&over, Some(7));
    assert_eq!(last_success(&before, &over), Some(7));
}

#[test]
fn the_parser_of_these_tests_takes_no_other_text() {
    let good = "# HELP a b\n# TYPE a gauge\na{x=\"1\"} 2\n";
    assert!(parsed(good).is_ok());
    for bad in [
        "# HELP a b\n# TYPE a gauge\na{x=\"1\"} 2",
        "# TYPE a gauge\na{x=\"1\"} 2\n",
        "a{x=\"1\"} 2\n",
        "# HELP a b\n# TYPE a gauge\na{x=\"1\"} 2\na{x=\"1\"} 3\n",
        "# HELP a b\n# TYPE a gauge\na{x=\"1\"} 2 1700000000\n",
        "# HELP a b\n# TYPE a gauge\na{x=\"1} 2\n",
        "# HELP a b\n# TYPE a gauge\na{x=\"1\"} two\n",
        "# HELP a b\n# TYPE a gauge\nb{x=\"1\"} 2\n",
    ] {
        assert!(parsed(bad).is_err(), "{bad}");
    }
}

#[test]
fn the_last_success_outlives_the_failures_after_it_and_other_tenants_have_their_own() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("made").join("headcount.prom");
    let success = || {
        let text = fs::read_to_string(&path).unwrap();
        value(&parsed(&text).unwrap(), LAST_SUCCESS, None)
    };
    let mut good = partial();
    good.head.summary.outcome = SummaryOutcome::NoChanges;
    write(&path, &good).unwrap();
    assert_eq!(success(), Some(1_795_316_420.0));
    let mut bad = failed("no such file");
    bad.at = "2026-11-25T03:00:00Z".parse().unwrap();
    for _ in 0..2 {
        write(&path, &bad).unwrap();
        assert_eq!(success(), Some(1_795_316_420.0));
    }
    bad.head.summary.tenant = "other".into();
    write(&path, &bad).unwrap();
    assert_eq!(success(), None);
    // What is damaged, or no text at all, is written anew.
    fs::write(&path, [0xff, 0xfe, 0, b'\n']).unwrap();
    write(&path, &good).unwrap();
    assert_eq!(success(), Some(1_795_316_420.0));
    assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "no temporary file is left");
}

#[cfg(unix)]
#[test]
fn the_collector_may_read_the_file_though_it_is_another_user() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("headcount.prom");
    write(&path, &partial()).unwrap();
    // As much as the process gives away at all.
    let other = dir.path().join("other");
    fs::write(&other, "x").unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&path), mode(&other) & 0o644);
}

#[test]
fn a_folder_that_is_a_file_is_named() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("reports"), "x").unwrap();
    let error = write(&dir.path().join("reports").join("headcount.prom"), &partial()).unwrap_err().to_string();
    assert!(error.contains("reports"), "{error}");
}
