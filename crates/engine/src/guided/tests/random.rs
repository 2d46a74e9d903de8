//! Random forms, random logits: whatever is drawn, what comes out has the form.

use std::io::{Read, Write};

use gemma4::{Checkpoint, Logits, Rows, Sequence};
use rand::{Rng, SeedableRng, rngs::StdRng, seq::IndexedRandom};

use super::*;

/// Rows wider than the vocabulary, as some models have them.
const PADDING: usize = 45;
const CONTEXT_LEN: usize = 3000;

/// A model without an opinion: every row is noise, in which the padding and the control tokens are likely.
struct Noise {
    width: usize,
    len: usize,
    rng: StdRng,
}

impl Sequence for Noise {
    fn len(&self) -> usize {
        self.len
    }

    fn context_len(&self) -> usize {
        CONTEXT_LEN
    }

    fn forward(
        &mut self,
        tokens: &[u32],
        rows: Rows,
        _: &dyn Fn() -> bool,
        logits: &mut Logits,
    ) -> Result<(), gemma4::Error> {
        self.len += tokens.len();
        assert!(self.len <= CONTEXT_LEN);
        let n_rows = match rows {
            Rows::None => 0,
            Rows::Last => 1,
            Rows::All => tokens.len(),
        };
        let mut values: Vec<f32> = (0..n_rows * self.width).map(|_| self.rng.random_range(-8.0..8.0)).collect();
        for row in values.chunks_mut(self.width) {
            let padding = self.width - PADDING;
            row[padding..].fill(30.0);
            row[..107].fill(20.0);
        }
        *logits = Logits::new(values, self.width);
        Ok(())
    }

    fn truncate(&mut self, len: usize) -> Result<(), gemma4::Error> {
        self.len = len;
        Ok(())
    }

    fn save(&self, _: &mut dyn Write) -> Result<(), gemma4::Error> {
        Ok(())
    }

    fn restore(&mut self, _: &mut dyn Read) -> Result<(), gemma4::Error> {
        Ok(())
    }

    fn checkpoint(&self) -> Result<Checkpoint, gemma4::Error> {
        Ok(Checkpoint { len: self.len, size_bytes: 1, state: Box::new(()) })
    }

    fn rewind(&mut self, checkpoint: &Checkpoint) -> Result<(), gemma4::Error> {
        self.len = checkpoint.len;
        Ok(())
    }

    fn clear(&mut self) {
        self.len = 0;
    }
}

/// A desk whose model is noise, with the demo model's vocabulary.
fn desk(seed: u64) -> Desk {
    let codec = GemmaCodec::new(parts(false).tokenizer);
    let width = codec.vocabulary().size() + PADDING;
    let noise = Noise { width, len: 0, rng: StdRng::seed_from_u64(seed) };
    Desk::new(Box::new(codec), Session::new(Box::new(noise), 64))
}

/// A schema of what tools use: bounded texts and lists, enumerations, bounded integers, objects in objects.
fn schema(rng: &mut StdRng, depth: usize) -> Value {
    match rng.random_range(if depth == 0 { 1..5 } else { 0..7 }) {
        0 => json!({"type": "boolean"}),
        1 => {
            let least = rng.random_range(0..3);
            json!({"type": "string", "minLength": least, "maxLength": least + rng.random_range(0..25)})
        }
        2 => {
            let least = rng.random_range(-120..120);
            json!({"type": "integer", "minimum": least, "maximum": least + rng.random_range(0..300)})
        }
        3 => {
            let words = ["a", "ab", "ábaco", "ñ", "é", "a b", "\"q\"", "back\\slash", "🙂", "你好"];
            let chosen: Vec<&&str> = words.choose_multiple(rng, 4).collect();
            json!({"type": "string", "enum": chosen})
        }
        4 => json!({"enum": [1, "1", null, true]}),
        5 => {
            let least = rng.random_range(0..3);
            let most = least + rng.random_range(0..3);
            json!({"type": "array", "minItems": least, "maxItems": most, "items": schema(rng, depth - 1)})
        }
        _ => {
            let names = ["text", "label", "z", "a", "año", "with space", "answer"];
            let names: Vec<&&str> = names.choose_multiple(rng, 3).collect();
            let properties: serde_json::Map<String, Value> =
                names.into_iter().map(|name| ((*name).to_owned(), schema(rng, depth - 1))).collect();
            object(Value::Object(properties))
        }
    }
}

#[test]
fn whatever_is_drawn_has_the_form() {
    let mut rng = StdRng::seed_from_u64(2);
    let mut desk = desk(3);
    let (mut forced, mut tokens) = (0, 0);
    for round in 0..250 {
        let schema = object(json!({"first": schema(&mut rng, 3), "second": schema(&mut rng, 2)}));
        let mut request = ask("x", schema.clone(), round);
        request.max_tokens = 2900;
        if round % 3 == 0 {
            request.sampling.top_k = 0;
            request.sampling.top_p = 1.0;
        }
        let (text, completion) = desk.write(&request);
        assert_eq!(completion.finish_reason, FinishReason::Stop, "{schema}: {text}");
        let value = structure(schema.clone()).read(&text).unwrap_or_else(|misfit| panic!("{misfit}: {schema}: {text}"));
        assert_eq!(value.to_string(), text, "{schema}");
        forced += completion.usage.forced_tokens;
        tokens += completion.usage.completion_tokens;
    }
    assert!(forced * 4 > tokens, "{forced} of {tokens}");
}

#[test]
fn an_answer_that_is_cut_is_the_beginning_of_a_whole_one_and_never_valid() {
    // A row of noise does not depend on what was fed, so each answer begins anew with the same noise.
    let (text, whole) = desk(7).write(&ask("x", cards(), 4));
    assert_eq!(whole.finish_reason, FinishReason::Stop);
    let n = whole.token_ids.len();
    for most in [1, 2, 3, 5, 8, 13, 40, n / 2, n - 3, n - 2] {
        let mut request = ask("x", cards(), 4);
        request.max_tokens = most;
        let (part, cut) = desk(7).write(&request);
        assert_eq!(cut.finish_reason, FinishReason::MaxTokens, "{most} of {n}");
        assert_eq!(cut.token_ids, whole.token_ids[..most]);
        assert!(text.starts_with(&part) && part.len() < text.len());
        assert!(structure(cards()).read(&part).is_err(), "{part}");
    }
    // The form is complete with the last token but one: nothing of it is missing.
    let mut request = ask("x", cards(), 4);
    request.max_tokens = n - 1;
    let (all, completion) = desk(7).write(&request);
    assert_eq!((all, completion.finish_reason), (text, FinishReason::Stop));
    assert_eq!(completion.token_ids, whole.token_ids[..n - 1]);
}
