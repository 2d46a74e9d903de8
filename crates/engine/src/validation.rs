//! A request is checked before it is queued: every refusal states the limit and the value given.

use generation::{GenerateRequest, Role, Sampling};

use crate::error::Error;

/// Most bytes of text in one conversation. It bounds the frames between the processes; the context length,
/// which is counted in tokens, is reached long before.
pub const MAX_TEXT_BYTES: usize = 4 << 20;

/// Checks everything that can be known without a tokenizer.
///
/// `context_len` is in tokens. [`Error::PromptTooLong`] can only be found later, by [`prompt_len`].
///
/// # Errors
/// The first contradiction found.
pub fn request(request: &GenerateRequest, context_len: usize) -> Result<(), Error> {
    if !request.images.is_empty() {
        return Err(Error::NoVision { count: request.images.len() });
    }
    let Some(last) = request.messages.last() else { return Err(Error::NoMessages) };
    if last.role != Role::User {
        return Err(Error::LastNotUser { count: request.messages.len() });
    }
    if last.content.trim().is_empty() {
        return Err(Error::EmptyQuestion);
    }
    if let Some(index) = request.messages.iter().skip(1).position(|message| message.role == Role::System) {
        return Err(Error::SystemNotFirst { position: index + 2 });
    }
    let bytes = request.messages.iter().map(|message| message.content.len()).sum();
    if bytes > MAX_TEXT_BYTES {
        return Err(Error::RequestTooLarge { bytes, limit: MAX_TEXT_BYTES });
    }
    if request.max_tokens == 0 || request.max_tokens >= context_len {
        let limit = context_len.saturating_sub(1);
        return Err(Error::MaxTokens { max_tokens: request.max_tokens, limit });
    }
    sampling(&request.sampling)
}

/// Checks the numbers by which tokens are drawn.
///
/// # Errors
/// [`Error::Temperature`] or [`Error::TopP`].
pub fn sampling(sampling: &Sampling) -> Result<(), Error> {
    if !sampling.temperature.is_finite() || sampling.temperature < 0.0 {
        return Err(Error::Temperature { given: sampling.temperature });
    }
    if !(sampling.top_p > 0.0 && sampling.top_p <= 1.0) {
        return Err(Error::TopP { given: sampling.top_p });
    }
    Ok(())
}

/// Checks that a prompt of `tokens` leaves room for at least one token of an answer.
///
/// # Errors
/// [`Error::PromptTooLong`].
pub fn prompt_len(tokens: usize, context_len: usize) -> Result<(), Error> {
    if tokens >= context_len { Err(Error::PromptTooLong { tokens, context_len }) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use generation::Message;

    use super::*;

    fn valid() -> GenerateRequest {
        let messages = vec![Message::new(Role::System, "Be kind."), Message::new(Role::User, "2 + 2?")];
        GenerateRequest::new("r", messages)
    }

    fn refusal(change: impl FnOnce(&mut GenerateRequest)) -> String {
        let mut changed = valid();
        change(&mut changed);
        request(&changed, 4096).expect_err("must be refused").to_string()
    }

    #[test]
    fn a_sound_request_passes() {
        assert!(request(&valid(), 4096).is_ok());
        let mut greedy = valid();
        greedy.sampling = Sampling { temperature: 0.0, top_p: 1.0, top_k: 0, seed: Some(1) };
        greedy.max_tokens = 4095;
        assert!(request(&greedy, 4096).is_ok());
    }

    #[test]
    fn each_refusal_states_the_limit_and_the_value() {
        assert_eq!(refusal(|r| r.messages.clear()), "the request holds no message; at least 1 is needed");
        assert_eq!(
            refusal(|r| r.messages.push(Message::new(Role::Assistant, "4"))),
            "the last of 3 messages is not the user's"
        );
        assert_eq!(refusal(|r| r.messages[1].content = " \n".into()), "the question is empty");
        assert_eq!(
            refusal(|r| r.messages.insert(1, Message::new(Role::System, "x"))),
            "message 2 holds instructions; only message 1 may"
        );
        let cap = "it must lie between 1 and 4095, below the context length";
        assert_eq!(refusal(|r| r.max_tokens = 0), format!("the reply cap is 0 tokens; {cap}"));
        assert_eq!(refusal(|r| r.max_tokens = 4096), format!("the reply cap is 4096 tokens; {cap}"));
        for given in [f32::NAN, f32::INFINITY, -0.5] {
            let message = format!("the temperature is {given}; it must be a number of at least 0");
            assert_eq!(refusal(|r| r.sampling.temperature = given), message);
        }
        for given in [f32::NAN, 0.0, -0.1, 1.01] {
            let message = format!("top-p is {given}; it must be more than 0 and at most 1");
            assert_eq!(refusal(|r| r.sampling.top_p = given), message);
        }
        let long = refusal(|r| r.messages[1].content = "a".repeat(MAX_TEXT_BYTES));
        assert_eq!(long, "the conversation has 4194312 bytes of text; the limit is 4194304");
    }

    #[test]
    fn a_prompt_must_leave_room_for_one_token() {
        assert!(prompt_len(99, 100).is_ok());
        let message = prompt_len(100, 100).expect_err("no room").to_string();
        assert_eq!(message, "the conversation has 100 tokens; the context length is 100 and holds the answer too");
    }
}
