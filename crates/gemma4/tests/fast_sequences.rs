//! What only the fast path has: threads, passes of 512 tokens, rings, states that are kept. All equalities are exact.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::{cell::Cell, io, sync::LazyLock};

use common::*;
use gemma4::{Error, MAX_DRAFT, Model, Rows, Sequence, error::KvStateReason, fast::FastModel};

/// Positions that the golden models' sliding layers have room for: window 16, a pass, a draft, in whole blocks of 64.
const RING: usize = 576;
/// Room for the rings to come round more than twice.
const CONTEXT: usize = 4096;

static MODELS: LazyLock<Vec<FastModel>> = LazyLock::new(|| {
    ["tiny-e2b/tiny-e2b-F16.gguf", "tiny-e2b/tiny-e2b-Q4_0.gguf", "tiny-e4b/tiny-e4b-Q4_K_M.gguf"]
        .into_iter()
        .map(|file| load_fast(&golden(file), 3))
        .collect()
});

/// `n` tokens that differ with `seed`.
fn text(n: usize, seed: usize) -> Vec<u32> {
    (0..n).map(|i| ((i * i * 7 + i * 31 + seed * 101 + 3) % 576) as u32).collect()
}

fn sequence(model: &FastModel) -> Box<dyn Sequence> {
    model.sequence(CONTEXT).unwrap()
}

fn fill(sequence: &mut dyn Sequence, tokens: &[u32]) {
    forward(sequence, tokens, Rows::None, &go_on).unwrap();
}

fn last(sequence: &mut dyn Sequence, tokens: &[u32]) -> Vec<f32> {
    forward(sequence, tokens, Rows::Last, &go_on).unwrap().into_vec()
}

/// The logits that follow `tokens`, from a new sequence fed in pieces of 100.
fn fresh(model: &FastModel, tokens: &[u32]) -> Vec<f32> {
    let mut sequence = sequence(model);
    let (first, end) = tokens.split_at(tokens.len() - 1);
    first.chunks(100).for_each(|piece| fill(&mut *sequence, piece));
    last(&mut *sequence, end)
}

#[test]
fn every_number_of_threads_gives_the_same() {
    let file = golden("tiny-e4b/tiny-e4b-Q4_K_M.gguf");
    let tokens = text(140, 1);
    let run = |threads: usize| {
        let model = load_fast(&file, threads);
        assert_eq!(model.runtime().threads, threads);
        let prompt = forward(&mut *sequence(&model), &tokens, Rows::All, &go_on).unwrap();
        let chosen: Vec<(u32, Vec<f32>)> = greedy(&model, &tokens, 12);
        (prompt, chosen)
    };
    let expected = run(1);
    for threads in [2, 3, 4, 7] {
        assert!(run(threads) == expected, "{threads} threads");
    }
}

#[test]
fn fewer_threads_may_be_asked_for_at_any_time() {
    let model = load_fast(&golden("tiny-e2b/tiny-e2b-Q4_0.gguf"), 4);
    let tokens = text(90, 1);
    let expected = fresh(&model, &tokens);
    let mut sequence = sequence(&model);
    for (threads, piece) in [1, 3, 9].into_iter().zip(tokens.chunks(30)) {
        model.set_threads(threads);
        assert_eq!(model.runtime().threads, threads.min(4), "more than there are is not possible");
        if piece.as_ptr_range().end == tokens.as_ptr_range().end {
            assert_eq!(last(&mut *sequence, piece), expected);
        } else {
            fill(&mut *sequence, piece);
        }
    }
}

#[test]
fn any_chunks_give_the_same_however_often_the_rings_come_round() {
    let tokens = text(1400, 2);
    assert!(tokens.len() > 2 * RING);
    for model in MODELS.iter() {
        let whole = forward(&mut *sequence(model), &tokens, Rows::All, &go_on).unwrap();
        assert_eq!(whole.n_rows(), tokens.len());
        for chunk in [1, 63, 511, 512, 513, 600] {
            assert!(feed(&mut *sequence(model), &tokens, chunk) == whole, "chunks of {chunk}");
        }
        let mut filled = sequence(model);
        assert_eq!(last(&mut *filled, &tokens), whole.last().unwrap(), "the last row alone, in several passes");
    }
}

#[test]
fn rows_of_a_draft_are_those_of_single_tokens() {
    for model in MODELS.iter() {
        for start in [1, 15, 63, RING - 8, RING, 2 * RING - 1, 1300] {
            let (base, draft) = (text(start, 3), text(MAX_DRAFT, 4));
            let mut one_by_one = sequence(model);
            fill(&mut *one_by_one, &base);
            let mut together = sequence(model);
            fill(&mut *together, &base);
            let rows = forward(&mut *together, &draft, Rows::All, &go_on).unwrap();
            for (row, token) in draft.iter().enumerate() {
                assert_eq!(last(&mut *one_by_one, &[*token]), rows.row(row), "row {row} at {start}");
            }
        }
    }
}

