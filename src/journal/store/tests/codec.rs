use proptest::prelude::*;

use super::*;
use crate::journal::store::codec::{VERSION, decode_event, encode_event};
use crate::model::{AccountId, CommandName};
use crate::plan::Selection;

fn moment() -> impl Strategy<Value = (RunId, Timestamp)> {
    let run = (0..4_000_000_000i64, any::<u64>())
        .prop_map(|(second, salt)| RunId::new(Timestamp::from_second(second).unwrap(), salt));
    let at = (Timestamp::MIN.as_second() + 1..Timestamp::MAX.as_second(), -999_999_999..1_000_000_000i32)
        .prop_map(|(second, nano)| Timestamp::new(second, nano).unwrap());
    (run, at)
}

fn any_event() -> impl Strategy<Value = Event> {
    let step = prop::sample::select(Step::BOTH.to_vec());
    prop_oneof![
        (moment(), any_head()).prop_map(|((run, at), head)| Event::RunStarted { run, at, head: Box::new(head) }),
        (moment(), any::<u64>(), step.clone(), any::<u32>())
            .prop_map(|((run, at), seq, step, attempt)| Event::Intent { run, at, seq, step, attempt }),
        (moment(), any::<u64>(), step, any_outcome()).prop_map(|((run, at), seq, step, result)| Event::Outcome {
            run,
            at,
            seq,
            step,
            result
        }),
        (moment(), ".{0,40}").prop_map(|((run, at), why)| Event::RunPaused { run, at, why }),
        moment().prop_map(|(run, at)| Event::RunResumed { run, at }),
        (moment(), prop::sample::select(Ending::ALL.to_vec())).prop_map(|((run, at), outcome)| Event::RunEnded {
            run,
            at,
            outcome
        }),
    ]
}

fn any_head() -> impl Strategy<Value = RunHead> {
    let texts = prop::collection::vec(".{0,9}", 0..4);
    let selection = (texts.clone(), prop::option::of(0..u64::MAX)).prop_map(|(only, limit)| Selection { only, limit });
    let command = prop::sample::select(CommandName::ALL.to_vec());
    (prop::collection::vec(".{0,20}", 6), command, any::<u64>(), texts, prop::option::of(selection)).prop_map(
        |(t, command, actions, approved, selection)| RunHead {
            tenant: t[0].clone(),
            target: t[1].clone(),
            plan: t[2].clone(),
            plan_digest: t[3].clone(),
            command,
            source_digest: t[4].clone(),
            config_digest: t[5].clone(),
            actions,
            approved,
            selection,
        },
    )
}

fn any_outcome() -> impl Strategy<Value = Outcome> {
    prop_oneof![
        prop::option::of(".{0,12}").prop_map(|a| Outcome::Applied { account: a.map(AccountId) }),
        ".{0,12}".prop_map(|a| Outcome::Adopted { account: AccountId(a) }),
        (".{0,40}", any::<Option<u32>>(), prop::option::of(".{0,12}"))
            .prop_map(|(message, code, trxid)| Outcome::Failed { message, code, trxid }),
        ".{0,40}".prop_map(|message| Outcome::Skipped { message }),
        ".{0,40}".prop_map(|message| Outcome::Unknown { message }),
        Just(Outcome::NotThere),
        ".{0,40}".prop_map(|message| Outcome::ExistsAlready { message }),
        Just(Outcome::NeverLearnt),
    ]
}

proptest! {
    #[test]
    fn an_event_reads_back_as_it_was_written(event in any_event()) {
        prop_assert_eq!(decode_event(&encode_event(&event)), Ok(event));
    }

    #[test]
    fn a_record_that_is_cut_or_too_long_is_refused(event in any_event(), cut in any::<prop::sample::Index>()) {
        let bytes = encode_event(&event);
        prop_assert!(decode_event(&bytes[..cut.index(bytes.len())]).is_err());
        let long = [bytes.as_slice(), &[0]].concat();
        prop_assert!(decode_event(&long).is_err());
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = decode_event(&bytes);
        let _ = decode_event(&[&[VERSION, 3], bytes.as_slice()].concat());
    }
}

#[test]
fn what_older_journals_say_only_in_words_is_read_as_what_it_is() {
    let (run, at) = (RunId::new(Timestamp::UNIX_EPOCH, 0), Timestamp::UNIX_EPOCH);
    let read = |result| {
        let event = decode_event(&encode_event(&Event::Outcome { run, at, seq: 1, step: Step::First, result }));
        let Ok(Event::Outcome { result, .. }) = event else { panic!("{event:?}") };
        result
    };
    let message = "exists already: 409 duplicate login".to_owned();
    assert_eq!(read(Outcome::Unknown { message: message.clone() }), Outcome::ExistsAlready { message });
    let message = "what came of it could not be looked up; it is planned anew".to_owned();
    assert_eq!(read(Outcome::Failed { message, code: None, trxid: None }), Outcome::NeverLearnt);
}

#[test]
fn a_record_of_another_version_is_refused_with_that_reason() {
    let mut bytes =
        encode_event(&Event::RunResumed { run: RunId::new(Timestamp::UNIX_EPOCH, 0), at: Timestamp::UNIX_EPOCH });
    bytes[0] = 2;
    assert_eq!(decode_event(&bytes).unwrap_err(), "its form is version 2, and this program knows 1");
}

#[test]
fn an_intent_stays_small() {
    let event = Event::Intent {
        run: RunId::new("2026-11-22T00:00:00Z".parse().unwrap(), 7),
        at: "2026-11-22T00:00:00.999999999Z".parse().unwrap(),
        seq: 1_000_000,
        step: Step::First,
        attempt: 1,
    };
    assert!(encode_event(&event).len() <= 28, "{}", encode_event(&event).len());
}
