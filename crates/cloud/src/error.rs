//! What can go wrong between a question and the answer of an engine on another computer.

use std::time::Duration;

use errors::{ErrorCode, Explain};

use crate::secret::Secret;

/// Most characters of a server's own words that are kept.
const MOST_WORDS: usize = 300;

/// An error of this crate. A server's own words are in it without the key or token, and no more than 300 characters of
/// them. Messages name hosts, never whole addresses.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No answer came, for a reason that lies between the two computers.
    #[error(transparent)]
    Network(#[from] network::Error),
    /// The server answered that it will not or cannot.
    #[error("{host} refused ({status}){}", words(message))]
    Refused {
        /// The server.
        host: String,
        /// The HTTP status; of an error in the middle of a stream the code that the error gives.
        status: u16,
        /// What that means.
        problem: Problem,
        /// The server's own words, without the secret; perhaps empty.
        message: String,
        /// How long the server asks to wait.
        retry_after: Option<Duration>,
    },
    /// A page for people came in the place of the answer: the network's login page, most likely.
    #[error("a page for people came instead of an answer from {host}")]
    CaptivePortal {
        /// The server that was asked.
        host: String,
    },
    /// The answer ended before it was said to be whole. What came was kept.
    #[error("the answer from {host} broke off before its end")]
    Truncated {
        /// The server.
        host: String,
        /// Why, where it is known.
        #[source]
        cause: Option<network::Error>,
    },
    /// The answer, or one event of it, is larger than any answer may be.
    #[error("the answer from {host} is too large")]
    TooLarge {
        /// The server.
        host: String,
    },
    /// What came is no answer in the form that such servers use.
    #[error("the answer from {host} makes no sense: {what}")]
    Nonsense {
        /// The server.
        host: String,
        /// What is wrong with it.
        what: String,
    },
    /// The server says it answered, and there is no text in it.
    #[error("the answer from {host} is empty")]
    Empty {
        /// The server.
        host: String,
    },
    /// The result does not have the form that was asked for, whatever was tried.
    #[error("the result does not have the form that was asked for: {misfit}")]
    Misfit {
        /// Where it differs.
        misfit: String,
    },
    /// The model repeated itself without end.
    #[error("the model repeated itself")]
    Looped,
    /// The result reached its limit before it was whole.
    #[error("the result was not finished within its limit")]
    Cut,
    /// The service's filter stopped the question or the answer.
    #[error("the service stopped the answer: {reason}")]
    Blocked {
        /// The service's word for why, e.g. `SAFETY`.
        reason: String,
    },
    /// There are pictures in the request, and the model reads none.
    #[error("the model `{model}` reads no pictures")]
    NoVision {
        /// The model.
        model: String,
    },
    /// The request itself cannot be sent.
    #[error("the request cannot be sent: {what}")]
    Request {
        /// What is wrong with it.
        what: String,
    },
    /// Somebody stopped it.
    #[error("it was stopped")]
    Cancelled,
}

/// What a refusal means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Problem {
    /// The key or token is wrong, revoked, or none was given.
    KeyRejected,
    /// The key is genuine, but not for this: its type, a restriction, or the service is not switched on for it.
    KeyRestricted,
    /// The service is not offered in this country.
    Region,
    /// There is no such model there, or not for this key.
    NoModel,
    /// The allowance is used up; with `never` there is none at all, so that waiting is no use.
    Quota {
        /// Whether the allowance is zero.
        never: bool,
    },
    /// Too much to do, or a passing failure.
    Busy,
    /// The question is longer than the model reads.
    TooLong,
    /// The model does not take what was said about thinking.
    NoThinking,
    /// The model does not take a form for its answer.
    NoForm,
    /// The server does not know something else that was asked for.
    Unsupported,
    /// The server stopped an answer that it had begun.
    Interrupted,
    /// Anything else.
    Other,
}

impl Error {
    /// Whether the same question may be asked again by itself, as long as nothing of the answer was shown.
    pub fn may_pass(&self) -> bool {
        match self {
            Self::Refused { problem, .. } => matches!(problem, Problem::Busy | Problem::Quota { never: false }),
            _ => false,
        }
    }
}

