//! The quota as a client sees it, and as the server does.

use super::*;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// However the answers to requests that were under way together overtake each other, the lowest one counts.
#[test]
fn answers_that_come_in_the_reverse_order_raise_nothing() {
    let now = at("2026-11-22T12:00:00Z");
    let gate = QuotaGate::new(Percent::new(5.0).unwrap());
    let quota = |remaining| Quota { limit: Some(60), remaining, resets_at: None };
    gate.take_ticket().saw_quota(quota(11), now);
    let tickets: Vec<_> = (0..6).map(|_| gate.take_ticket()).collect();
    for (ticket, remaining) in tickets.into_iter().rev().zip(5..) {
        let mut ticket = ticket;
        assert_eq!(ticket.saw_quota(quota(remaining), now).remaining, 5);
    }
    // More than was left when a request left is a reset, and the first to tell of it is believed.
    let (mut first, mut second) = (gate.take_ticket(), gate.take_ticket());
    assert_eq!(first.saw_quota(quota(58), now).remaining, 58);
    assert_eq!(second.saw_quota(quota(59), now).remaining, 58);
}

fn gate() -> QuotaGate {
    QuotaGate::new(Percent::new(5.0).unwrap())
}

fn quota(limit: Option<u64>, remaining: u64) -> Quota {
    Quota { limit, remaining, resets_at: Some(at("2026-03-02T00:00:00Z")) }
}

const NOW: &str = "2026-03-01T22:00:00Z";

#[test]
fn without_a_reading_everything_goes() {
    let gate = gate();
    let _under_way: Vec<_> = (0..100).map(|_| gate.take_ticket()).collect();
    assert_eq!(gate.ask_leave(at(NOW)), Leave::Granted);
}

#[test]
fn it_stops_exactly_at_the_reserve() {
    let gate = gate();
    gate.take_ticket().saw_quota(quota(Some(1000), 52), at(NOW));
    assert_eq!(gate.ask_leave(at(NOW)), Leave::Granted);
    let first = gate.take_ticket();
    assert_eq!(gate.ask_leave(at(NOW)), Leave::Granted);
    let mut second = gate.take_ticket();
    // Two are left above the reserve and two are under way.
    assert_eq!(gate.ask_leave(at(NOW)), Leave::AfterAnAnswer);
    second.saw_quota(quota(Some(1000), 51), at(NOW));
    drop(second);
    assert_eq!(gate.ask_leave(at(NOW)), Leave::AfterAnAnswer);
    // An answer that says nothing of the quota used some of it all the same.
    drop(first);
    assert!(matches!(gate.ask_leave(at(NOW)), Leave::Exhausted { quota: Quota { remaining: 50, .. }, .. }));
}

#[test]
fn an_unknown_limit_has_no_reserve() {
    let gate = gate();
    gate.take_ticket().saw_quota(quota(None, 1), at(NOW));
    assert_eq!(gate.ask_leave(at(NOW)), Leave::Granted);
    gate.take_ticket().saw_quota(quota(None, 0), at(NOW));
    assert!(matches!(gate.ask_leave(at(NOW)), Leave::Exhausted { .. }));
}

#[test]
fn a_reading_is_forgotten_when_its_reset_has_passed() {
    let gate = gate();
    gate.take_ticket().saw_quota(quota(Some(1000), 0), at(NOW));
    let Leave::Exhausted { until, .. } = gate.ask_leave(at("2026-03-01T23:59:59Z")) else { panic!("not exhausted") };
    assert_eq!(until, at("2026-03-02T00:00:00Z"));
    assert_eq!(gate.ask_leave(until), Leave::Granted);
}

#[test]
fn an_answer_that_was_overtaken_does_not_raise_what_is_left_and_a_reset_does() {
    let gate = gate();
    let (mut a, mut b) = (gate.take_ticket(), gate.take_ticket());
    assert_eq!(b.saw_quota(quota(Some(1000), 98), at(NOW)).remaining, 98);
    assert_eq!(a.saw_quota(quota(Some(1000), 99), at(NOW)).remaining, 98);
    // Only of a request that left when less was known to be left does more mean a reset.
    assert_eq!(gate.take_ticket().saw_quota(quota(Some(1000), 999), at(NOW)).remaining, 999);
}

