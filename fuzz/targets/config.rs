#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| headcount::config::fuzzing::any_text(data));
