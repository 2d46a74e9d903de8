//! Decoding allocates nothing. A program of its own, because it counts what everybody allocates.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(unsafe_code, reason = "an allocator is unsafe by nature; this one counts and hands on")]

mod common;

use std::{
    alloc::{GlobalAlloc, Layout, System},
    sync::atomic::{AtomicUsize, Ordering},
};

use common::*;
use gemma4::{Logits, Model, Rows};
use test_support::synth::{Mix, Size, Spec, write_model};

struct Counting;

static ALLOCATIONS: AtomicUsize = AtomicUsize::new(0);

// SAFETY: everything is the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: by the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        // SAFETY: by the caller's promise.
        unsafe { System.dealloc(at, layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: by the caller's promise.
        unsafe { System.realloc(at, layout, new_size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// How often anything was allocated while `steps` run.
fn allocations(steps: impl FnOnce()) -> usize {
    let before = ALLOCATIONS.load(Ordering::SeqCst);
    steps();
    ALLOCATIONS.load(Ordering::SeqCst) - before
}

#[test]
fn decoding_allocates_nothing_once_it_is_warm() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.gguf");
    assert!(allocations(|| drop(std::hint::black_box(Box::new(1)))) > 0, "allocations are counted");
    for mix in [Mix::GoogleQatQ4_0, Mix::UnslothQ4KM, Mix::Bf16] {
        write_model(&path, Spec::new(Size::Tiny, mix)).unwrap();
        for threads in [1, 3] {
            let model = load_fast(&path, threads);
            let mut sequence = model.sequence(4096).unwrap();
            let mut logits = Logits::default();
            let tokens: Vec<u32> = (0..200).map(|i| (i * 197 + 11) % 1024).collect();
            let mut feed = |tokens: &[u32], rows: Rows| sequence.forward(tokens, rows, &go_on, &mut logits).unwrap();
            // A prompt, a draft and some tokens: every buffer has its size, on every thread.
            feed(&tokens, Rows::Last);
            feed(&tokens[..8], Rows::All);
            tokens[..100].iter().for_each(|token| feed(&[*token], Rows::Last));

            // A thread of the pool that finds its first work only now takes buffers of its own once. So the first round may
            // count a few where there are several threads; one of ten may not.
            let rounds = if threads == 1 { 1 } else { 10 };
            let mut single = || tokens[..96].iter().for_each(|token| feed(&[*token], Rows::Last));
            let count = (0..rounds).map(|_| allocations(&mut single)).min();
            assert_eq!(count, Some(0), "{}, {threads} threads: single tokens", mix.name());
            let mut drafts = || tokens[..96].chunks(8).for_each(|draft| feed(draft, Rows::All));
            let count = (0..rounds).map(|_| allocations(&mut drafts)).min();
            assert_eq!(count, Some(0), "{}, {threads} threads: drafts", mix.name());
        }
    }
}
