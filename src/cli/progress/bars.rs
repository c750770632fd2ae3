//! Progress on a terminal.

use std::fmt;
use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use indicatif::{HumanDuration, MultiProgress, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use super::{LogWriter, describe_troubles, phase_name, waiting_line, warning_line};
use crate::model::{Done, Monitor, Phase};

/// How often a bar is drawn again while nothing is told, so that its clock and its estimate keep going.
const TICK: Duration = Duration::from_millis(500);

/// What does not fit the terminal is cut: a line that wraps could not be drawn over.
const OPEN: &str = "{spinner} {prefix:<9} {human_pos} {wide_msg}";
const CLOSED: &str = "{spinner} {prefix:<9} [{bar:20}] {human_pos}/{human_len}{outlook}  {wide_msg}";
/// A phase that is over.
const OVER: &str = "  {prefix:<9} {human_pos} {wide_msg}";
/// Where there is no room for a bar, its numbers are part of what is cut.
const NARROW: &str = "{spinner} {prefix} {wide_msg}";
const NARROW_OVER: &str = "  {prefix} {wide_msg}";

/// The fewest columns that a bar with its numbers fits in.
const WIDE: usize = 70;

/// How long a phase has to go on before its pace says anything: a burst at its beginning does not.
const SETTLED: Duration = Duration::from_secs(2);

/// One bar for each phase that has begun, and a line for what is waited for.
pub struct Bars {
    multi: MultiProgress,
    /// How wide the terminal is; people change that on the way.
    columns: Box<dyn Fn() -> usize + Send + Sync>,
    phases: [OnceLock<Phased>; 3],
    wait: Mutex<Option<ProgressBar>>,
    is_waiting: AtomicBool,
    /// Whether the cursor stands behind the last bar.
    is_drawn: AtomicBool,
}

/// The bar of a phase.
struct Phased {
    bar: ProgressBar,
    shape: Mutex<Shape>,
}

/// What a bar looks like.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shape {
    /// Its end is not known yet.
    Open,
    Closed,
    Narrow,
}

impl Bars {
    #[must_use]
    pub fn new(target: ProgressDrawTarget, columns: impl Fn() -> usize + Send + Sync + 'static) -> Self {
        Self {
            multi: MultiProgress::with_draw_target(target),
            columns: Box::new(columns),
            phases: [const { OnceLock::new() }; 3],
            wait: Mutex::new(None),
            is_waiting: AtomicBool::new(false),
            is_drawn: AtomicBool::new(false),
        }
    }

    /// Where lines are written that appear above the bars.
    #[must_use]
    pub fn log_writer(&self) -> LogWriter {
        LogWriter::beside_bars(self.multi.clone())
    }

    /// Wipes the `^C` that the terminal showed when it was typed. The cursor stood at the end of the last bar, which fills
    /// its line, so what was typed went to the line below, and the bars would be drawn one line too low from then on.
    pub fn wipe_interrupt(&self, to: &mut impl Write) {
        if self.is_drawn.load(Ordering::Relaxed) {
            // In one piece, so that no bar is drawn in between.
            let _ = to.write_all(b"\r\x1b[K\x1b[A").and_then(|()| to.flush());
        }
    }

    /// Takes all bars away.
    pub fn finish(&self) {
        self.is_drawn.store(false, Ordering::Relaxed);
        self.go_on();
        for phased in self.phases.iter().filter_map(OnceLock::get) {
            phased.bar.finish_and_clear();
        }
        // A terminal that is gone has nothing to clear.
        let _ = self.multi.clear();
    }

    fn update_phase(&self, phase: Phase, position: u64, total: Option<u64>, message: &str) {
        self.go_on();
        let Phased { bar, shape } = self.phases[phase as usize].get_or_init(|| {
            let bar =
                self.multi.add(ProgressBar::no_length().with_style(bar_style(OPEN)).with_prefix(phase_name(phase)));
            bar.enable_steady_tick(TICK);
            Phased { bar, shape: Mutex::new(Shape::Open) }
        });
        if let Some(total) = total
            && bar.length() != Some(total)
        {
            bar.set_length(total);
        }
        let wanted = match bar.length() {
            _ if (self.columns)() < WIDE => Shape::Narrow,
            None => Shape::Open,
            Some(_) => Shape::Closed,
        };
        let mut shape = shape.lock().unwrap_or_else(PoisonError::into_inner);
        if *shape != wanted {
            *shape = wanted;
            bar.set_style(bar_style(match wanted {
                Shape::Open => OPEN,
                Shape::Closed => CLOSED,
                Shape::Narrow => NARROW,
            }));
        }
        self.is_drawn.store(true, Ordering::Relaxed);
        bar.set_position(position);
        match (wanted, bar.length()) {
            (Shape::Narrow, Some(length)) => bar.set_message(format!("{position}/{length} {message}")),
            (Shape::Narrow, None) => bar.set_message(format!("{position} {message}")),
            _ => bar.set_message(message.to_owned()),
        }
    }

