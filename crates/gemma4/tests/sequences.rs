//! What may be relied on whatever the chunks, modes and detours.
//!
//! On the CPU these equalities are exact, bit for bit, on every path: each row of every product, norm and attention is
//! computed by the same sequence of operations however many rows are computed with it.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::{cell::Cell, sync::LazyLock};

use common::*;
use errors::{ErrorCode, Explain};
use gemma4::{Error, MAX_DRAFT, Model, Rows, Sequence, error::CheckpointReason};
use proptest::prelude::*;

/// One file of each way of storing weights, on every path: 16 bits, blocks of 32, blocks of 256.
static MODELS: LazyLock<Vec<Named>> = LazyLock::new(|| {
    ["tiny-e2b/tiny-e2b-F16.gguf", "tiny-e2b/tiny-e2b-Q4_0.gguf", "tiny-e4b/tiny-e4b-Q4_K_M.gguf"]
        .into_iter()
        .flat_map(|file| every_path(&golden(file)))
        .collect()
});

/// All of them.
fn models() -> impl Iterator<Item = (&'static str, &'static dyn Model)> {
    MODELS.iter().map(|(name, model)| (&**name, &**model))
}

/// The file of this number on every path; says which, for the test that fails.
fn paths_of(file: usize) -> impl Iterator<Item = &'static dyn Model> {
    models().skip(2 * file).take(2).inspect(|(name, _)| println!("{name}")).map(|(_, model)| model)
}

/// `n` tokens that differ with `seed`.
fn text(n: usize, seed: usize) -> Vec<u32> {
    (0..n).map(|i| ((i * i * 7 + i * 31 + seed * 101 + 3) % 576) as u32).collect()
}

/// The logits that follow `tokens`, from a new sequence fed in one piece.
fn fresh(model: &dyn Model, tokens: &[u32]) -> Vec<f32> {
    forward(&mut *sequence(model), tokens, Rows::Last, &go_on).unwrap().into_vec()
}

fn last(sequence: &mut dyn Sequence, tokens: &[u32]) -> Vec<f32> {
    forward(sequence, tokens, Rows::Last, &go_on).unwrap().into_vec()
}

fn fill(sequence: &mut dyn Sequence, tokens: &[u32]) {
    let logits = forward(sequence, tokens, Rows::None, &go_on).unwrap();
    assert_eq!(logits.n_rows(), 0);
}

