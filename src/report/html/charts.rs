//! The charts of a page as SVG, which needs no script. Every shape has a class, and the style sheet gives it its colour,
//! in the light, in the dark and on paper. The same numbers stand beside a chart as text, for those who do not see it.

use std::fmt::Write as _;

use super::page::{escape_html, group_digits};
use crate::plan::ActionKind;
use crate::plan::action::ActionCounts;
use crate::report::counts::held_of;
use crate::report::{Head, PastRun};

/// Edges of the plot, in a chart of 400 by 190.
const TOP: f64 = 10.0;
const RIGHT: f64 = 392.0;
const BOTTOM: f64 = 166.0;
/// Grid lines above the first one.
const STEPS: u64 = 3;

/// The kinds of action behind each of the three words that a page begins with.
pub(super) const MOVES: [(&str, &[ActionKind]); 3] = [
    ("join", &[ActionKind::Create, ActionKind::Reactivate]),
    ("change", &[ActionKind::Update]),
    ("leave", &[ActionKind::Deactivate, ActionKind::Delete]),
];

fn count_moves(count_of: impl Fn(ActionKind) -> u64) -> [u64; 3] {
    MOVES.map(|(_, kinds)| kinds.iter().map(|kind| count_of(*kind)).sum())
}

/// One point of the trend: an earlier run, or what the page is of.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct TrendPoint {
    pub name: String,
    pub at: jiff::Timestamp,
    pub accounts: Option<u64>,
    /// Join, change, leave.
    pub moves: [u64; 3],
    pub failed: u64,
}

impl TrendPoint {
    pub(super) fn from_past(past: &PastRun) -> Self {
        Self {
            name: past.run.clone(),
            at: past.at,
            accounts: past.accounts,
            moves: count_moves(|kind| past.applied.get(kind)),
            failed: past.failed,
        }
    }

    /// What a run did, or what a plan would do.
    pub(super) fn from_head(head: &Head) -> Self {
        let summary = &head.summary;
        Self {
            name: summary.run.clone(),
            at: head.started_at,
            accounts: head.accounts,
            moves: count_moves(|kind| shown_counts(head).get(kind)),
            failed: summary.failed + summary.unknown,
        }
    }
}

/// What a run did, or what a plan would do.
pub(super) fn shown_counts(head: &Head) -> &ActionCounts {
    if head.is_run() { &head.summary.applied } else { &head.summary.planned }
}

/// A bar for each of join, change and leave: what was or will be done, above it what is held and in a run what was not done.
pub(super) fn draw_moves(head: &Head) -> Option<String> {
    let summary = &head.summary;
    let is_stopped = !head.is_run() && summary.error.is_some();
    let planned = count_moves(|kind| summary.planned.get(kind));
    let held = count_moves(|kind| match held_of(head, kind) {
        _ if is_stopped => summary.planned.get(kind),
        Some((own, _)) => own,
        None => 0,
    });
    let applied = count_moves(|kind| summary.applied.get(kind));
    let bars = [0, 1, 2].map(|at| {
        let done = if head.is_run() { applied[at] } else { planned[at].saturating_sub(held[at]) };
        let not_done = planned[at].saturating_sub(done).saturating_sub(held[at]);
        vec![vec![(MOVES[at].0, done), ("held", held[at]), ("failed", not_done)]]
    });
    (planned != [0; 3]).then(|| draw_bars(&MOVES.map(|(word, _)| word.to_owned()), &bars))
}

/// Bars for joiners, leavers and failures from run to run.
pub(super) fn draw_trend(points: &[TrendPoint]) -> Option<String> {
    let bars = |point: &TrendPoint| {
        [("join", point.moves[0]), ("leave", point.moves[2]), ("failed", point.failed)].map(|bar| vec![bar]).to_vec()
    };
    (points.len() > 1).then(|| draw_bars(&day_labels(points), &points.iter().map(bars).collect::<Vec<_>>()))
}

/// A line of the accounts from run to run. A company changes by a few people a day, which nobody would see on a scale
/// that begins at zero.
pub(super) fn draw_accounts(points: &[TrendPoint]) -> Option<String> {
    let known: Vec<u64> = points.iter().filter_map(|point| point.accounts).collect();
    if known.len() < 2 {
        return None;
    }
    let mut chart = Chart::new(value_range(&known), &day_labels(points));
    let counts: Vec<_> = points.iter().enumerate().map(|(at, point)| Some((at, point.accounts?))).collect();
    // The line has a gap where the count is not known.
    for stretch in counts.split(Option::is_none) {
        let place = |(at, accounts): &(usize, u64)| (chart.x_of(*at, 0.5), chart.y_of(*accounts));
        let places: Vec<_> = stretch.iter().flatten().map(place).collect();
        let line: Vec<_> = places.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
        chart.add(format_args!("<polyline points=\"{}\"/>", line.join(" ")));
        for (x, y) in places {
            chart.add(format_args!("<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\"/>"));
        }
    }
    Some(chart.svg + "</svg>")
}

