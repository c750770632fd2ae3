//! Looking accounts up. The server is asked for each key with a filter, and its answer is checked: some servers ignore
//! filters and show everybody, some find nobody for attributes that they have no index for. What a filter leaves in
//! doubt is settled by a listing, which is one for all who are sought.

use std::sync::Arc;

use futures::stream::{self, StreamExt};

use super::api::ScimApi;
use super::schema::USER_NAME;
use crate::connectors::listing::list_pages;
use crate::connectors::{CallError, Purpose, find_by_listing};
use crate::model::{Account, AttrId, Attributes, KeyHash, MatchRule, Value};

/// What asking with a filter came to.
enum FilterAnswer {
    /// These, and certainly no others.
    Certain(Vec<Account>),
    /// Nobody, which says nothing of an attribute that the server may have no index for.
    Nobody,
    /// The answer cannot be relied on.
    Doubtful,
}

/// A question: who is sought, under which rule, by which key.
struct Question {
    person: usize,
    rule: usize,
    key: KeyHash,
    filter: String,
}

pub(super) async fn find(
    api: &Arc<ScimApi>,
    rules: &[MatchRule],
    sought: &[Attributes],
) -> Result<Vec<Vec<Account>>, CallError> {
    if let Some(questions) = make_questions(api, rules, sought)
        && let Some(found) = ask_all(api, rules, sought.len(), &questions).await?
    {
        return Ok(found);
    }
    find_by_listing(&api.layout.schema, list_pages(Arc::clone(api), Purpose::Lookup), rules, sought).await
}

/// The questions to ask; none where a listing is needed anyway, or costs less.
fn make_questions(api: &ScimApi, rules: &[MatchRule], sought: &[Attributes]) -> Option<Vec<Question>> {
    if !api.can_filter() {
        return None;
    }
    let mut questions = Vec::new();
    let mut scratch = Vec::new();
    for (person, values) in sought.iter().enumerate() {
        for (at, rule) in rules.iter().enumerate() {
            let Some(key) = rule.key(&api.layout.schema, |id| values.get(id), &mut scratch) else { continue };
            let [attribute] = *rule.attributes.as_slice() else { return None };
            let filter = equality_filter(api, attribute, values.get(attribute)?)?;
            questions.push(Question { person, rule: at, key, filter });
        }
    }
    let cheaper =
        api.listed_total().is_some_and(|accounts| api.listing_cost().count_requests(accounts) < questions.len() as u64);
    (!cheaper).then_some(questions)
}

/// The filter for a value; none for what filters cannot compare.
fn equality_filter(api: &ScimApi, attribute: AttrId, value: &Value) -> Option<String> {
    let value = match value {
        Value::Text(text) => text.trim().into(),
        Value::Bool(flag) => (*flag).into(),
        Value::Int(n) => (*n).into(),
        _ => return None,
    };
    Some(api.layout.path_of(attribute).equality_filter(&value))
}

/// Who is found for each who is sought; none where only a listing can tell.
async fn ask_all(
    api: &ScimApi,
    rules: &[MatchRule],
    people: usize,
    questions: &[Question],
) -> Result<Option<Vec<Vec<Account>>>, CallError> {
    let mut found: Vec<Vec<Account>> = vec![Vec::new(); people];
    let mut asking = Vec::with_capacity(questions.len());
    for question in questions {
        let rule = &rules[question.rule];
        asking.push(async move { (question, ask_server(api, rule, question).await) });
    }
    let mut answers = stream::iter(asking).buffer_unordered(api.http.client.concurrency());
    while let Some((question, answer)) = answers.next().await {
        match answer? {
            FilterAnswer::Certain(accounts) => {
                let list = &mut found[question.person];
                for account in accounts {
                    if !list.iter().any(|known| known.id == account.id) {
                        list.push(account);
                    }
                }
            }
            // The one attribute that every server must find people by.
            FilterAnswer::Nobody if rules[question.rule].attributes == [USER_NAME] => {}
            FilterAnswer::Nobody | FilterAnswer::Doubtful => return Ok(None),
        }
    }
    Ok(Some(found))
}

async fn ask_server(api: &ScimApi, rule: &MatchRule, question: &Question) -> Result<FilterAnswer, CallError> {
    let Some(page) = api.get_filtered(&question.filter).await? else { return Ok(FilterAnswer::Doubtful) };
    let shown = page.records.len() as u64;
    let all = page.facts.total.is_none_or(|total| total <= shown);
    let mut scratch = Vec::new();
    let mut matches = |account: &Account| {
        rule.key(&api.layout.schema, |id| account.values.get(id), &mut scratch) == Some(question.key)
    };
    let accounts: Vec<Account> = page.records.into_iter().flatten().filter(|account| matches(account)).collect();
    if accounts.len() as u64 != shown {
        api.distrust_filters();
    }
    Ok(match (accounts.is_empty(), all) {
        (_, false) => FilterAnswer::Doubtful,
        (true, true) if shown == 0 => FilterAnswer::Nobody,
        (_, true) => FilterAnswer::Certain(accounts),
    })
}
