//! Looking accounts up where a system cannot be asked for one key.

use std::collections::HashMap;

use futures::StreamExt;
use futures::stream::BoxStream;

use super::{CallError, Listed, Trouble};
use crate::model::{Account, Attributes, KeyHash, MatchRule, Schema};

/// [`Connector::find`](super::Connector::find) for systems that cannot be asked for one key: reads a whole listing and keeps what any rule finds
/// for any of the sought. The listing is passed in, so that its requests count as look-ups.
///
/// # Errors
/// The first error of the listing; or [`Trouble::Unavailable`] when the listing does not prove itself complete, because
/// then "not found" would mean nothing.
pub async fn find_by_listing(
    schema: &Schema,
    mut listing: BoxStream<'_, Result<Listed, CallError>>,
    rules: &[MatchRule],
    sought: &[Attributes],
) -> Result<Vec<Vec<Account>>, CallError> {
    let mut scratch = Vec::new();
    // Who is sought under which rule by which key.
    let mut wanted: HashMap<(usize, KeyHash), Vec<usize>> = HashMap::new();
    for (person, values) in sought.iter().enumerate() {
        for (at, rule) in rules.iter().enumerate() {
            if let Some(key) = rule.key(schema, |id| values.get(id), &mut scratch) {
                wanted.entry((at, key)).or_default().push(person);
            }
        }
    }
    let mut found = vec![Vec::new(); sought.len()];
    while let Some(piece) = listing.next().await {
        match piece? {
            Listed::Page { accounts, .. } => {
                for account in accounts {
                    let mut people: Vec<usize> = Vec::new();
                    for (at, rule) in rules.iter().enumerate() {
                        let key = rule.key(schema, |id| account.values.get(id), &mut scratch);
                        people.extend(key.and_then(|key| wanted.get(&(at, key))).into_iter().flatten());
                    }
                    people.sort_unstable();
                    people.dedup();
                    for person in people {
                        found[person].push(account.clone());
                    }
                }
            }
            Listed::Again { .. } => found.iter_mut().for_each(Vec::clear),
            Listed::End { complete: true, .. } => return Ok(found),
            Listed::End { complete: false, notes } => {
                return Err(CallError::new(
                    Trouble::Unavailable,
                    format!("the listing is not complete, so nobody can be looked up in it: {}", notes.join("; ")),
                ));
            }
        }
    }
    Err(CallError::new(Trouble::Unavailable, "the listing has no end, so nobody can be looked up in it"))
}

#[cfg(test)]
mod tests {
    use futures::stream;

    use super::*;
    use crate::model::{AccountId, AttrId, Attribute, Kind, Value};

    fn schema() -> Schema {
        let text = |name| Attribute::new(name, Kind::Text).ignoring_case();
        Schema::new(vec![text("login"), text("email")])
    }

    fn values(login: &str, email: &str) -> Attributes {
        [(AttrId(0), Value::text(login)), (AttrId(1), Value::text(email))].into_iter().collect()
    }

    fn account(id: &str, login: &str, email: &str) -> Account {
        Account { id: AccountId(id.to_owned()), values: values(login, email), protected: None }
    }

    async fn find(pieces: Vec<Listed>, sought: &[Attributes]) -> Result<Vec<Vec<String>>, CallError> {
        let schema = schema();
        let rules = [MatchRule::new(&schema, vec![AttrId(0)]), MatchRule::new(&schema, vec![AttrId(1)])];
        let listing = stream::iter(pieces.into_iter().map(Ok)).boxed();
        let found = find_by_listing(&schema, listing, &rules, sought).await?;
        Ok(found.into_iter().map(|accounts| accounts.into_iter().map(|account| account.id.0).collect()).collect())
    }

    fn pages() -> Vec<Listed> {
        vec![
            Listed::Page { accounts: vec![account("1", "ana", "ana@x"), account("2", "bo", "bo@x")], pages: None },
            Listed::Page { accounts: vec![account("3", "cy", "ANA@x")], pages: None },
        ]
    }

    #[tokio::test]
    async fn everybody_that_any_rule_finds_is_found_once_for_each_who_is_sought() {
        let mut listing = pages();
        listing.push(Listed::End { complete: true, notes: Vec::new() });
        let sought = [values("Ana", "ana@x"), values("", ""), values("zoe", "bo@x"), values("BO", "")];
        let found = find(listing, &sought).await.unwrap();
        assert_eq!(found, [vec!["1", "3"], vec![], vec!["2"], vec!["2"]]);
    }

    #[tokio::test]
    async fn what_was_shown_before_the_list_shifted_is_void() {
        let mut listing = pages();
        listing.push(Listed::Again { why: "it shifted".to_owned() });
        listing.push(Listed::Page { accounts: vec![account("2", "bo", "bo@x")], pages: None });
        listing.push(Listed::End { complete: true, notes: Vec::new() });
        let found = find(listing, &[values("ana", ""), values("bo", "")]).await.unwrap();
        assert_eq!(found, [vec![], vec!["2"]]);
    }

    #[tokio::test]
    async fn in_a_listing_that_is_not_complete_nobody_is_missing_for_certain() {
        let mut cut = pages();
        cut.push(Listed::End { complete: false, notes: vec!["it shifted".to_owned()] });
        let error = find(cut, &[values("zoe", "")]).await.unwrap_err();
        assert!(error.trouble == Trouble::Unavailable && error.message.contains("it shifted"));
        assert_eq!(find(pages(), &[values("ana", "")]).await.unwrap_err().trouble, Trouble::Unavailable);
    }
}
