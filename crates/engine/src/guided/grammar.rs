//! From a JSON Schema to a grammar, and from a grammar to what may come next.

use llguidance::{
    Matcher, ParserFactory, TokenParser,
    api::{ParserLimits, TopLevelGrammar},
    toktrie::{ApproximateTokEnv, InferenceCapabilities, SimpleVob, TokEnv},
};
use serde_json::{Value, json};

/// Texts of which whole classes of tokens are allowed at once, inside JSON strings: tokens of at most so many characters,
/// while the string has that much room left. The longest of tokens are rarely longer than the second.
const SLICES: [&str; 2] = [r#"[^"\\\x00-\x1F\x7F]{1,10}"#, r#"[^"\\\x00-\x1F\x7F]{1,30}"#];

/// Which JSON is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// What answers are held to: no space between tokens, and in strings only `\\` and `\"`. A model that begins `\frac`
    /// has thereby written `\\frac`, and not a form feed; no string breaks a line or holds half a surrogate pair.
    Answer,
    /// All JSON without space between tokens, for tests against other people's documents.
    Any,
}

/// Makes grammars for one vocabulary.
pub(crate) struct Workshop {
    factory: ParserFactory,
    dialect: Dialect,
}

impl Workshop {
    /// For the vocabulary behind `environment`.
    ///
    /// # Errors
    /// If the vocabulary cannot be cut in classes.
    pub(crate) fn new(environment: &TokEnv, dialect: Dialect) -> Result<Self, String> {
        let slices = SLICES.map(str::to_owned);
        Self::with_slices(environment, dialect, &slices)
    }

    fn with_slices(environment: &TokEnv, dialect: Dialect, slices: &[String]) -> Result<Self, String> {
        let capabilities = InferenceCapabilities { ff_tokens: true, ..InferenceCapabilities::default() };
        let mut factory = ParserFactory::new(environment, capabilities, slices).map_err(|error| error.to_string())?;
        factory.quiet();
        *factory.limits_mut() = ParserLimits { verbose_errors: false, ..ParserLimits::default() };
        Ok(Self { factory, dialect })
    }

    /// One that knows only bytes: it tells in a millisecond whether a schema can be used, whatever the vocabulary.
    ///
    /// # Errors
    /// None is known.
    pub(crate) fn of_bytes(dialect: Dialect) -> Result<Self, String> {
        Self::with_slices(&ApproximateTokEnv::single_byte_env(), dialect, &[])
    }

    /// The grammar of `schema`, at its beginning.
    ///
    /// # Errors
    /// Why the schema cannot be used.
    pub(crate) fn grammar(&self, schema: &Value) -> Result<TokenParser, String> {
        let mut schema = schema.clone();
        let mut options = json!({ "whitespace_flexible": false });
        if self.dialect == Dialect::Answer {
            options["json_allowed_escapes"] = json!("\\\"");
            without_minus_zero(&mut schema);
        }
        let Value::Object(fields) = &mut schema else { return Err("the schema is no object".to_owned()) };
        fields.insert("x-guidance".to_owned(), options);
        self.factory.create_parser(TopLevelGrammar::from_json_schema(schema)).map_err(|error| plain(&error))
    }
}

