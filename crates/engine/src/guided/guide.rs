//! The thread that knows the grammar, and what the one that computes says to it.

use std::{
    collections::VecDeque,
    sync::{
        Arc,
        mpsc::{self, Receiver, RecvTimeoutError, Sender},
    },
    thread,
    time::Duration,
};

use generation::Structure;
use llguidance::TokenParser;

use super::{
    grammar::{Dialect, Forced, Mask, Place, Workshop},
    vocabulary,
};
use crate::{codec::Vocabulary, error::Error};

/// Grammars kept ready. A tool asks with the same schema each time, and there are half a dozen tools.
const MOST_GRAMMARS: usize = 8;
/// How often somebody who waits looks whether the answer was cancelled.
const LOOK: Duration = Duration::from_millis(10);

/// What answers of one model are held to their form with. Cheap until the first such answer is asked for.
///
/// The trie of the vocabulary and its classes are made then, on the guide's own thread, while the prompt is read. With
/// 262 144 tokens that takes 0.7 s and 90 MB (`docs/structured-output.md`): made after each load, whoever only chats would
/// pay for it, and where memory is short 90 MB count; made now, reading the prompt of a tool hides most of it.
pub struct Guides {
    vocabulary: Arc<dyn Vocabulary>,
    thread: Option<Sender<Job>>,
}

enum Job {
    /// A new answer, of this form.
    Begin { structure: Structure, to: Sender<Said> },
    /// The present answer goes on by this token.
    Take(u32),
}

/// About the present answer, in this order: `Usable`, then `Forced` and `Mask` in turn.
enum Said {
    Usable,
    Forced(Forced),
    Mask(Mask),
    /// The form cannot be used.
    Refused(String),
    /// Nothing more comes.
    Failed(String),
}

impl Guides {
    /// For a model with this vocabulary.
    pub fn new(vocabulary: Arc<dyn Vocabulary>) -> Self {
        Self { vocabulary, thread: None }
    }

    /// Begins an answer of the form `structure`, or `None` if it was cancelled meanwhile. Returns as soon as the form is
    /// known to be usable; what may come first is found out while the prompt is read.
    ///
    /// # Errors
    /// [`Error::Form`] if the schema cannot be used.
    pub fn begin(&mut self, structure: &Structure, cancelled: &dyn Fn() -> bool) -> Result<Option<Guide>, Error> {
        let (to, said) = mpsc::channel();
        let mut job = Job::Begin { structure: structure.clone(), to };
        // A thread that ended by a defect is replaced.
        if let Some(thread) = &self.thread {
            match thread.send(job) {
                Ok(()) => return self.usable(structure, said, cancelled),
                Err(mpsc::SendError(unsent)) => job = unsent,
            }
        }
        let (thread, jobs) = mpsc::channel();
        let vocabulary = Arc::clone(&self.vocabulary);
        thread::Builder::new()
            .name("guide".into())
            .stack_size(STACK_BYTES)
            .spawn(move || Bench::new(vocabulary).serve(&jobs))
            .map_err(Error::EngineThread)?;
        thread.send(job).map_err(|_| gone())?;
        self.thread = Some(thread);
        self.usable(structure, said, cancelled)
    }

    fn usable(
        &self,
        structure: &Structure,
        said: Receiver<Said>,
        cancelled: &dyn Fn() -> bool,
    ) -> Result<Option<Guide>, Error> {
        let Some(jobs) = self.thread.clone() else { return Err(gone()) };
        let guide = Guide { jobs, said };
        match guide.next(cancelled)? {
            None => Ok(None),
            Some(Said::Usable) => Ok(Some(guide)),
            Some(Said::Refused(reason)) => Err(Error::Form { name: structure.name.clone(), reason }),
            Some(_) => Err(out_of_turn()),
        }
    }
}

/// Stack of the guide's thread: schemas are walked recursively.
const STACK_BYTES: usize = 8 << 20;

/// Holds one answer to its form. Whoever computes says which token was drawn, learns at once what follows without a choice,
/// feeds all of that, and finds the mask for the row after it computed meanwhile.
pub struct Guide {
    jobs: Sender<Job>,
    said: Receiver<Said>,
}

impl Guide {
    /// The tokens with which every answer of this form begins; `None` after a cancellation.
    ///
    /// # Errors
    /// [`Error::Guide`].
    pub fn start(&self, cancelled: &dyn Fn() -> bool) -> Result<Option<Forced>, Error> {
        match self.next(cancelled)? {
            None => Ok(None),
            Some(Said::Forced(forced)) => Ok(Some(forced)),
            Some(_) => Err(out_of_turn()),
        }
    }

    /// Goes on by `token`, which the mask allowed: what follows it without a choice; `None` after a cancellation.
    ///
    /// # Errors
    /// [`Error::Guide`].
    pub fn take(&self, token: u32, cancelled: &dyn Fn() -> bool) -> Result<Option<Forced>, Error> {
        self.jobs.send(Job::Take(token)).map_err(|_| gone())?;
        self.start(cancelled)
    }

