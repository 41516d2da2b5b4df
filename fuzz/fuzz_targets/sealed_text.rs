#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| candado_fuzz::sealed_text(data));
