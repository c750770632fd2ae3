//! Counts the requests of a listing without sending any.

use super::{FIRST, PageFacts, PageOrder, PageRequest, Paging};

/// Requests that a listing of so many accounts takes while nobody changes them. `announces` is whether numbered pages say
/// how many there are.
pub fn count_requests(paging: Paging, accounts: u64, announces: bool) -> u64 {
    let size = paging.page_size().max(1);
    let mut order = PageOrder::new(paging);
    let mut requests = 0;
    while let Some(request) = order.next_request() {
        requests += 1;
        let skipped = match &request {
            PageRequest::Number(page) => (page - FIRST).saturating_mul(size),
            PageRequest::Places { start, .. } => start - FIRST,
            PageRequest::Cursor { cursor, .. } => cursor.as_ref().and_then(|at| at.parse().ok()).unwrap_or(0),
        };
        let shown = accounts.saturating_sub(skipped).min(size);
        let goes_on = matches!(paging, Paging::Cursors { .. }) && skipped + shown < accounts;
        let facts = PageFacts {
            total: Some(accounts),
            pages: announces.then_some(accounts.div_ceil(size)),
            cursor: goes_on.then(|| (skipped + shown).to_string()),
            ..PageFacts::default()
        };
        order.take_answer(&request, shown, &facts);
    }
    requests
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_near_the_end_of_all_numbers_ends() {
        for page_size in [1 << 63, u64::MAX - 1, u64::MAX] {
            for accounts in [u64::MAX - 1, u64::MAX] {
                for paging in
                    [Paging::Numbers { page_size }, Paging::Places { page_size }, Paging::Cursors { page_size }]
                {
                    let requests = count_requests(paging, accounts, true);
                    assert!((1..10).contains(&requests), "{requests} for {accounts} in {paging:?}");
                }
            }
        }
    }
}