/// A bar is a stack of classes and counts. For each label there are several bars, side by side.
fn draw_bars(labels: &[String], groups: &[Vec<Vec<(&'static str, u64)>>]) -> String {
    let heights = groups.iter().flatten().map(|bar| bar.iter().map(|(_, count)| count).sum());
    let mut chart = Chart::new(value_range(&heights.chain([0]).collect::<Vec<_>>()), labels);
    for (at, bars) in groups.iter().enumerate() {
        let width = 0.6 / pixels(bars.len() as u64);
        for (number, bar) in bars.iter().enumerate() {
            let [left, right] = [number, number + 1].map(|edge| chart.x_of(at, 0.2 + width * pixels(edge as u64)));
            let mut below = 0;
            for (class, count) in bar.iter().filter(|(_, count)| *count > 0) {
                let [bottom, top] = [below, below + count].map(|value| chart.y_of(value));
                let (width, height) = (right - left, bottom - top);
                chart.add(format_args!(
                    "<rect class=\"{class}\" x=\"{left:.1}\" y=\"{top:.1}\" width=\"{width:.1}\" height=\"{height:.1}\"/>"
                ));
                below += count;
            }
        }
    }
    chart.svg + "</svg>"
}

/// The values between which three equal steps of a round number hold all counts.
fn value_range(counts: &[u64]) -> (u64, u64) {
    let least = counts.iter().copied().min().unwrap_or_default();
    let most = counts.iter().copied().max().unwrap_or_default();
    let steps = (0..18).flat_map(|power| [1, 2, 5].map(|digit| digit * 10_u64.pow(power)));
    let mut ranges = steps.map(|step| (least / step * step, (least / step * step).saturating_add(STEPS * step)));
    ranges.find(|(_, end)| *end >= most).unwrap_or((0, most))
}

/// The days of the runs, with the hour where one day has several. Where not all of them have room, only some are
/// shown, the last one among them.
fn day_labels(points: &[TrendPoint]) -> Vec<String> {
    let days: Vec<_> = points.iter().map(|point| point.at.strftime("%m-%d").to_string()).collect();
    let is_repeated = days.windows(2).any(|pair| pair[0] == pair[1]);
    let (form, most) = if is_repeated { ("%m-%d %H:%M", 3) } else { ("%m-%d", 6) };
    let every = points.len().div_ceil(most).max(1);
    let label = |(at, point): (usize, &TrendPoint)| {
        let is_shown = (points.len() - 1 - at).is_multiple_of(every);
        if is_shown { point.at.strftime(form).to_string() } else { String::new() }
    };
    points.iter().enumerate().map(label).collect()
}

/// A chart is no more precise than its pixels.
#[allow(clippy::cast_precision_loss, reason = "no count of people is so large that a pixel would show it")]
fn pixels(count: u64) -> f64 {
    count as f64
}

/// A chart that is being drawn: a grid, the scale at its left, and labels below it.
struct Chart {
    svg: String,
    /// The left edge of the plot.
    left: f64,
    range: (u64, u64),
    labels: usize,
}

impl Chart {
    fn new(range: (u64, u64), labels: &[String]) -> Self {
        let svg = "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 400 190\" aria-hidden=\"true\" focusable=\"false\">";
        let left = 16.0 + 7.0 * pixels(group_digits(range.1).len() as u64);
        let mut chart = Self { svg: svg.to_owned(), left, range, labels: labels.len() };
        for step in 0..=STEPS {
            let value = range.0 + (range.1 - range.0) / STEPS * step;
            let y = chart.y_of(value);
            chart.add(format_args!("<path d=\"M{left:.1} {y:.1}H{RIGHT}\"/>"));
            chart.add_label("end", left - 8.0, y + 4.0, &group_digits(value));
        }
        for (at, label) in labels.iter().enumerate() {
            chart.add_label("middle", chart.x_of(at, 0.5), BOTTOM + 17.0, label);
        }
        chart
    }

    /// A place in the room of one label, from 0 to 1.
    fn x_of(&self, label: usize, share: f64) -> f64 {
        self.left + (pixels(label as u64) + share) / pixels(self.labels as u64) * (RIGHT - self.left)
    }

    fn y_of(&self, value: u64) -> f64 {
        let (from, to) = self.range;
        BOTTOM - pixels(value - from) / pixels((to - from).max(1)) * (BOTTOM - TOP)
    }

    fn add_label(&mut self, anchor: &'static str, x: f64, y: f64, label: &str) {
        let label = escape_html(label);
        self.add(format_args!("<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{label}</text>"));
    }

    fn add(&mut self, shape: std::fmt::Arguments<'_>) {
        // Writing to a string cannot fail.
        let _ = self.svg.write_fmt(shape);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples::{past, quiet, rich, rich_plan};

    fn charts(head: &Head) -> Vec<String> {
        let points: Vec<TrendPoint> =
            past().iter().map(TrendPoint::from_past).chain([TrendPoint::from_head(head)]).collect();
        [draw_moves(head), draw_accounts(&points), draw_trend(&points)].into_iter().flatten().collect()
    }

    #[test]
    fn a_chart_has_no_colour_but_from_the_style_sheet_and_nothing_that_the_policy_refuses() {
        let all: Vec<String> = [rich().head, rich_plan().head].iter().flat_map(charts).collect();
        assert_eq!(all.len(), 6);
        for svg in all {
            for refused in ["style", "<script", "href", "url(", "fill", "stroke", "width=\"400\" height", "NaN", "inf"]
            {
                assert!(!svg.contains(refused), "{refused} in {svg}");
            }
            for class in svg.split("class=\"").skip(1).map(|rest| &rest[..rest.find('"').unwrap()]) {
                assert!(super::super::STYLE.contains(&format!("svg .{class} {{ fill: var(--")), "{class} in {svg}");
            }
            for shape in svg.split('<').skip(1).filter_map(|tag| tag.trim_start_matches('/').split([' ', '>']).next()) {
                let is_known = ["svg", "rect"].contains(&shape);
                assert!(is_known || super::super::STYLE.contains(&format!("svg {shape} {{")), "{shape} in {svg}");
            }
        }
    }

    #[test]
    fn a_bar_is_as_high_as_its_count_and_a_scale_counts_whole_people() {
        // Of three rows of the grid one is 52 high.
        let svg = draw_bars(&["a<b".into()], &[vec![vec![("join", 1), ("held", 2)], vec![("leave", 0)]]]);
        assert_eq!(svg.matches("<rect").count(), 2);
        assert!(svg.contains("y=\"114.0\" width=\"110.7\" height=\"52.0\""), "{svg}");
        assert!(svg.contains("y=\"10.0\" width=\"110.7\" height=\"104.0\"") && svg.contains(">a&lt;b<"), "{svg}");
        assert!(["0", "1", "2", "3"].iter().all(|value| svg.contains(&format!(">{value}</text>"))), "{svg}");
    }

    #[test]
    fn a_line_has_a_gap_where_nobody_counted() {
        let point = |accounts| TrendPoint { accounts, ..TrendPoint::from_head(&quiet().head) };
        let svg = draw_accounts(&[7, 9, 0, 8].map(|count| point(Some(count).filter(|count| *count > 0)))).unwrap();
        assert_eq!((svg.matches("<polyline").count(), svg.matches("<circle").count()), (2, 3));
        assert!(draw_accounts(&[point(Some(7)), point(None)]).is_none());
    }

    #[test]
    fn what_is_held_and_what_was_not_done_is_no_part_of_what_was_done() {
        let head = rich().head;
        assert_eq!(TrendPoint::from_head(&head).moves, [2, 1, 0]);
        assert_eq!(TrendPoint::from_head(&rich_plan().head).moves, [3, 2, 1]);
        assert!(draw_moves(&quiet().head).is_none(), "nothing to do is no chart");
    }

    #[test]
    fn a_scale_holds_all_counts_between_round_numbers() {
        assert_eq!(value_range(&[1152, 1187]), (1140, 1200));
        assert_eq!(value_range(&[7, 7]), (7, 10));
        assert_eq!(value_range(&[0, 49_000]), (0, 60_000));
        assert_eq!(value_range(&[0, u64::MAX]), (0, u64::MAX));
    }

    #[test]
    fn two_runs_of_a_day_are_told_apart() {
        let point = |at: &str| TrendPoint { at: at.parse().unwrap(), ..TrendPoint::from_head(&quiet().head) };
        assert_eq!(day_labels(&[point("2026-11-21T03:00:00Z"), point("2026-11-22T03:00:00Z")]), ["11-21", "11-22"]);
        let many: Vec<TrendPoint> = (10..20).map(|day| point(&format!("2026-11-{day}T03:00:00Z"))).collect();
        assert_eq!(day_labels(&many), ["", "11-11", "", "11-13", "", "11-15", "", "11-17", "", "11-19"]);
        let both = day_labels(&[point("2026-11-22T03:00:00Z"), point("2026-11-22T04:30:00Z")]);
        assert_eq!(both, ["11-22 03:00", "11-22 04:30"]);
    }
}
