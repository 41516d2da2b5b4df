#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| candado_testkit::targets::brought_files(data));
