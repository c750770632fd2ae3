//! The pictures of a page, drawn here as SVG, so that they need no script. They show nothing but numbers, dates and words
//! of this source; what they show stands beside them as text, for those who do not see them.
//!
//! The style sheet gives each colour another shade in the dark and on paper, by the name that it has here.

use charts_rs::{BarChart, Box as Edges, ChartBase, Color, HorizontalBarChart, LineChart, Series, Symbol, YAxisConfig};

use crate::plan::ActionKind;
use crate::report::counts::held_of;
use crate::report::{Head, Past};

// Every colour that a picture has, by what it stands for.
const JOIN: &str = "#1A7F5A";
const CHANGE: &str = "#2A66B0";
const LEAVE: &str = "#7A4B94";
const HELD: &str = "#C98A0B";
const FAILED: &str = "#B42318";
/// Labels.
const SOFT: &str = "#57606A";
/// Lines of the grid.
const LINE: &str = "#DFE3E8";

const WIDTH: f32 = 400.0;
const HEIGHT: f32 = 190.0;

/// An SVG of this file's making.
pub(super) struct Picture(String);

impl Picture {
    pub(super) fn svg(&self) -> &str {
        &self.0
    }

    /// What cannot be drawn is left out; the numbers stand beside it.
    fn of(drawn: charts_rs::Result<String>) -> Option<Self> {
        let svg = drawn.ok()?;
        // Nothing is said by it that the caption beside it does not say.
        let svg = svg.replacen("<svg ", "<svg aria-hidden=\"true\" focusable=\"false\" ", 1);
        // The page's own type, and a size that follows the page.
        Some(Self(svg.replacen(&format!(" width=\"{WIDTH}\" height=\"{HEIGHT}\""), "", 1)))
    }
}

/// The kinds of action behind each of the three words that a page begins with.
pub(super) const MOVES: [(&str, &[ActionKind]); 3] = [
    ("join", &[ActionKind::Create, ActionKind::Reactivate]),
    ("change", &[ActionKind::Update]),
    ("leave", &[ActionKind::Deactivate, ActionKind::Delete]),
];

/// One point of the trend: an earlier run, or what the page is of.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Point {
    pub name: String,
    pub at: jiff::Timestamp,
    pub accounts: Option<u64>,
    /// Join, change, leave.
    pub moves: [u64; 3],
    pub failed: u64,
}

impl Point {
    pub(super) fn past(past: &Past) -> Self {
        Self {
            name: past.run.clone(),
            at: past.at,
            accounts: past.accounts,
            moves: MOVES.map(|(_, kinds)| kinds.iter().map(|kind| past.applied.get(*kind)).sum()),
            failed: past.failed,
        }
    }

    /// What a run did, or what a plan would do.
    pub(super) fn present(head: &Head) -> Self {
        let summary = &head.summary;
        let counts = if head.is_run() { &summary.applied } else { &summary.planned };
        Self {
            name: summary.run.clone(),
            at: head.started_at,
            accounts: head.accounts,
            moves: MOVES.map(|(_, kinds)| kinds.iter().map(|kind| counts.get(*kind)).sum()),
            failed: summary.failed + summary.unknown,
        }
    }
}

/// How many join, change and leave: done or to do, held, and in a run not done.
pub(super) fn moves(head: &Head) -> Option<Picture> {
    let summary = &head.summary;
    let is_stopped = !head.is_run() && summary.error.is_some();
    let sum = |of: &dyn Fn(ActionKind) -> u64| MOVES.map(|(_, kinds)| kinds.iter().map(|kind| of(*kind)).sum::<u64>());
    let planned = sum(&|kind| summary.planned.get(kind));
    let held = sum(&|kind| match held_of(head, kind) {
        _ if is_stopped => summary.planned.get(kind),
        Some((own, _)) => own,
        None => 0,
    });
    let first = if head.is_run() { sum(&|kind| summary.applied.get(kind)) } else { difference(planned, held) };
    let left = difference(difference(planned, first), held);
    if planned == [0; 3] {
        return None;
    }

    // The first of a chart stands at its bottom.
    let upwards = |counts: [u64; 3]| [counts[2], counts[1], counts[0]];
    let mut series =
        vec![stacked("done", upwards(first)), stacked("held", upwards(held)), stacked("not done", upwards(left))];
    series[0].colors = Some([LEAVE, CHANGE, JOIN].map(|color| Some(color.into())).to_vec());
    let words = MOVES.into_iter().rev().map(|(word, _)| word.to_owned()).collect();
    let mut chart = HorizontalBarChart::new(series, words);
    plain(&mut chart.base, &mut chart.y_axis_configs, &[JOIN, HELD, FAILED]);
    Picture::of(chart.svg())
}

