//! Processor time: unlike the time on the clock, what else the machine does changes little of it.

use std::fs;
use std::time::Duration;

/// What a process and its threads have used so far, in steps of 10 ms; `None` where the system does not say, or the
/// process has ended.
pub fn used(process: u32) -> Option<Duration> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The name, in brackets, may hold blanks.
    let (_, fields) = stat.rsplit_once(") ")?;
    let fields: Vec<&str> = fields.split(' ').collect();
    let ticks = |at: usize| fields.get(at)?.parse::<u64>().ok();
    // In user mode and in the kernel, in hundredths of a second on every Linux.
    Some(Duration::from_millis(10 * (ticks(11)? + ticks(12)?)))
}