#[test]
fn reset_times_that_make_no_sense_are_replaced_by_midnight_and_late_ones_wait_for_the_slower_clock() {
    let now = at(NOW);
    let midnight = at("2026-03-02T00:00:00Z");
    assert_eq!(believed_until(None, now), midnight);
    assert_eq!(believed_until(Some(at("2026-03-01T12:00:00Z")), now), midnight);
    assert_eq!(believed_until(Some(at("2099-03-01T12:00:00Z")), now), midnight);
    assert_eq!(believed_until(Some(at("2026-03-01T21:58:00Z")), now), at("2026-03-01T22:03:00Z"));
    assert_eq!(believed_until(Some(now), now), at("2026-03-01T22:05:00Z"));
    assert_eq!(believed_until(Some(at("2026-03-01T22:30:00Z")), now), at("2026-03-01T22:30:00Z"));
}

#[test]
fn being_told_that_it_is_used_up_keeps_what_was_known() {
    let gate = gate();
    gate.take_ticket().saw_quota(quota(Some(1000), 500), at(NOW));
    gate.mark_exhausted(None, at(NOW));
    let Leave::Exhausted { quota, until } = gate.ask_leave(at(NOW)) else { panic!("not exhausted") };
    assert_eq!((quota.limit, quota.remaining, until), (Some(1000), 0, at("2026-03-02T00:00:00Z")));
}

#[test]
fn what_an_earlier_process_saw_counts_until_its_reset_or_another_answer() {
    let gate = gate();
    assert!(gate.recall_quota(quota(Some(1000), 53), 3, at(NOW)));
    assert!(matches!(gate.ask_leave(at(NOW)), Leave::Exhausted { .. }));
    assert_eq!(gate.ask_leave(at("2026-03-02T00:00:00Z")), Leave::Granted);

    let gate = self::gate();
    assert!(gate.recall_quota(quota(Some(1000), 60), 0, at(NOW)));
    gate.take_ticket().saw_quota(quota(Some(1000), 900), at(NOW));
    let _under_way: Vec<_> = (0..100).map(|_| gate.take_ticket()).collect();
    assert_eq!(gate.ask_leave(at(NOW)), Leave::Granted, "more was bought meanwhile");

    let gate = self::gate();
    let forever = Quota { resets_at: None, ..quota(Some(1000), 50) };
    assert!(
        !gate.recall_quota(forever, 0, at(NOW))
            && !gate.recall_quota(quota(Some(1000), 0), 0, at("2026-03-02T00:00:00Z"))
    );
    assert_eq!(gate.ask_leave(at(NOW)), Leave::Granted);
}

#[test]
fn who_was_told_to_wait_for_an_hour_waits_no_longer_because_of_an_answer_that_was_under_way() {
    let gate = gate();
    let mut under_way = gate.take_ticket();
    gate.mark_exhausted(Some(at("2026-03-01T23:00:00Z")), at(NOW));
    under_way.saw_quota(quota(Some(1000), 700), at(NOW));
    let Leave::Exhausted { quota, until } = gate.ask_leave(at(NOW)) else { panic!("not exhausted") };
    assert_eq!((quota.limit, until), (Some(1000), at("2026-03-01T23:00:00Z")));
}

/// A server that counts, and on which others take so many requests after each of ours.
struct Server {
    remaining: u64,
    others: u64,
    /// What was left when a request of ours arrived, at the least.
    least: u64,
}

impl Server {
    fn serve(&mut self) -> Quota {
        self.least = self.least.min(self.remaining);
        self.remaining = self.remaining.saturating_sub(1);
        let answer = quota(Some(1000), self.remaining);
        self.remaining = self.remaining.saturating_sub(self.others);
        answer
    }
}