/// The accounts from run to run.
pub(super) fn accounts(points: &[Point]) -> Option<Picture> {
    let counts: Vec<_> = points.iter().map(|point| point.accounts.map(drawn)).collect();
    let known: Vec<f32> = counts.iter().flatten().copied().collect();
    if known.len() < 2 {
        return None;
    }
    let mut series = Series::new_nullable("accounts".to_owned(), counts);
    series.symbol = Some(Symbol::Circle(3.0, None));
    let mut chart = LineChart::new(vec![series], days(points));
    plain(&mut chart.base, &mut chart.y_axis_configs, &[SOFT]);
    chart.series.stroke_width = 2.0;
    // A company changes by a few people a day, which nobody would see above a scale that begins with nobody.
    let (least, most) = scale(&known);
    for axis in &mut chart.y_axis_configs {
        (axis.min, axis.max) = (Some(least), Some(most));
    }
    Picture::of(chart.svg())
}

/// From where to where three steps of a round number hold all counts.
fn scale(counts: &[f32]) -> (f32, f32) {
    let least = counts.iter().copied().fold(f32::INFINITY, f32::min);
    let most = counts.iter().copied().fold(0.0, f32::max);
    let rounds = (0..8).flat_map(|power| [1.0, 2.0, 5.0].map(|digit| digit * 10.0_f32.powi(power)));
    for step in rounds {
        let from = (least / step).floor() * step;
        if from + 3.0 * step >= most {
            return (from, from + 3.0 * step);
        }
    }
    (0.0, most)
}

/// Joiners, leavers and failures from run to run.
pub(super) fn trend(points: &[Point]) -> Option<Picture> {
    if points.len() < 2 {
        return None;
    }
    let series = |name: &str, of: &dyn Fn(&Point) -> u64| {
        Series::new(name.to_owned(), points.iter().map(|point| drawn(of(point))).collect())
    };
    let series = vec![
        series("join", &|point| point.moves[0]),
        series("leave", &|point| point.moves[2]),
        series("failed", &|point| point.failed),
    ];
    let mut chart = BarChart::new(series, days(points));
    plain(&mut chart.base, &mut chart.y_axis_configs, &[JOIN, LEAVE, FAILED]);
    Picture::of(chart.svg())
}

fn stacked(name: &str, counts: [u64; 3]) -> Series {
    let mut series = Series::new(name.to_owned(), counts.map(drawn).to_vec());
    series.stack = Some("all".to_owned());
    series
}

fn difference(from: [u64; 3], less: [u64; 3]) -> [u64; 3] {
    [0, 1, 2].map(|at| from[at].saturating_sub(less[at]))
}

/// A picture is no more precise than its pixels.
#[allow(clippy::cast_precision_loss)]
fn drawn(count: u64) -> f32 {
    count as f32
}

/// The days of the runs, with the hour where one day has several; of many as many as have room beside each other, the
/// last one among them.
fn days(points: &[Point]) -> Vec<String> {
    let days: Vec<_> = points.iter().map(|point| point.at.strftime("%m-%d").to_string()).collect();
    let is_repeated = days.windows(2).any(|pair| pair[0] == pair[1]);
    let (form, most) = if is_repeated { ("%m-%d %H:%M", 3) } else { ("%m-%d", 6) };
    let every = points.len().div_ceil(most).max(1);
    let from_the_end = (1..=points.len()).rev();
    let day = |(point, left): (&Point, usize)| {
        if (left - 1).is_multiple_of(every) { point.at.strftime(form).to_string() } else { String::new() }
    };
    points.iter().zip(from_the_end).map(day).collect()
}

