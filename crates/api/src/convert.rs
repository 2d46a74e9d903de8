//! From the domain's types to what crosses to the page.

use crate::dto::{
    Badge, BadgeKind, ChoiceReason, ChoiceReport, Conversation, ConversationSummary, DeviceKind, Language, Message,
    MessageState, ModelStatus, RejectReason, Rejected, Speaker, WaitReason,
};
use crate::failure;
use crate::host::HostStatus;
use catalog::{Candidate, Device, Reason, Rejection, Trials};
use generation::{Completion, EngineInfo, EngineKind, FinishReason};
use store::Measured;

/// A count as the page's numbers hold it.
pub(crate) fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

/// Milliseconds since 1970 as the page's numbers hold them; exact for the next 285 000 years.
pub(crate) fn milliseconds(ms: i64) -> f64 {
    ms as f64
}

pub(crate) fn badge(engine: &EngineInfo) -> Badge {
    let kind = match engine.kind {
        EngineKind::Local => BadgeKind::Local,
        EngineKind::Demo => BadgeKind::Demo,
        EngineKind::Cloud => BadgeKind::Cloud,
        EngineKind::School => BadgeKind::School,
    };
    Badge { kind, model: engine.model.clone(), device: engine.device.clone() }
}

pub(crate) fn wait_reason(reason: generation::WaitReason) -> WaitReason {
    match reason {
        generation::WaitReason::Quota => WaitReason::Quota,
        generation::WaitReason::Busy => WaitReason::Busy,
    }
}

/// Who wrote an answer, as the store keeps it.
pub(crate) fn engine_name(engine: &EngineInfo) -> store::EngineName {
    let kind = match engine.kind {
        EngineKind::Local => store::EngineKind::Local,
        EngineKind::Demo => store::EngineKind::Demo,
        EngineKind::Cloud => store::EngineKind::Cloud,
        EngineKind::School => store::EngineKind::School,
    };
    store::EngineName { kind, model: engine.model.clone(), device: engine.device.clone() }
}

pub(crate) fn stored_badge(engine: &store::EngineName) -> Badge {
    let kind = match engine.kind {
        store::EngineKind::Local => BadgeKind::Local,
        store::EngineKind::Demo => BadgeKind::Demo,
        store::EngineKind::Cloud => BadgeKind::Cloud,
        store::EngineKind::School => BadgeKind::School,
    };
    Badge { kind, model: engine.model.clone(), device: engine.device.clone() }
}

/// How a completed answer is stored.
pub(crate) fn ending(completion: &Completion) -> store::Ending {
    let (state, word) = match completion.finish_reason {
        FinishReason::Stop => (store::MessageState::Complete, "stop"),
        FinishReason::MaxTokens => (store::MessageState::Cut, "max_tokens"),
        FinishReason::ContextFull => (store::MessageState::Cut, "context_full"),
        FinishReason::Cancelled => (store::MessageState::Stopped, "cancelled"),
    };
    let (usage, timings) = (&completion.usage, &completion.timings);
    let measured = Measured {
        prompt_tokens: count(usage.prompt_tokens),
        reused_tokens: count(usage.reused_tokens),
        completion_tokens: count(usage.completion_tokens),
        seed: usage.seed,
        queue_s: timings.queue_s,
        prefill_s: timings.prefill_s,
        ttft_s: timings.ttft_s,
        decode_s: timings.decode_s,
    };
    store::Ending { state, finish_reason: Some(word), measured: Some(measured) }
}

/// Tokens a second after the first; none for fewer than two tokens.
fn tokens_per_second(measured: &Measured) -> Option<f64> {
    let rate = f64::from(measured.completion_tokens.checked_sub(1)?) / measured.decode_s;
    (measured.completion_tokens > 1 && rate.is_finite() && rate > 0.0).then_some(rate)
}

pub(crate) fn message(message: store::Message) -> Message {
    let tutor = message.role == store::Role::Tutor;
    let seconds = message
        .finished_at
        .filter(|_| tutor)
        // A clock that was set back meanwhile gives no time at all rather than a negative one.
        .and_then(|end| u32::try_from(end - message.created_at).ok())
        .map(|ms| f64::from(ms) / 1000.0);
    Message {
        id: message.id,
        speaker: if tutor { Speaker::Tutor } else { Speaker::Student },
        text: message.text,
        state: match message.state {
            store::MessageState::Streaming => MessageState::Streaming,
            store::MessageState::Complete => MessageState::Complete,
            store::MessageState::Stopped => MessageState::Stopped,
            store::MessageState::Cut => MessageState::Cut,
            store::MessageState::Interrupted => MessageState::Interrupted,
        },
        badge: message.engine.as_ref().map(stored_badge),
        tokens_per_second: message.measured.as_ref().and_then(tokens_per_second),
        seconds,
        created_at: milliseconds(message.created_at),
        version_ids: message.version_ids,
    }
}

