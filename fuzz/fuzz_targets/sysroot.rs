#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| crossmerge::fuzzing::run("sysroot", input));
