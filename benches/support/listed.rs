//! A listing read to its end, as the engine reads one.

use std::time::{Duration, Instant};

use futures::StreamExt;
use headcount::connectors::{Connector, Listed};

/// How many accounts a target that is signed in to lists, and how long that takes.
pub async fn listed(target: &dyn Connector) -> (u64, Duration) {
    let start = Instant::now();
    let mut listing = target.list();
    let mut count = 0;
    loop {
        match listing.next().await.unwrap().unwrap() {
            Listed::Page { accounts, .. } => count += accounts.len() as u64,
            Listed::Again { why } => panic!("nobody changes anything: {why}"),
            Listed::End { complete, notes } => {
                assert!(complete, "{notes:?}");
                return (count, start.elapsed());
            }
        }
    }
}