    /// The wait is over, since something happened.
    fn go_on(&self) {
        if self.is_waiting.swap(false, Ordering::Relaxed)
            && let Some(bar) = self.wait.lock().unwrap_or_else(PoisonError::into_inner).take()
        {
            bar.finish_and_clear();
        }
    }
}

impl Monitor for Bars {
    fn rows_read(&self, rows: u64, total: Option<u64>) {
        self.update_phase(Phase::Reading, rows, total, "rows");
    }

    fn pages_listed(&self, accounts: u64, pages: u64, of: Option<u64>) {
        self.update_phase(Phase::Listing, pages, of, &format!("pages, {accounts} accounts"));
    }

    fn actions_done(&self, progress: &Done) {
        self.update_phase(Phase::Executing, progress.done, Some(progress.of), &describe_troubles(progress));
    }

    fn note(&self, text: &str) {
        self.log_writer().write_line(&warning_line(text));
    }

    fn waiting(&self, why: &str, seconds: u64) {
        let mut wait = self.wait.lock().unwrap_or_else(PoisonError::into_inner);
        let bar =
            wait.get_or_insert_with(|| self.multi.add(ProgressBar::no_length().with_style(bar_style("{wide_msg}"))));
        bar.set_message(waiting_line(why, seconds));
        bar.tick();
        self.is_waiting.store(true, Ordering::Relaxed);
    }

    fn ended(&self, phase: Phase) {
        self.go_on();
        if let Some(Phased { bar, shape }) = self.phases[phase as usize].get() {
            let shape = *shape.lock().unwrap_or_else(PoisonError::into_inner);
            bar.set_style(bar_style(if shape == Shape::Narrow { NARROW_OVER } else { OVER }));
            bar.abandon();
        }
    }
}

/// A template of this file; a test builds each one.
fn bar_style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template)
        .unwrap_or_else(|_| ProgressStyle::default_spinner())
        .with_key("outlook", write_outlook)
}

