//! The engine thread: opens models, writes answers, and between them keeps what may be kept.

use std::{
    sync::{
        Arc,
        atomic::Ordering,
        mpsc::{self, RecvTimeoutError},
    },
    time::{Duration, Instant},
};

use generation::{GenerateRequest, Role, TokenEvent};

use super::{Loaded, Loader, Shared, threads::Threads};
use crate::{
    answer::Writer,
    answer_memory::AnswerMemory,
    error::Error,
    guided::Guides,
    kept::{self, Shelf},
    logits_processor::Chain,
    memory,
    protocol::{Choices, LoadRequest, ModelFacts, Report},
    session::Session,
    speculation::Speculation,
    trial::{self, TrialLimits, TrialReport},
};

/// A conversation is kept when nothing was asked for so long after its answer: what is asked at once goes before.
const KEEP_AFTER: Duration = Duration::from_millis(300);

/// What the reader hands to the engine thread.
pub(super) enum Job {
    Load { id: u64, load: LoadRequest },
    Generate { id: u64, request: GenerateRequest },
    Trial { id: u64, limits: TrialLimits },
    Choices(Choices),
    Forget { conversation: String },
}

/// The engine thread's state.
pub(super) struct Engine<L> {
    shared: Arc<Shared>,
    loader: L,
    open: Option<Open>,
    choices: Choices,
    threads: Threads,
}

struct Open {
    request: LoadRequest,
    loaded: Loaded,
    session: Session,
    speculation: Speculation,
    memory: AnswerMemory,
    guides: Guides,
    /// `None` where nothing can be kept.
    shelf: Option<Shelf>,
    /// The conversation in the session.
    conversation: Option<String>,
    /// The answers of that conversation, while it is still to be kept.
    unkept: Option<Vec<(String, Vec<u32>)>>,
}

impl<L: Loader> Engine<L> {
    pub(super) fn new(shared: Arc<Shared>, loader: L) -> Self {
        Self { shared, loader, open: None, choices: Choices::default(), threads: Threads::default() }
    }

    pub(super) fn run(mut self, inbox: &mpsc::Receiver<Job>) -> Result<(), Error> {
        loop {
            let waits = self.open.as_ref().is_some_and(|open| open.unkept.is_some());
            let job = match inbox.recv_timeout(if waits { KEEP_AFTER } else { Duration::MAX }) {
                Ok(job) => job,
                Err(RecvTimeoutError::Timeout) => {
                    self.keep();
                    continue;
                }
                Err(RecvTimeoutError::Disconnected) => return Ok(()),
            };
            let report = match job {
                Job::Load { id, load } => match self.load(load) {
                    Ok(facts) => Report::Loaded { id, facts },
                    Err(error) => Report::LoadFailed { id, error: error.into() },
                },
                Job::Trial { id, limits } => Report::Trial { id, outcome: self.trial(id, limits).map_err(Into::into) },
                Job::Generate { id, request } => Report::Event { id, event: self.generate(id, &request)? },
                Job::Choices(choices) => {
                    self.choose(choices);
                    continue;
                }
                Job::Forget { conversation } => {
                    self.forget(&conversation);
                    continue;
                }
            };
            self.shared.send(&report)?;
        }
    }

    fn load(&mut self, request: LoadRequest) -> Result<ModelFacts, Error> {
        self.keep();
        let begun = Instant::now();
        // The same file on the same device stays open; anything else goes first, so that two never share memory.
        let reusable =
            self.open.take().filter(|open| open.request.path == request.path && open.request.device == request.device);
        let (mut loaded, memory, guides) = match reusable {
            Some(open) => (open.loaded, open.memory, open.guides),
            None => {
                let loaded = self.loader.load(&request)?;
                let guides = Guides::new(loaded.codec.vocabulary());
                (loaded, AnswerMemory::default(), guides)
            }
        };
        let speculation = if request.speculate { Speculation::default() } else { Speculation::off() };
        let session = Session::new(loaded.model.sequence(request.context_len)?, loaded.model.chunk_limit());
        let folder = kept::folder(&request.cache_dir);
        let shelf = loaded.model.fingerprint().map(|model| Shelf::new(folder, model, kept::MOST_BYTES));
        loaded.facts.context_len = session.context_len();
        loaded.facts.load_s = begun.elapsed().as_secs_f64();
        loaded.facts.rss_bytes = memory::resident_bytes();
        let facts = loaded.facts.clone();
        self.open = Some(Open {
            request,
            loaded,
            session,
            speculation,
            memory,
            guides,
            shelf,
            conversation: None,
            unkept: None,
        });
        Ok(facts)
    }

