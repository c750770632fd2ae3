//! Settings, the quota, and what is never said or done.

use super::*;

#[tokio::test]
async fn the_quota_is_read_from_every_answer() {
    let server = tenant(|_, _| {
        code(4309)
            .with("Rate-Limit-Limit", 10_000)
            .with("Rate-Limit-Remaining", 0)
            .with("Rate-Limit-Reset", 1_772_409_600_000_u64)
    })
    .await;
    let target = target(&server);
    target.update(&id(), &change(&target)).await.unwrap();
    let reset = "2026-03-02T00:00:00Z".parse().unwrap();
    let quota = crate::connectors::Quota { limit: Some(10_000), remaining: 0, resets_at: Some(reset) };
    assert_eq!(target.meter().quota(), Some(quota));
    let error = target.update(&id(), &change(&target)).await.unwrap_err();
    assert_eq!(error.trouble, Trouble::Quota { resets_at: Some(reset) });
    assert_eq!(server.count("PATCH", ""), 1);
}

#[tokio::test]
async fn no_secret_is_in_any_error() {
    let echo = "token-1 key-1 hunter2! a2V5LTFAYWNtZS5pbWkuY2hhdA==";
    let server = tenant(move |_, _| {
        Reply::new(400, format!(r#"{{"status_code":3115,"description":"{echo}"}}"#)).with("trxid", "hunter2!")
    })
    .await;
    let target = target(&server);
    let error = target.create(&newcomer(&target)).await.unwrap_err();
    let shown = format!("{error} {error:?}");
    for secret in echo.split(' ') {
        assert!(!shown.contains(secret), "{shown}");
    }
}

/// What is logged, for a test to read.
#[derive(Clone, Default)]
struct Log(Arc<std::sync::Mutex<Vec<u8>>>);

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn the_most_talkative_log_has_every_request_and_no_secret() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    // With a single subscriber tracing asks only the thread that passes an event first whether anybody wants it, and
    // other tests run on threads without one. A second subscriber makes it ask all.
    let _second = tracing::Dispatch::new(tracing_subscriber::registry());
    let _guard = tracing::subscriber::set_default(subscriber);
    let server = tenant(|_, _| code(3115)).await;
    let target = target(&server);
    target.create(&newcomer(&target)).await.unwrap_err();
    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    for there in ["method=POST", "path=\"/users\"", "status=400", "attempt=1", "trxid=\"t-7\"", "\"teamid\": \"1\""] {
        assert!(text.contains(there), "{there} is not in {text}");
    }
    for secret in ["token-1", "key-1", "hunter2", "a2V5LTFAYWNtZS5pbWkuY2hhdA"] {
        assert!(!text.contains(secret), "{secret} is in {text}");
    }
}

#[test]
fn settings_that_cannot_be_used_are_named() {
    let named = |settings: ImichatSettings| {
        let error = connect_as(&settings, "https://acme.imi.chat/v3.1", &rate()).err().expect("it cannot be used");
        assert_eq!(error.trouble, Trouble::Configuration);
        error.message
    };
    assert!(named(ImichatSettings { auth_header: "a b".into(), ..settings() }).contains("target.auth_header"));
    assert!(named(ImichatSettings { token_header: String::new(), ..settings() }).contains("target.token_header"));
    assert!(named(ImichatSettings { team_id: Some("1\n".into()), ..settings() }).contains("target.team_id"));
    // A verb that would delete the account instead of changing it.
    assert!(named(ImichatSettings { update_method: "DELETE".into(), ..settings() }).contains("target.update_method"));
    assert!(connect_as(&settings(), "http://acme.imi.chat/v3.1", &rate()).is_err());
    let target = connect_as(&settings(), "https://acme.imi.chat/v3.1/", &rate()).unwrap();
    assert_eq!(target.describe(), "imichat https://acme.imi.chat/v3.1");
}

#[tokio::test]
async fn nothing_is_ever_deleted() {
    let server = tenant(|_, _| code(4309)).await;
    let error = target(&server).delete(&id()).await.unwrap_err();
    assert_eq!((error.trouble, server.seen().len()), (Trouble::Configuration, 0));
}

#[test]
fn a_listing_costs_a_request_for_ten_accounts_and_some_to_see_that_it_stood_still() {
    let target = connect_as(&settings(), "https://acme.imi.chat/v3.1", &rate()).unwrap();
    assert_eq!([0, 9, 10, 11, 1187].map(|n| target.costs().listing.count_requests(n)), [1, 1, 1, 4, 123]);
    assert_eq!(target.schema().id("id"), Some(AttrId(0)));
}
