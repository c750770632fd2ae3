#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| headcount::journal::store::fuzzing::any_bytes(data));