    /// What may be drawn after the tokens forced last, unless the answer is complete; `None` after a cancellation.
    ///
    /// # Errors
    /// [`Error::Guide`].
    pub fn mask(&self, cancelled: &dyn Fn() -> bool) -> Result<Option<Mask>, Error> {
        match self.next(cancelled)? {
            None => Ok(None),
            Some(Said::Mask(mask)) => Ok(Some(mask)),
            Some(_) => Err(out_of_turn()),
        }
    }

    fn next(&self, cancelled: &dyn Fn() -> bool) -> Result<Option<Said>, Error> {
        loop {
            match self.said.recv_timeout(LOOK) {
                Ok(Said::Failed(what)) => return Err(Error::Guide { what }),
                Ok(said) => return Ok(Some(said)),
                Err(RecvTimeoutError::Timeout) if cancelled() => return Ok(None),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Err(gone()),
            }
        }
    }
}

fn gone() -> Error {
    Error::Guide { what: "its thread has ended".into() }
}

fn out_of_turn() -> Error {
    Error::Guide { what: "it spoke out of turn".into() }
}

/// The guide's thread: the vocabulary's trie, the grammars of late, and the present answer.
struct Bench {
    vocabulary: Arc<dyn Vocabulary>,
    workshop: Option<Workshop>,
    /// By schema, latest last.
    grammars: VecDeque<(String, TokenParser)>,
    answer: Option<(Place, Sender<Said>)>,
}

impl Bench {
    fn new(vocabulary: Arc<dyn Vocabulary>) -> Self {
        Self { vocabulary, workshop: None, grammars: VecDeque::new(), answer: None }
    }

    fn serve(mut self, jobs: &Receiver<Job>) {
        while let Ok(job) = jobs.recv() {
            match job {
                Job::Begin { structure, to } => self.begin(&structure, to),
                Job::Take(token) => self.go_on(Some(token)),
            }
        }
    }

    fn begin(&mut self, structure: &Structure, to: Sender<Said>) {
        self.answer = None;
        // Whoever asked may be gone; then nobody hears it.
        let say = |said| _ = to.send(said);
        match self.grammar(structure, &say) {
            Ok(Some(grammar)) => {
                self.answer = Some((Place::start(grammar), to));
                self.go_on(None);
            }
            Ok(None) => {}
            Err(what) => say(Said::Failed(what)),
        }
    }

    /// A grammar of its own for this answer; `None` if the schema was refused, which was said.
    fn grammar(&mut self, structure: &Structure, say: &dyn Fn(Said)) -> Result<Option<TokenParser>, String> {
        let key = structure.schema.to_string();
        if let Some(at) = self.grammars.iter().position(|(known, _)| *known == key) {
            say(Said::Usable);
            let latest = self.grammars.remove(at);
            let own = latest.as_ref().map(|(_, grammar)| grammar.deep_clone());
            self.grammars.extend(latest);
            return Ok(own);
        }
        if self.workshop.is_none() {
            // The answer whether the schema will do must not wait for the trie.
            if let Err(reason) = Workshop::of_bytes(Dialect::Answer)?.grammar(&structure.schema) {
                say(Said::Refused(reason));
                return Ok(None);
            }
            say(Said::Usable);
            let environment = vocabulary::environment(Arc::clone(&self.vocabulary));
            self.workshop = Some(Workshop::new(&environment, Dialect::Answer)?);
            return self.make(key, structure).map(Some);
        }
        match self.make(key, structure) {
            Ok(grammar) => {
                say(Said::Usable);
                Ok(Some(grammar))
            }
            Err(reason) => {
                say(Said::Refused(reason));
                Ok(None)
            }
        }
    }

    fn make(&mut self, key: String, structure: &Structure) -> Result<TokenParser, String> {
        let workshop = self.workshop.as_ref().ok_or("there is no vocabulary")?;
        let grammar = workshop.grammar(&structure.schema)?;
        // Answers walk copies, because what a walk finds out is kept with the grammar and never given up.
        let own = grammar.deep_clone();
        self.grammars.push_back((key, grammar));
        if self.grammars.len() > MOST_GRAMMARS {
            self.grammars.pop_front();
        }
        Ok(own)
    }

    fn go_on(&mut self, token: Option<u32>) {
        let Some((place, to)) = &mut self.answer else { return };
        let said = place.advance(token).and_then(|forced| {
            let complete = forced.complete;
            // Nobody listens to a cancelled answer: its mask is not computed.
            if to.send(Said::Forced(forced)).is_err() || complete { Ok(None) } else { place.mask().map(Some) }
        });
        let said = match said {
            Ok(None) => return,
            Ok(Some(mask)) => Said::Mask(mask),
            Err(what) => Said::Failed(what),
        };
        let _ = to.send(said);
    }
}
