//! A result with a form, in at most three calls: with a schema; without one where the model does not take it or falls into
//! a loop; and once more to have a result mended that does not fit.

use generation::{FinishReason, GenerateRequest, Misfit, Structure};
use serde_json::Value;

use super::chat::{blocked, with_message};
use super::request::Manner;
use super::wire::{Chunk, Finish};
use super::{Gemini, is_vague, request};
use crate::answer;
use crate::error::{Error, shown};
use crate::loops::{Form, Loops};
use crate::retry::Retries;
use crate::teller::{Ending, Teller};

/// Calls that the service answers, for one thing that a person asked for: each costs allowance. Being asked to come back
/// later is no answer.
const MOST_CALLS: usize = 3;

/// What is asked next.
enum Ask {
    /// The question.
    Question,
    /// To mend a result that does not fit.
    Mending { misfit: Misfit, bad: String },
}

/// What a call gave.
enum Outcome {
    /// The result, as JSON.
    Fits(String, Ending),
    /// The model repeated itself, or wrote nothing: the schema may be to blame.
    Derailed(Error),
    /// It does not have the form.
    Misfits { misfit: Misfit, bad: String },
}

/// Has the result made. All of it is told at once, when it is known to fit.
///
/// # Errors
/// If the service cannot or will not answer, or no result fits after three calls.
pub(super) async fn answer(gemini: &Gemini, request: &GenerateRequest, teller: &mut Teller) -> Result<Ending, Error> {
    let Some(structure) = &request.structure else {
        return Err(Error::Request { what: "there is no form for the result".to_owned() });
    };
    let mut retries = gemini.retries();
    let mut ask = Ask::Question;
    let (mut without_form, mut silent) = (false, false);
    let mut failure = Error::Cut;
    for call in 0..MOST_CALLS {
        let learnt = gemini.manner();
        let manner = Manner { form: learnt.form && !without_form, thinking: learnt.thinking && !silent };
        let body = match &ask {
            Ask::Question => request::body(request, manner),
            Ask::Mending { misfit, bad } => request::mending(request, manner, misfit, bad),
        };
        let value = match patient_call(gemini, request, &body, &mut retries, teller).await {
            Err(error) if gemini.learn_manner(&error, manner) => {
                failure = error;
                continue;
            }
            Err(error) if is_vague(&error) && (manner.form || manner.thinking) => {
                silent = !manner.form;
                without_form = true;
                failure = error;
                continue;
            }
            outcome => outcome?,
        };
        match judge(gemini, structure, &value)? {
            Outcome::Fits(json, ending) => {
                gemini.allowance(|allowance| allowance.correct(ending.usage.prompt_tokens as u64));
                teller.text(json).await;
                return Ok(ending);
            }
            Outcome::Derailed(error) => {
                tracing::info!(call, %error, "a result derailed");
                if !manner.form {
                    return Err(error);
                }
                failure = error;
                without_form = true;
                ask = Ask::Question;
            }
            Outcome::Misfits { misfit, bad } => {
                tracing::info!(call, "a result does not have its form");
                let misfit_text = shown(Some(&gemini.key), &misfit.to_string());
                failure = Error::Misfit { misfit: misfit_text };
                if matches!(ask, Ask::Mending { .. }) {
                    break;
                }
                ask = Ask::Mending { misfit, bad };
            }
        }
    }
    Err(failure)
}

/// One call, asked again by itself where the service is busy or the allowance used up.
async fn patient_call(
    gemini: &Gemini,
    request: &GenerateRequest,
    body: &Value,
    retries: &mut Retries,
    teller: &mut Teller,
) -> Result<Value, Error> {
    loop {
        gemini.wait_for_allowance(request::tokens(request), teller).await;
        let outcome = match gemini.post("generateContent", body, gemini.options.whole).await {
            Ok(response) => gemini.json(response, Some(&*teller)).await,
            Err(error) => Err(error),
        };
        match outcome {
            Ok(value) => return Ok(value),
            Err(error) => {
                let Some(wait) = retries.after(&error) else { return Err(error) };
                teller.wait(wait).await;
            }
        }
    }
}

/// What an answer is worth.
///
/// # Errors
/// If there is nothing to be had by asking again: it was blocked, cut, or is no answer.
fn judge(gemini: &Gemini, structure: &Structure, value: &Value) -> Result<Outcome, Error> {
    let chunk = Chunk::read(value);
    if !chunk.is_known {
        return Err(gemini.nonsense("it is no answer of a model"));
    }
    if let Some(reason) = chunk.blocked {
        return Err(blocked(gemini, &reason));
    }
    let is_whole = match chunk.finish {
        Some(Finish::Stop) => true,
        Some(Finish::MaxTokens) => false,
        Some(Finish::Blocked(reason)) => return Err(blocked(gemini, &with_message(reason, chunk.finish_message))),
        Some(Finish::Other(reason)) => {
            let what = shown(Some(&gemini.key), &with_message(reason, chunk.finish_message));
            return Err(Error::Nonsense { host: gemini.host(), what });
        }
        None => return Err(Error::Truncated { host: gemini.host(), cause: None }),
    };
    let misfit = match answer::result(structure, &chunk.text, "") {
        // The limit may have cut what the model added after the result; the result itself is whole.
        Ok(result) => {
            let ending = Ending { reason: FinishReason::Stop, usage: chunk.usage.unwrap_or_default() };
            return Ok(Outcome::Fits(result.to_string(), ending));
        }
        Err(misfit) => misfit,
    };
    if Loops::new(Form::Json).push(&chunk.text) {
        return Ok(Outcome::Derailed(Error::Looped));
    }
    if !is_whole {
        return Err(Error::Cut);
    }
    if chunk.text.trim().is_empty() {
        return Ok(Outcome::Derailed(Error::Empty { host: gemini.host() }));
    }
    Ok(Outcome::Misfits { misfit, bad: chunk.text })
}