#[test]
fn what_was_taken_back_leaves_no_trace_in_a_ring() {
    let model = &MODELS[1];
    for start in [RING - 20, RING - 16, RING - 1, RING, RING + 3, 2 * RING - 5] {
        for (fed, taken_back) in [(1, 1), (9, 9), (16, 16), (512, 16), (700, 12)] {
            let (base, draft, next) = (text(start, 5), text(fed, 6), text(520, 7));
            let mut sequence = sequence(model);
            fill(&mut *sequence, &base);
            fill(&mut *sequence, &draft);
            sequence.truncate(start + fed - taken_back).unwrap();
            let kept = [&base[..], &draft[..fed - taken_back]].concat();
            for next in [&next[..1], &next[..], &next[..3]] {
                let before = sequence.checkpoint().unwrap();
                let expected = fresh(model, &[&kept[..], next].concat());
                assert_eq!(last(&mut *sequence, next), expected, "{start} + {fed} - {taken_back}, then {}", next.len());
                sequence.rewind(&before).unwrap();
            }
        }
    }
}

#[test]
fn rewinding_gives_the_logits_of_a_fresh_prefill_after_rings_came_round() {
    let model = &MODELS[2];
    for start in [1, 23, 24, 100, RING, RING + 40] {
        let (prompt, answer, other) = (text(start, 8), text(RING + 200, 9), text(30, 10));
        let mut sequence = sequence(model);
        fill(&mut *sequence, &prompt);
        let after_prompt = sequence.checkpoint().unwrap();
        fill(&mut *sequence, &answer);
        sequence.rewind(&after_prompt).unwrap();
        assert_eq!(sequence.len(), start);
        assert_eq!(last(&mut *sequence, &other), fresh(model, &[&prompt[..], &other].concat()), "{start}");
    }
}

#[test]
fn a_pass_that_is_cancelled_leaves_the_sequence_as_it_was() {
    let model = &MODELS[1];
    let (base, next) = (text(RING + 30, 1), text(20, 3));
    let expected = fresh(model, &[&base[..], &next].concat());
    let shorter = fresh(model, &[&base[..base.len() - 2], &next].concat());
    let n_layers = model.config().n_layers;
    // One pass, which a ring forgives, and several.
    for n_lost in [1, 17, 512, 513, 1100] {
        let lost = text(n_lost, 2);
        for layer in 0..n_layers * n_lost.div_ceil(512) {
            if n_lost > 17 && layer % 3 != 0 {
                continue;
            }
            let mut sequence = sequence(model);
            fill(&mut *sequence, &base[..base.len() - 5]);
            fill(&mut *sequence, &base[base.len() - 5..]);
            let asked = Cell::new(0);
            let cancelled = || asked.replace(asked.get() + 1) == layer;
            let error = forward(&mut *sequence, &lost, Rows::All, &cancelled).unwrap_err();
            assert!(matches!(error, Error::Cancelled), "{error}");
            assert_eq!(asked.get(), layer + 1, "asked once for each layer");
            assert_eq!(sequence.len(), base.len());
            if n_lost <= 512 && layer % 2 == 0 {
                sequence.truncate(base.len() - 2).unwrap();
                assert_eq!(last(&mut *sequence, &next), shorter, "{n_lost} lost at layer {layer}, then taken back");
            } else {
                assert_eq!(last(&mut *sequence, &next), expected, "{n_lost} lost at layer {layer}");
            }
        }
    }
}

/// What [`Sequence::save`] writes.
fn saved(sequence: &dyn Sequence) -> Vec<u8> {
    let mut bytes = Vec::new();
    sequence.save(&mut bytes).unwrap();
    bytes
}

fn restore(sequence: &mut dyn Sequence, mut bytes: &[u8]) -> Result<(), Error> {
    sequence.restore(&mut bytes)
}

#[test]
fn a_kept_state_goes_on_as_if_nothing_had_happened() {
    for model in MODELS.iter() {
        let n_kv = |l: usize| 4 * model.config().n_kv_heads[l] * model.config().head_dim(l);
        let next = text(40, 11);
        for len in [0, 1, 15, 40, RING - 1, RING, 1300] {
            let tokens = text(len, 12);
            let mut original = sequence(model);
            fill(&mut *original, &tokens);
            let bytes = saved(&*original);
            let seen = |l: usize| match model.config().is_sliding(l) {
                true => len.min(model.config().sliding_window - 1),
                false => len,
            };
            let values: usize = (0..=model.config().last_kv_owner()).map(|l| n_kv(l) * seen(l)).sum();
            assert_eq!(bytes.len(), 32 + values + 8, "no more than what can still be seen");

            // Into a sequence with another past, and of another context length.
            let mut other = model.sequence(CONTEXT - 100).unwrap();
            fill(&mut *other, &text(700, 13));
            restore(&mut *other, &bytes).unwrap();
            assert_eq!(other.len(), len);
            assert_eq!(saved(&*other), bytes);
            assert!(matches!(other.truncate(len.wrapping_sub(1)), Err(Error::Truncate { .. })));
            let at_len = other.checkpoint().unwrap();
            let expected = last(&mut *original, &next);
            assert_eq!(last(&mut *other, &next), expected, "{len} positions");
            other.rewind(&at_len).unwrap();
            assert_eq!(last(&mut *other, &next), expected, "{len} positions, once more");
        }
    }
}