#[test]
fn however_many_are_under_way_and_whatever_others_take_nothing_arrives_at_the_reserve() {
    for (at_once, others) in [(1, 0), (4, 0), (16, 0), (1, 1), (4, 1), (16, 1), (4, 3), (16, 3), (4, 9), (16, 9)] {
        let gate = gate();
        let mut server = Server { remaining: 900, others, least: 900 };
        gate.take_ticket().saw_quota(server.serve(), at(NOW));
        let mut under_way = VecDeque::new();
        let mut sent = 1;
        loop {
            match gate.ask_leave(at(NOW)) {
                Leave::Granted if under_way.len() < at_once => {
                    sent += 1;
                    under_way.push_back((gate.take_ticket(), server.serve()));
                }
                Leave::Exhausted { .. } if under_way.is_empty() => break,
                _ => {
                    let (mut ticket, answer): (Ticket<'_>, Quota) = under_way.pop_front().unwrap();
                    ticket.saw_quota(answer, at(NOW));
                }
            }
        }
        assert!(server.least > 50, "{at_once} at once, {others} others: {} were left", server.least);
        // Nor is more given away than others take at once.
        assert!(server.remaining <= 60, "{at_once} at once, {others} others: {}", server.remaining);
        assert_eq!(sent + others * sent + server.remaining, 900);
    }
}

#[test]
fn one_large_burst_of_others_is_not_expected_again_for_long_nor_in_full() {
    let gate = gate();
    gate.take_ticket().saw_quota(quota(Some(1000), 900), at(NOW));
    gate.take_ticket().saw_quota(quota(Some(1000), 200), at(NOW));
    // Of 699 that others took at once ten are left to them, a hundredth of the limit.
    gate.take_ticket().saw_quota(quota(Some(1000), 61), at(NOW));
    assert_eq!(gate.ask_leave(at(NOW)), Leave::Granted);
    gate.take_ticket().saw_quota(quota(Some(1000), 60), at(NOW));
    assert!(matches!(gate.ask_leave(at(NOW)), Leave::Exhausted { .. }));

    let gate = self::gate();
    gate.take_ticket().saw_quota(quota(Some(1000), 900), at(NOW));
    for remaining in (131..=200).rev() {
        gate.take_ticket().saw_quota(quota(Some(1000), remaining), at(NOW));
    }
    gate.take_ticket().saw_quota(quota(Some(1000), 130), at(NOW));
    let alone: Vec<_> = (0..79).map(|_| gate.take_ticket()).collect();
    assert_eq!((alone.len(), gate.ask_leave(at(NOW))), (79, Leave::Granted), "the burst is forgotten");
}

#[test]
fn after_a_reset_that_may_not_be_one_requests_leave_one_by_one_until_an_answer_tells() {
    let gate = gate();
    gate.take_ticket().saw_quota(quota(Some(1000), 50), at(NOW));
    // This machine's clock is ahead: by the server's the day is not over.
    let midnight = at("2026-03-02T00:00:00Z");
    assert_eq!(gate.ask_leave(midnight), Leave::Granted);
    let mut probe = gate.take_ticket();
    assert_eq!(gate.ask_leave(midnight), Leave::AfterAnAnswer);
    probe.saw_quota(quota(Some(1000), 49), midnight);
    drop(probe);
    let Leave::Exhausted { until, .. } = gate.ask_leave(midnight) else { panic!("not exhausted") };
    assert_eq!(until, at("2026-03-02T00:05:00Z"));
    // A server that stopped saying anything of a quota is not asked one by one for ever.
    assert_eq!(gate.ask_leave(until), Leave::Granted);
    let mut probe = gate.take_ticket();
    probe.saw_nothing();
    assert_eq!(gate.ask_leave(until), Leave::Granted);
}

#[test]
fn a_server_that_never_says_anything_of_a_quota_is_never_waited_for() {
    let gate = gate();
    for _ in 0..10 {
        let mut ticket = gate.take_ticket();
        ticket.saw_nothing();
    }
    let _under_way: Vec<_> = (0..100).map(|_| gate.take_ticket()).collect();
    assert_eq!(gate.ask_leave(at("2027-03-01T22:00:00Z")), Leave::Granted);
}

#[test]
fn numbers_beyond_all_measure_keep_everything_back_and_break_nothing() {
    let gate = gate();
    assert!(gate.recall_quota(quota(Some(u64::MAX), u64::MAX), u64::MAX, at(NOW)));
    assert_eq!(gate.ask_leave(at(NOW)), Leave::Granted);
    let _under_way = gate.take_ticket();
    assert_eq!(gate.ask_leave(at(NOW)), Leave::AfterAnAnswer);
    assert_eq!(kept_back(Percent::new(100.0).unwrap(), Some(u64::MAX), u64::MAX), u64::MAX);
}
