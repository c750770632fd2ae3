#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| headcount::connectors::scim::fuzzing::any_answers(data));