/// Makes two ranges of each range of integers on both sides of zero: the grammar engine would allow `-0` in it, which is
/// read as a floating-point number.
fn without_minus_zero(schema: &mut Value) {
    let Value::Object(fields) = schema else { return };
    let bound = |name: &str| fields.get(name).map(Value::as_i64);
    let (least, most) = (bound("minimum"), bound("maximum"));
    let negative = least.is_none_or(|least| least.is_some_and(|least| least < 0));
    let positive = most.is_none_or(|most| most.is_some_and(|most| most >= 0));
    let bare = fields.keys().all(|name| ["type", "minimum", "maximum"].contains(&name.as_str()));
    if bare && fields.get("type").is_some_and(|kind| kind == "integer") && negative && positive {
        let (mut below, mut above) = (fields.clone(), fields.clone());
        below.insert("maximum".to_owned(), json!(-1));
        above.insert("minimum".to_owned(), json!(0));
        *schema = json!({ "anyOf": [below, above] });
        return;
    }
    for (name, part) in fields.iter_mut() {
        match (name.as_str(), part) {
            ("properties" | "$defs", Value::Object(parts)) => parts.values_mut().for_each(without_minus_zero),
            ("anyOf" | "oneOf" | "allOf" | "prefixItems", Value::Array(parts)) => {
                parts.iter_mut().for_each(without_minus_zero);
            }
            ("items" | "additionalProperties", part) => without_minus_zero(part),
            _ => {}
        }
    }
}

/// What the grammar engine says, in one line.
fn plain(error: &impl ToString) -> String {
    let text = error.to_string();
    text.replace("<non-verbose/>", "").split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Where an answer stands in its grammar.
pub(crate) struct Place(Matcher);

/// What follows without a choice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forced {
    /// The tokens.
    pub tokens: Vec<u32>,
    /// Whether nothing may come after them but the end.
    pub complete: bool,
}

impl Place {
    /// At the beginning of `grammar`.
    pub(crate) fn start(grammar: TokenParser) -> Self {
        Self(Matcher::new(Ok(grammar)))
    }

    /// Goes on by `token`, which the mask allowed, or stays at the beginning without one; then by everything that follows
    /// without a choice.
    ///
    /// # Errors
    /// If the token is not allowed there, or the grammar engine gives up.
    pub(crate) fn advance(&mut self, token: Option<u32>) -> Result<Forced, String> {
        let place = &mut self.0;
        if let Some(token) = token {
            place.consume_token(token).map_err(|error| plain(&error))?;
        }
        let mut tokens = Vec::new();
        while !place.is_stopped() {
            let forced = place.compute_ff_tokens();
            if forced.is_empty() {
                break;
            }
            place.consume_tokens(&forced).map_err(|error| plain(&error))?;
            tokens.extend(forced);
        }
        match place.get_error() {
            Some(error) => Err(plain(&error)),
            None => Ok(Forced { tokens, complete: place.is_stopped() }),
        }
    }

    /// What may come next.
    ///
    /// # Errors
    /// If the grammar engine gives up.
    pub(crate) fn mask(&mut self) -> Result<Mask, String> {
        self.0.compute_mask().map(Mask).map_err(|error| plain(&error))
    }

    /// Whether `token` may come next; if so, goes on by it.
    pub(crate) fn try_token(&mut self, token: u32) -> bool {
        matches!(self.0.try_consume_tokens(&[token]), Ok(1))
    }

    /// Whether the text may end here.
    pub(crate) fn may_end(&mut self) -> bool {
        self.0.is_accepting().unwrap_or(false)
    }
}

/// The tokens that may come next, a bit for each.
#[derive(Debug, Clone)]
pub struct Mask(SimpleVob);

impl Mask {
    /// Forbids all others in a row of logits, and whatever the row has beyond the vocabulary.
    pub fn apply(&self, row: &mut [f32]) {
        let words = self.0.as_slice();
        for (index, values) in row.chunks_mut(u32::BITS as usize).enumerate() {
            match words.get(index) {
                Some(&u32::MAX) if (index + 1) * 32 <= self.0.len() => {}
                None | Some(0) => values.fill(f32::NEG_INFINITY),
                Some(word) => {
                    for (bit, value) in values.iter_mut().enumerate() {
                        let known = index * 32 + bit < self.0.len();
                        if !known || word & (1 << bit) == 0 {
                            *value = f32::NEG_INFINITY;
                        }
                    }
                }
            }
        }
    }

    /// Whether `token` may come next.
    pub fn allows(&self, token: u32) -> bool {
        (token as usize) < self.0.len() && self.0.is_allowed(token)
    }
}