/// How fast it goes and how long it will take, once that can be told: ` 5.3/s, 8s left`.
fn write_outlook(state: &ProgressState, out: &mut dyn fmt::Write) {
    let rate = state.per_sec();
    if state.elapsed() < SETTLED || rate <= 0.0 {
        return;
    }
    let left = HumanDuration(state.eta());
    // With a fraction only where it matters. What cannot be drawn is not shown.
    let _ = if rate < 10.0 {
        write!(out, " {rate:.1}/s, {left:#} left")
    } else {
        write!(out, " {rate:.0}/s, {left:#} left")
    };
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::Arc;

    use indicatif::TermLike;

    use super::*;

    /// A terminal that remembers every line drawn, and fails when it is gone.
    #[derive(Clone, Debug, Default)]
    struct Terminal {
        /// None is [`WIDTH`].
        width: Option<u16>,
        drawn: Arc<Mutex<String>>,
        is_gone: Arc<AtomicBool>,
    }

    impl Terminal {
        fn bars(&self) -> Bars {
            let width = self.width();
            Bars::new(ProgressDrawTarget::term_like_with_hz(Box::new(self.clone()), 255), move || usize::from(width))
        }
        fn drawn(&self) -> String {
            self.drawn.lock().unwrap().clone()
        }
        fn push(&self, text: &str) -> io::Result<()> {
            if self.is_gone.load(Ordering::Relaxed) {
                return Err(io::ErrorKind::BrokenPipe.into());
            }
            self.drawn.lock().unwrap().push_str(text);
            Ok(())
        }
    }

    const WIDTH: u16 = 120;

    impl TermLike for Terminal {
        fn width(&self) -> u16 {
            self.width.unwrap_or(WIDTH)
        }
        fn move_cursor_up(&self, _: usize) -> io::Result<()> {
            self.push("")
        }
        fn move_cursor_down(&self, _: usize) -> io::Result<()> {
            self.push("")
        }
        fn move_cursor_right(&self, _: usize) -> io::Result<()> {
            self.push("")
        }
        fn move_cursor_left(&self, _: usize) -> io::Result<()> {
            self.push("")
        }
        fn write_line(&self, text: &str) -> io::Result<()> {
            self.push(&format!("{text}\n"))
        }
        fn write_str(&self, text: &str) -> io::Result<()> {
            self.push(text)
        }
        fn clear_line(&self) -> io::Result<()> {
            self.push("\n")
        }
        fn flush(&self) -> io::Result<()> {
            self.push("")
        }
    }

    #[test]
    fn every_template_is_valid() {
        for template in [OPEN, CLOSED, OVER, NARROW, NARROW_OVER, "{wide_msg}"] {
            assert!(ProgressStyle::with_template(template).is_ok(), "{template}");
        }
    }

    #[test]
    fn bars_show_what_was_told() {
        let terminal = Terminal::default();
        let bars = terminal.bars();
        bars.pages_listed(1190, 119, None);
        bars.pages_listed(1200, 120, Some(500));
        bars.actions_done(&Done { done: 7, of: 64, failed: 2, retries: 3, quota_left: Some(4880), unknown: 0 });
        bars.waiting("the server answered 429", 30);
        bars.ended(Phase::Listing);
        let drawn = terminal.drawn();
        for piece in ["120/500", "1200 accounts", "7/64", "2 failed, 3 retries, quota left 4880", "waiting 30 s"] {
            assert!(drawn.contains(piece), "{piece} is not in {drawn}");
        }
    }

    /// A bar of two lines could not be drawn over where the terminal breaks it otherwise than was reckoned.
    #[test]
    fn on_a_terminal_of_twenty_columns_every_bar_is_one_line() {
        let terminal = Terminal { width: Some(20), ..Terminal::default() };
        let bars = terminal.bars();
        bars.rows_read(262, Some(262));
        bars.ended(Phase::Reading);
        bars.pages_listed(1200, 120, Some(500));
        bars.actions_done(&Done { done: 7, of: 64, failed: 2, retries: 3, quota_left: Some(4880), unknown: 0 });
        bars.waiting("the server answered 429 and wants patience", 30);
        bars.ended(Phase::Executing);
        let drawn = terminal.drawn();
        for piece in ["listing 120/500", "executing 7/64"] {
            assert!(drawn.contains(piece), "{piece} is not in {drawn}");
        }
        // What is drawn ends with as many blanks as the line has left, and the next one follows.
        let bars = drawn.lines().map(|line| line.chars().count());
        assert!(bars.into_iter().all(|letters| letters % 20 == 0 || letters < 20), "{drawn}");
        assert!(!drawn.contains('['), "{drawn}");
    }

    #[test]
    fn a_bar_follows_a_terminal_that_becomes_narrow_and_wide_again() {
        let width = Arc::new(std::sync::atomic::AtomicUsize::new(120));
        let (terminal, columns) = (Terminal::default(), Arc::clone(&width));
        let target = ProgressDrawTarget::term_like_with_hz(Box::new(terminal.clone()), 255);
        let bars = Bars::new(target, move || columns.load(Ordering::Relaxed));
        let shown = |bars: &Bars| {
            bars.actions_done(&Done { done: 7, of: 64, ..Done::default() });
            *bars.phases[Phase::Executing as usize].get().unwrap().shape.lock().unwrap()
        };
        assert!(shown(&bars) == Shape::Closed);
        width.store(WIDE - 1, Ordering::Relaxed);
        assert!(shown(&bars) == Shape::Narrow);
        width.store(WIDE, Ordering::Relaxed);
        assert!(shown(&bars) == Shape::Closed);
    }

    #[test]
    fn a_line_of_the_log_stands_alone_on_its_line() {
        let terminal = Terminal::default();
        let bars = terminal.bars();
        bars.rows_read(5, Some(10));
        bars.log_writer().write_all(b"WARN token refreshed\n").unwrap();
        bars.note("odd\x1b[2J");
        let drawn = terminal.drawn();
        // What is as wide as the terminal is followed by the next line without a line break.
        let letters: Vec<Vec<char>> = drawn.lines().map(|line| line.chars().collect()).collect();
        let rows = letters.iter().flat_map(|line| line.chunks(usize::from(WIDTH)));
        let rows: Vec<String> = rows.map(|row| row.iter().collect::<String>().trim_end().to_owned()).collect();
        for line in ["WARN token refreshed", "warning: odd\\u{1b}[2J"] {
            assert!(rows.iter().any(|row| row == line), "{line} is not in {drawn}");
        }
    }

    #[test]
    fn what_is_typed_is_wiped_only_where_it_stands_below_a_bar() {
        let bars = Terminal::default().bars();
        let wiped = |bars: &Bars| {
            let mut out = Vec::new();
            bars.wipe_interrupt(&mut out);
            String::from_utf8(out).unwrap()
        };
        assert_eq!(wiped(&bars), "");
        bars.rows_read(5, Some(10));
        assert_eq!(wiped(&bars), "\r\x1b[K\x1b[A");
        bars.finish();
        assert_eq!(wiped(&bars), "");
    }

    #[test]
    fn a_wait_disappears_when_something_happens() {
        let bars = Terminal::default().bars();
        bars.waiting("429", 30);
        assert!(bars.wait.lock().unwrap().is_some());
        bars.rows_read(1, None);
        assert!(bars.wait.lock().unwrap().is_none());
    }

    #[test]
    fn a_terminal_that_is_gone_stops_nothing() {
        let terminal = Terminal::default();
        let bars = terminal.bars();
        bars.actions_done(&Done { done: 1, of: 3, ..Done::default() });
        terminal.is_gone.store(true, Ordering::Relaxed);
        bars.actions_done(&Done { done: 2, of: 3, ..Done::default() });
        bars.note("x");
        bars.waiting("y", 9);
        bars.ended(Phase::Executing);
        bars.finish();
    }
}
