#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| headcount::connectors::imichat::fuzzing::any_answers(data));
