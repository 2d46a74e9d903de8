//! Texts with bounds, each in an object of its own.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use specta::Type;

macro_rules! bounded_text {
    ($(#[$doc:meta])* $name:ident, $most:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Type)]
        #[serde(deny_unknown_fields)]
        pub struct $name {
            /// The text.
            #[schemars(length(min = 1, max = $most))]
            pub text: String,
        }

        impl $name {
            /// Most characters.
            pub const MAX_CHARS: usize = $most;
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self { text: text.to_owned() }
            }
        }
    };
}

bounded_text!(
    /// A few words: 1 to 60 characters.
    ShortText,
    60
);
bounded_text!(
    /// A sentence or two: 1 to 160 characters.
    MediumText,
    160
);
bounded_text!(
    /// A short paragraph: 1 to 280 characters.
    LongText,
    280
);
