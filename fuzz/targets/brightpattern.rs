#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| headcount::connectors::brightpattern::fuzzing::any_answer(data));