#[test]
fn a_damaged_state_is_refused_and_leaves_the_sequence_empty() {
    let model = &MODELS[1];
    let mut original = sequence(model);
    fill(&mut *original, &text(70, 1));
    let bytes = saved(&*original);
    let mut victim = sequence(model);
    let mut refused = |bytes: &[u8]| {
        fill(&mut *victim, &text(3, 2));
        let reason = match restore(&mut *victim, bytes) {
            Err(Error::KvState { reason }) => reason,
            other => panic!("{other:?}"),
        };
        assert!(victim.is_empty());
        reason
    };
    for at in (0..bytes.len()).step_by(7) {
        let mut changed = bytes.clone();
        changed[at] ^= 1 << (at % 8);
        let expected = match at {
            0..16 => vec![KvStateReason::Format],
            16..24 => vec![KvStateReason::OtherModel],
            24..32 => vec![KvStateReason::TooLong, KvStateReason::Damaged],
            _ => vec![KvStateReason::Damaged],
        };
        let reason = refused(&changed);
        assert!(expected.contains(&reason), "byte {at}: {reason:?}");
    }
    for len in (0..bytes.len()).step_by(31).chain([bytes.len() - 1]) {
        assert_eq!(refused(&bytes[..len]), KvStateReason::Damaged, "{len} bytes");
    }
    assert_eq!(refused(&[&bytes[..], &[0]].concat()), KvStateReason::Damaged);

    // No sum is wrong here, but what it says would make sums of what it does not say.
    let mut infinite = bytes.clone();
    infinite[32..34].copy_from_slice(&0x7c00u16.to_le_bytes());
    assert_eq!(refused(&infinite), KvStateReason::Damaged);

    // The sequence is as good as new.
    let expected = fresh(model, &text(30, 3));
    assert_eq!(last(&mut *victim, &text(30, 3)), expected);
}

#[test]
fn a_state_of_another_model_or_too_long_for_the_context_is_refused() {
    let mut original = sequence(&MODELS[0]);
    fill(&mut *original, &text(70, 1));
    let bytes = saved(&*original);
    // The same model, quantized.
    let error = restore(&mut *sequence(&MODELS[1]), &bytes).unwrap_err();
    assert!(matches!(error, Error::KvState { reason: KvStateReason::OtherModel }), "{error}");
    let error = restore(&mut *MODELS[0].sequence(69).unwrap(), &bytes).unwrap_err();
    assert!(matches!(error, Error::KvState { reason: KvStateReason::TooLong }), "{error}");
    restore(&mut *MODELS[0].sequence(70).unwrap(), &bytes).unwrap();
}

/// Takes `room` bytes, then fails.
struct Full {
    room: usize,
}

impl io::Write for Full {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.room.min(bytes.len()) {
            0 if !bytes.is_empty() => Err(io::ErrorKind::StorageFull.into()),
            n => {
                self.room -= n;
                Ok(n)
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl io::Read for Full {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(io::ErrorKind::PermissionDenied.into())
    }
}

#[test]
fn what_the_disk_says_is_handed_on() {
    let mut sequence = sequence(&MODELS[0]);
    fill(&mut *sequence, &text(70, 1));
    let n_bytes = saved(&*sequence).len();
    for room in [0, 5, 32, n_bytes - 1] {
        match sequence.save(&mut Full { room }).unwrap_err() {
            Error::KvStateIo(error) => assert_eq!(error.kind(), io::ErrorKind::StorageFull),
            other => panic!("{other}"),
        }
    }
    sequence.save(&mut Full { room: n_bytes }).unwrap();
    match sequence.restore(&mut Full { room: 0 }).unwrap_err() {
        Error::KvStateIo(error) => assert_eq!(error.kind(), io::ErrorKind::PermissionDenied),
        other => panic!("{other}"),
    }
    assert!(sequence.is_empty());
}

#[test]
fn a_cache_takes_no_more_than_was_said() {
    for model in MODELS.iter() {
        for (context_len, chunk) in [(20, 7), (300, 1), (700, 64), (2000, 300), (3000, 1000)] {
            let mut sequence = model.fast_sequence(context_len).unwrap();
            let said = model.kv_bytes(context_len);
            for part in text(context_len, 1).chunks(chunk) {
                fill(&mut sequence, part);
                assert!(sequence.cache_bytes() as u64 <= said, "{} of {said}", sequence.cache_bytes());
            }
            assert_eq!(sequence.len(), context_len);
            assert_eq!(sequence.cache_bytes() as u64, said, "full");
        }
    }
}