pub(crate) fn summary(line: store::ConversationLine) -> ConversationSummary {
    ConversationSummary { id: line.id, title: line.title, updated_at: milliseconds(line.updated_at) }
}

pub(crate) fn conversation(branch: store::Branch) -> Conversation {
    Conversation { summary: summary(branch.line), messages: branch.messages.into_iter().map(message).collect() }
}

/// The state of the model that is in use; `choice` says why it is that one.
pub(crate) fn model_status(status: &HostStatus, choice: &ChoiceReport) -> ModelStatus {
    match status {
        HostStatus::Loading => ModelStatus::Loading,
        HostStatus::Ready { engine, context_len, load_seconds, threads } => ModelStatus::Ready {
            badge: badge(engine),
            context_len: count(*context_len),
            load_seconds: if load_seconds.is_finite() { *load_seconds } else { 0.0 },
            choice: Some(ChoiceReport {
                cores: if choice.device == DeviceKind::Cpu { count(*threads) } else { 0 },
                ..choice.clone()
            }),
        },
        HostStatus::Resting { engine, for_memory } => {
            ModelStatus::Resting { badge: badge(engine), for_memory: *for_memory }
        }
        HostStatus::Failed(error) => ModelStatus::Failed { error: failure::explain(error, None) },
    }
}

/// Why `chosen` answers. The number of cores is known once the model is open.
pub(crate) fn choice(choice: &catalog::Choice, chosen: &Candidate, trials: &Trials) -> ChoiceReport {
    let reason = match choice.reason {
        Reason::Chosen => ChoiceReason::Chosen,
        Reason::ChosenAlthoughTooLarge => ChoiceReason::ChosenAlthoughTooLarge,
        Reason::LargestThatFits => ChoiceReason::LargestThatFits,
        Reason::NextAfterTrial => ChoiceReason::NextAfterTrial,
        Reason::FastestOfSlow => ChoiceReason::FastestOfSlow,
        // The last two choose nothing.
        Reason::OnlyTheDemo | Reason::NoModel => ChoiceReason::OnlyTheDemo,
        Reason::NothingElseFits | Reason::NothingFits => ChoiceReason::NothingElseFits,
    };
    ChoiceReport {
        model_id: chosen.id.clone(),
        model: chosen.name.clone(),
        device: device_kind(&chosen.device),
        device_name: chosen.device.name().to_owned(),
        cores: 0,
        tokens_per_second: trials.of(chosen).and_then(|trial| trial.outcome.tokens_per_second()),
        needed_bytes: chosen.need.total() as f64,
        usable_bytes: chosen.usable as f64,
        reason,
        rejected: choice.rejected.iter().map(rejected).collect(),
    }
}

fn rejected(rejected: &catalog::Rejected) -> Rejected {
    let candidate = &rejected.candidate;
    Rejected {
        model: candidate.name.clone(),
        device: device_kind(&candidate.device),
        device_name: candidate.device.name().to_owned(),
        reason: match &rejected.why {
            Rejection::TooLarge { needed_bytes, usable_bytes, could_fit } => RejectReason::TooLarge {
                needed_bytes: *needed_bytes as f64,
                usable_bytes: *usable_bytes as f64,
                could_fit: *could_fit,
            },
            Rejection::OutOfMemory => RejectReason::OutOfMemory,
            Rejection::TooSlow { tokens_per_second } => RejectReason::TooSlow { tokens_per_second: *tokens_per_second },
            Rejection::Failed { .. } => RejectReason::Failed,
        },
    }
}

fn device_kind(device: &Device) -> DeviceKind {
    if device.is_gpu() { DeviceKind::Gpu } else { DeviceKind::Cpu }
}

pub(crate) fn language(language: Language) -> tutor::Language {
    match language {
        Language::Es => tutor::Language::Es,
        Language::En => tutor::Language::En,
        Language::Pt => tutor::Language::Pt,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_speed_without_two_tokens_and_some_time() {
        let rate = |completion_tokens, decode_s| {
            tokens_per_second(&Measured { completion_tokens, decode_s, ..Measured::default() })
        };
        assert_eq!(rate(11, 2.0), Some(5.0));
        for (tokens, seconds) in [(0, 1.0), (1, 1.0), (5, 0.0), (5, f64::NAN), (5, f64::INFINITY)] {
            assert_eq!(rate(tokens, seconds), None, "{tokens} in {seconds}");
        }
    }
}