    fn trial(&mut self, id: u64, limits: TrialLimits) -> Result<TrialReport, Error> {
        let Some(open) = &self.open else { return Err(Error::ModelMissing) };
        self.threads.set(&*open.loaded.model, self.choices.battery_saver);
        // A sequence of its own: the conversation's cache stays as it is.
        let sequence = open.loaded.model.sequence(trial::context_len())?;
        trial::measure(sequence, &*open.loaded.codec, limits, &|| {
            self.shared.progress.fetch_add(1, Ordering::Relaxed);
            self.shared.trial_ended.load(Ordering::Relaxed) >= id
        })
    }

    /// The event that ends answer `id`; an error only if the pipe is gone.
    fn generate(&mut self, id: u64, request: &GenerateRequest) -> Result<TokenEvent, Error> {
        if self.open.as_ref().is_some_and(|open| open.conversation != request.conversation) {
            // Its place in the cache is about to be taken.
            self.keep();
        }
        let Some(open) = &mut self.open else { return Ok(TokenEvent::Failed(Error::ModelMissing.into())) };
        self.threads.set(&*open.loaded.model, self.choices.battery_saver);
        let kept = match (&request.conversation, &open.shelf) {
            (Some(conversation), Some(shelf))
                if self.choices.keep_ready && open.conversation != request.conversation =>
            {
                shelf.find(conversation, &mut open.memory)
            }
            _ => None,
        };
        open.conversation.clone_from(&request.conversation);
        open.unkept = None;
        // The cap fitted the context that was asked for; the model may have been made for a shorter one.
        let mut request = request.clone();
        request.max_tokens = request.max_tokens.min(open.session.context_len().saturating_sub(1));
        let shared = &self.shared;
        let broken = std::cell::Cell::new(None);
        let cancelled = || {
            shared.progress.fetch_add(1, Ordering::Relaxed);
            shared.cancelled.load(Ordering::Relaxed) >= id
        };
        let mut text = String::new();
        let mut emit = |event| {
            if let TokenEvent::Token { text: piece } = &event {
                text.push_str(piece);
            }
            if let Err(error) = shared.send(&Report::Event { id, event }) {
                broken.set(Some(error));
            }
        };
        let outcome = Writer {
            session: &mut open.session,
            codec: &*open.loaded.codec,
            speculation: &mut open.speculation,
            memory: &mut open.memory,
            guides: &mut open.guides,
            engine: &open.loaded.facts.engine,
            kept,
            processors: Chain::default(),
            cancelled: &cancelled,
            emit: &mut emit,
        }
        .write(&request);
        if outcome.is_ok() && self.choices.keep_ready && request.conversation.is_some() {
            open.unkept = Some(open.answers(&request, &text));
        }
        match (broken.take(), outcome) {
            (Some(error), _) => Err(error),
            (None, Ok(completion)) => Ok(TokenEvent::Finished(completion)),
            (None, Err(error)) => Ok(TokenEvent::Failed(error.into())),
        }
    }

    /// Keeps the conversation in the session, if that is still to be done.
    fn keep(&mut self) {
        let Some(open) = &mut self.open else { return };
        let (Some(answers), Some(shelf), Some(conversation)) =
            (open.unkept.take(), &mut open.shelf, &open.conversation)
        else {
            return;
        };
        shelf.keep(conversation, &open.session, answers);
    }

    fn choose(&mut self, choices: Choices) {
        self.choices = choices;
        if let Some(open) = self.open.as_mut().filter(|_| !choices.keep_ready) {
            open.unkept = None;
            kept::remove_all(&kept::folder(&open.request.cache_dir));
        }
    }

    fn forget(&mut self, conversation: &str) {
        let Some(open) = &mut self.open else { return };
        kept::remove(&kept::folder(&open.request.cache_dir), conversation);
        if open.conversation.as_deref() == Some(conversation) {
            (open.conversation, open.unkept) = (None, None);
            open.session.clear();
        }
    }
}

impl Open {
    /// The answers in the conversation that `request` continues with `text`, as the tokens that they were generated as.
    fn answers(&mut self, request: &GenerateRequest, text: &str) -> Vec<(String, Vec<u32>)> {
        let earlier = request.messages.iter().filter(|message| message.role == Role::Assistant);
        let all = earlier.map(|message| message.content.as_str()).chain([text]);
        all.filter_map(|text| Some((text.to_owned(), self.memory.recall(text)?))).collect()
    }
}