impl Explain for Error {
    fn code(&self) -> ErrorCode {
        match self {
            Self::Network(error) => network_code(error),
            Self::Refused { problem, .. } => match problem {
                Problem::KeyRejected => ErrorCode::KeyRejected,
                Problem::KeyRestricted => ErrorCode::KeyRestricted,
                Problem::Region => ErrorCode::RegionBlocked,
                Problem::NoModel => ErrorCode::ModelNotServed,
                Problem::Quota { .. } => ErrorCode::QuotaExceeded,
                Problem::Busy => ErrorCode::ServerBusy,
                Problem::TooLong => ErrorCode::PromptTooLong,
                Problem::Interrupted => ErrorCode::Truncated,
                Problem::NoThinking | Problem::NoForm | Problem::Unsupported | Problem::Other => {
                    ErrorCode::ServerRefused
                }
            },
            Self::CaptivePortal { .. } => ErrorCode::CaptivePortal,
            Self::Truncated { cause: Some(cause), .. } => match network_code(cause) {
                ErrorCode::Offline => ErrorCode::Truncated,
                code => code,
            },
            Self::Truncated { cause: None, .. } => ErrorCode::Truncated,
            Self::TooLarge { .. } => ErrorCode::AnswerTooLarge,
            Self::Nonsense { .. } | Self::Empty { .. } | Self::Misfit { .. } => ErrorCode::BadAnswer,
            Self::Looped => ErrorCode::AnswerLooped,
            Self::Cut => ErrorCode::ResultCut,
            Self::Blocked { .. } => ErrorCode::ContentBlocked,
            Self::NoVision { .. } => ErrorCode::NoVision,
            Self::Request { .. } | Self::Cancelled => ErrorCode::InvalidRequest,
        }
    }

    fn hint(&self) -> Option<String> {
        let hint = match self.code() {
            ErrorCode::NetworkClosed => "Switch Cloud Boost or the school's server on in Settings",
            ErrorCode::NameNotFound => "Check the server's name and whether this computer has a network",
            ErrorCode::Offline => "Check the connection, or do it on this computer",
            ErrorCode::UntrustedServer => {
                "Check the date and time of this computer; in a school, ask whether its certificate is installed here"
            }
            ErrorCode::CaptivePortal => "Sign in to the network with a browser, then try again",
            ErrorCode::ServerSilent => "Try again, or do it on this computer",
            ErrorCode::TooSlow => "Try again on a better connection, or do it on this computer",
            ErrorCode::Truncated => "Ask again; what arrived was kept",
            ErrorCode::AnswerTooLarge => "Ask again; if it happens again, tell whoever looks after the server",
            ErrorCode::BadAnswer => "Try again, or do it on this computer",
            ErrorCode::AnswerLooped => "Try again in other words",
            ErrorCode::ResultCut => "Ask for something shorter",
            ErrorCode::KeyRejected => "Enter the key or token again in Settings; it may have been revoked",
            ErrorCode::KeyRestricted => {
                "Look at the key where it was made: its type, its restrictions, and whether its project may use this service"
            }
            ErrorCode::RegionBlocked => "Use this computer or the school's server",
            ErrorCode::ModelNotServed => "Choose another model in Settings",
            ErrorCode::QuotaExceeded => "Wait, or do it on this computer",
            ErrorCode::ServerBusy => "Wait a little, or do it on this computer",
            ErrorCode::ContentBlocked => "Put it in other words",
            ErrorCode::PromptTooLong => "Ask about less at a time",
            ErrorCode::NoVision => "Choose a model that reads pictures in Settings",
            ErrorCode::ServerRefused => "Try later; the server's own words are in the details",
            ErrorCode::InvalidRequest => "Check what was entered in Settings",
            _ => return None,
        };
        Some(hint.to_owned())
    }
}

/// The code of a failure between the two computers.
fn network_code(error: &network::Error) -> ErrorCode {
    match error {
        network::Error::Stalled { .. } => ErrorCode::ServerSilent,
        // The login page of a network sends requests on, too.
        network::Error::Redirect { .. } => ErrorCode::CaptivePortal,
        other => other.code(),
    }
}

/// What is kept of a server's own words: without the secret, on one line, at most 300 characters.
pub(crate) fn shown(secret: Option<&Secret>, text: &str) -> String {
    // Cut only after the secret is gone: half of it would not be recognised any more.
    let text = secret.map_or_else(|| text.to_owned(), |secret| secret.redact(text));
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let printable: String = line.chars().filter(|character| !character.is_control()).collect();
    if printable.chars().count() <= MOST_WORDS {
        return printable;
    }
    printable.chars().take(MOST_WORDS - 1).chain(['…']).collect()
}

fn words(message: &str) -> String {
    if message.is_empty() { String::new() } else { format!(": {message}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_servers_words_are_short_and_without_the_secret() {
        let secret = Secret::new("AQ.abcdefghijklmnopqrstuvwxyz");
        let long = format!("{} AQ.abcdefghijklmnopqrstuvwxyz", "x ".repeat(145));
        let shown = shown(Some(&secret), &long);
        assert!(shown.chars().count() <= 300 && !shown.contains("AQ.") && shown.ends_with('…'), "{shown}");
        assert_eq!(super::shown(None, " two\n  lines\u{7}"), "two lines");
    }

    #[test]
    fn a_refusal_says_who_and_in_which_words() {
        let error = |message: &str| Error::Refused {
            host: "host".to_owned(),
            status: 429,
            problem: Problem::Quota { never: false },
            message: message.to_owned(),
            retry_after: None,
        };
        assert_eq!(error("").to_string(), "host refused (429)");
        assert_eq!(error("enough").to_string(), "host refused (429): enough");
        assert_eq!((error("").code(), error("").may_pass()), (ErrorCode::QuotaExceeded, true));
    }
}