#[test]
fn the_last_row_alone_is_the_final_row_of_all() {
    for (file, model) in models() {
        for n in [1, 2, 15, 16, 17, 60] {
            let tokens = text(n, 1);
            let all = forward(&mut *sequence(model), &tokens, Rows::All, &go_on).unwrap();
            assert_eq!(all.n_rows(), n);
            let last = forward(&mut *sequence(model), &tokens, Rows::Last, &go_on).unwrap();
            assert_eq!(last.n_rows(), 1);
            assert_eq!(all.last(), last.last(), "{file}, {n} tokens");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn prefill_of_n_equals_n_decode_steps(n in 1usize..90, cuts in proptest::collection::vec(1usize..40, 1..8), seed in 0usize..99) {
        for (file, model) in models() {
            let tokens = text(n, seed);
            let whole = prefill(model, &tokens, n);
            let stepwise = prefill(model, &tokens, 1);
            prop_assert!(whole == stepwise, "{}: {} steps", file, n);

            let mut pieces = sequence(model);
            let mut rest = &tokens[..];
            let mut cut = cuts.iter().cycle();
            let mut rows = Vec::new();
            while !rest.is_empty() {
                let (piece, tail) = rest.split_at(rest.len().min(*cut.next().unwrap()));
                rows.extend_from_slice(forward(&mut *pieces, piece, Rows::All, &go_on).unwrap().as_slice());
                rest = tail;
            }
            prop_assert!(whole.as_slice() == rows, "{}: {} tokens in pieces {:?}", file, n, cuts);
        }
    }
}

#[test]
fn chunks_that_only_fill_the_cache_change_nothing() {
    for (file, model) in models() {
        let tokens = text(70, 2);
        let mut filled = sequence(model);
        fill(&mut *filled, &tokens[..33]);
        fill(&mut *filled, &tokens[33..34]);
        assert_eq!(last(&mut *filled, &tokens[34..]), fresh(model, &tokens), "{file}");
    }
}

#[test]
fn rewinding_gives_the_logits_of_a_fresh_prefill() {
    for (file, model) in models() {
        let (prompt, answer, other) = (text(40, 3), text(400, 4), text(30, 5));
        let mut sequence = sequence(model);
        fill(&mut *sequence, &prompt);
        let after_prompt = sequence.checkpoint().unwrap();
        assert_eq!(after_prompt.len, 40);
        assert!(after_prompt.size_bytes > 0);
        // An answer so long that the sliding layers' buffers move on several times.
        for token in &answer {
            last(&mut *sequence, &[*token]);
        }
        sequence.rewind(&after_prompt).unwrap();
        assert_eq!(sequence.len(), 40);
        let expected = fresh(model, &[&prompt[..], &other].concat());
        assert_eq!(last(&mut *sequence, &other), expected, "{file}: another answer");
        // And once more from the same place.
        sequence.rewind(&after_prompt).unwrap();
        let expected = fresh(model, &[&prompt[..], &answer[..300]].concat());
        assert_eq!(last(&mut *sequence, &answer[..300]), expected, "{file}: the first answer again");
    }
}

#[test]
fn checkpoints_of_any_length_are_exact() {
    for model in paths_of(1) {
        let tokens = text(330, 6);
        // Around nothing, the window (16), and the room behind it (15 + 256).
        for len in [0, 1, 14, 15, 16, 17, 270, 271, 272, 300] {
            let mut sequence = sequence(model);
            if len > 0 {
                fill(&mut *sequence, &tokens[..len]);
            }
            let checkpoint = sequence.checkpoint().unwrap();
            fill(&mut *sequence, &text(100, 7));
            sequence.rewind(&checkpoint).unwrap();
            assert_eq!(sequence.len(), len);
            assert_eq!(last(&mut *sequence, &tokens[len..]), fresh(model, &tokens), "checkpoint at {len}");
        }
    }
}

fn reason(result: Result<(), Error>) -> CheckpointReason {
    match result {
        Err(Error::Checkpoint { reason, .. }) => reason,
        other => panic!("{other:?}"),
    }
}

#[test]
fn checkpoints_of_another_past_are_refused() {
    for model in paths_of(0) {
        let mut sequence = sequence(model);
        fill(&mut *sequence, &text(10, 1));
        let at_10 = sequence.checkpoint().unwrap();
        fill(&mut *sequence, &text(10, 2));
        let at_20 = sequence.checkpoint().unwrap();
        fill(&mut *sequence, &text(10, 3));

        sequence.rewind(&at_20).unwrap();
        sequence.rewind(&at_10).unwrap();
        assert_eq!(reason(sequence.rewind(&at_20)), CheckpointReason::Ahead);
        // Other tokens stand where the checkpoint at 20 was taken.
        fill(&mut *sequence, &text(30, 4));
        assert_eq!(reason(sequence.rewind(&at_20)), CheckpointReason::Overwritten);
        assert_eq!(sequence.len(), 40, "a refused rewind changes nothing");
        let at_40 = sequence.checkpoint().unwrap();
        sequence.rewind(&at_40).unwrap();
        sequence.rewind(&at_10).unwrap();

        let mut stranger = common::sequence(model);
        fill(&mut *stranger, &text(10, 1));
        assert_eq!(reason(stranger.rewind(&at_10)), CheckpointReason::OtherSequence);

        sequence.clear();
        assert!(sequence.is_empty());
        fill(&mut *sequence, &text(10, 1));
        assert_eq!(reason(sequence.rewind(&at_10)), CheckpointReason::Overwritten);
    }
}

#[test]
fn what_was_taken_back_leaves_no_trace() {
    for (file, model) in models() {
        // Around the window (16) and the room behind it (15 + 256).
        for start in [1, 12, 16, 250, 265, 271, 300] {
            for (drafted, taken_back) in [(1, 1), (5, 2), (16, 16), (17, 16), (40, 3)] {
                let (base, draft, next) = (text(start, 8), text(drafted, 9), text(20, 10));
                let mut sequence = sequence(model);
                fill(&mut *sequence, &base);
                fill(&mut *sequence, &draft);
                let len = start + drafted - taken_back;
                sequence.truncate(len).unwrap();
                assert_eq!(sequence.len(), len);
                let at_len = sequence.checkpoint().unwrap();
                let expected = fresh(model, &[&base[..], &draft[..drafted - taken_back], &next].concat());
                assert_eq!(last(&mut *sequence, &next), expected, "{file}: {start} + {drafted} - {taken_back}");
                sequence.rewind(&at_len).unwrap();
                assert_eq!(last(&mut *sequence, &next), expected, "{file}: rewound to {len}");
            }
        }
    }
}

#[test]
fn only_the_last_pass_is_taken_back_and_no_more_than_drafts() {
    for model in paths_of(0) {
        let mut sequence = sequence(model);
        let refused = |sequence: &mut dyn Sequence, to: usize, expected: usize| match sequence.truncate(to) {
            Err(Error::Truncate { asked, least, len }) => {
                assert_eq!((asked, least, len), (to, expected, sequence.len()))
            }
            other => panic!("{other:?}"),
        };
        fill(&mut *sequence, &text(10, 1));
        fill(&mut *sequence, &text(3, 2));
        refused(&mut *sequence, 9, 10);
        refused(&mut *sequence, 14, 10);
        let at_13 = sequence.checkpoint().unwrap();
        sequence.truncate(13).unwrap();
        sequence.truncate(12).unwrap();
        sequence.truncate(10).unwrap();
        refused(&mut *sequence, 9, 10);
        assert_eq!(reason(sequence.rewind(&at_13)), CheckpointReason::Ahead);
        fill(&mut *sequence, &text(40, 3));
        assert_eq!(reason(sequence.rewind(&at_13)), CheckpointReason::Overwritten);
        refused(&mut *sequence, 50 - MAX_DRAFT - 1, 50 - MAX_DRAFT);
        // After a return there is no last pass.
        let at_50 = sequence.checkpoint().unwrap();
        sequence.rewind(&at_50).unwrap();
        refused(&mut *sequence, 49, 50);
        sequence.clear();
        sequence.truncate(0).unwrap();
    }
}

#[test]
fn the_plain_path_says_that_it_keeps_nothing() {
    let (_, model) = models().next().unwrap();
    let mut sequence = sequence(model);
    fill(&mut *sequence, &text(10, 1));
    assert!(matches!(sequence.save(&mut Vec::new()), Err(Error::Unsupported { .. })));
    assert!(matches!(sequence.restore(&mut &[][..]), Err(Error::Unsupported { .. })));
    assert!(sequence.is_empty());
}

#[test]
fn clearing_leaves_no_trace() {
    for model in paths_of(0) {
        let mut sequence = sequence(model);
        fill(&mut *sequence, &text(300, 1));
        sequence.clear();
        let tokens = text(50, 2);
        assert_eq!(last(&mut *sequence, &tokens), fresh(model, &tokens));
    }
}

#[test]
fn cancelling_at_any_layer_leaves_the_sequence_as_it_was() {
    for model in paths_of(1) {
        let (start, lost, next) = (text(260, 1), text(120, 2), text(20, 3));
        let expected = fresh(model, &[&start[..], &next].concat());
        for layer in 0..model.config().n_layers {
            let mut sequence = sequence(model);
            fill(&mut *sequence, &start);
            let asked = Cell::new(0);
            let cancelled = || asked.replace(asked.get() + 1) == layer;
            let error = forward(&mut *sequence, &lost, Rows::All, &cancelled).unwrap_err();
            assert!(matches!(error, Error::Cancelled), "{error}");
            assert_eq!(asked.get(), layer + 1, "asked once for each layer");
            assert_eq!(sequence.len(), start.len());
            assert_eq!(last(&mut *sequence, &next), expected, "cancelled at layer {layer}");
        }
    }
}

#[test]
fn what_does_not_fit_is_refused_and_changes_nothing() {
    for model in paths_of(0) {
        let mut sequence = model.sequence(20).unwrap();
        fill(&mut *sequence, &text(15, 1));
        let error = forward(&mut *sequence, &text(6, 2), Rows::Last, &go_on).unwrap_err();
        assert!(matches!(error, Error::ContextFull { asked: 21, context_len: 20 }), "{error}");
        assert_eq!(error.code(), ErrorCode::PromptTooLong);
        let error = forward(&mut *sequence, &[5, 576], Rows::Last, &go_on).unwrap_err();
        assert!(matches!(error, Error::TokenOutOfRange { token: 576, vocab: 576 }), "{error}");
        assert_eq!(sequence.len(), 15);
        last(&mut *sequence, &text(5, 2));
        assert_eq!(sequence.len(), 20, "the context can be filled to the last position");

        for asked in [0, 131_073] {
            let error = model.sequence(asked).err().unwrap();
            assert!(matches!(error, Error::ContextLength { most: 131_072, .. }), "{error}");
        }
    }
}

#[test]
fn feeding_nothing_gives_no_rows() {
    for model in paths_of(0) {
        let mut sequence = sequence(model);
        assert_eq!(forward(&mut *sequence, &[], Rows::All, &go_on).unwrap().n_rows(), 0);
        assert!(sequence.is_empty());
    }
}