/// Nothing but axes, a faint grid and the series in these colours.
fn plain(base: &mut ChartBase, axes: &mut [YAxisConfig], colors: &[&str]) {
    base.width = WIDTH;
    base.height = HEIGHT;
    base.margin = Edges { left: 8.0, top: 8.0, right: 12.0, bottom: 0.0 };
    base.background_color = Color::transparent();
    base.font_family = "system-ui, sans-serif".to_owned();
    base.compact = false;
    base.legend.show = Some(false);
    base.title.text.clear();
    base.series.colors = colors.iter().map(|color| (*color).into()).collect();
    base.series.label.font.color = SOFT.into();
    base.grid.stroke_color = LINE.into();
    base.x_axis.font.size = 12.0;
    base.x_axis.font.color = SOFT.into();
    base.x_axis.stroke_color = LINE.into();
    for axis in axes {
        axis.font.size = 12.0;
        axis.font.color = SOFT.into();
        axis.split_number = 3;
        axis.formatter = Some("{t}".to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples::{past, quiet, rich, rich_plan};

    const INKS: [&str; 7] = [JOIN, CHANGE, LEAVE, HELD, FAILED, SOFT, LINE];

    fn pictures(head: &Head) -> Vec<Picture> {
        let points: Vec<Point> = past().iter().map(Point::past).chain([Point::present(head)]).collect();
        [moves(head), accounts(&points), trend(&points)].into_iter().flatten().collect()
    }

    #[test]
    fn a_picture_has_no_colour_that_the_style_sheet_does_not_know_and_nothing_that_the_policy_refuses() {
        let all: Vec<Picture> = [rich().head, rich_plan().head].iter().flat_map(pictures).collect();
        assert_eq!(all.len(), 6);
        for picture in all {
            let svg = picture.svg();
            for refused in ["style", "<script", "href", "url(", "class=", "width=\"400\" height"] {
                assert!(!svg.contains(refused), "{refused} in {svg}");
            }
            for color in svg.split("=\"#").skip(1).map(|rest| &rest[..rest.find('"').unwrap()]) {
                let color = format!("#{}", color.to_uppercase());
                assert!(INKS.contains(&color.as_str()), "{color} in {svg}");
            }
        }
    }

    #[test]
    fn every_colour_of_a_picture_has_its_rule_in_the_style_sheet() {
        for ink in INKS {
            for attribute in ["fill", "stroke"] {
                assert!(super::super::STYLE.contains(&format!("[{attribute}=\"{ink}\" i]")), "{attribute} {ink}");
            }
        }
    }

    #[test]
    fn what_is_held_and_what_was_not_done_is_no_part_of_what_was_done() {
        let head = rich().head;
        assert_eq!(Point::present(&head).moves, [2, 1, 0]);
        assert_eq!(Point::present(&rich_plan().head).moves, [3, 2, 1]);
        assert!(moves(&quiet().head).is_none(), "nothing to do is no picture");
    }

    #[test]
    fn a_scale_holds_all_counts_between_round_numbers() {
        assert_eq!(scale(&[1152.0, 1187.0]), (1140.0, 1200.0));
        assert_eq!(scale(&[7.0, 7.0]), (7.0, 10.0));
        assert_eq!(scale(&[0.0, 49_000.0]), (0.0, 60_000.0));
    }

    #[test]
    fn two_runs_of_a_day_are_told_apart() {
        let point = |at: &str| Point { at: at.parse().unwrap(), ..Point::present(&quiet().head) };
        assert_eq!(days(&[point("2026-11-21T03:00:00Z"), point("2026-11-22T03:00:00Z")]), ["11-21", "11-22"]);
        let many: Vec<Point> = (10..20).map(|day| point(&format!("2026-11-{day}T03:00:00Z"))).collect();
        assert_eq!(days(&many), ["", "11-11", "", "11-13", "", "11-15", "", "11-17", "", "11-19"]);
        let both = days(&[point("2026-11-22T03:00:00Z"), point("2026-11-22T04:30:00Z")]);
        assert_eq!(both, ["11-22 03:00", "11-22 04:30"]);
    }
}
