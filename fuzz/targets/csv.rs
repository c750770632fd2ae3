#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| headcount::source::fuzzing::any_file(data));
