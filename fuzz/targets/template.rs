#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| headcount::mapping::fuzzing::any_template(data));
