//! How a result of a given form is asked for: with a schema, with JSON only, in words only. Servers differ in which of these
//! they know and which of them they get wrong, so one action of a person climbs down at most twice, and what worked is
//! remembered.

/// Calls that one action of a person may cost.
pub const MOST_CALLS: u8 = 3;

/// How a result is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Rung {
    /// `response_format` with the schema: the server holds the model to it.
    Schema,
    /// `response_format` for any JSON object, the schema in words.
    Object,
    /// The schema in words only.
    Words,
}

impl Rung {
    fn below(self) -> Option<Self> {
        match self {
            Self::Schema => Some(Self::Object),
            Self::Object => Some(Self::Words),
            Self::Words => None,
        }
    }
}

/// What was learnt about one model of one server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Memory {
    /// Where to begin.
    pub rung: Rung,
    /// Whether fields are sent that only some servers know: thinking off, usage in streams.
    pub extras: bool,
}

impl Default for Memory {
    fn default() -> Self {
        Self { rung: Rung::Schema, extras: true }
    }
}

/// How a call ended that gave no result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Miss {
    /// The server refused something that it was asked for besides the text.
    Unsupported,
    /// There is an answer, of another form.
    Misfit,
    /// There is no text in the answer.
    Empty,
    /// The model repeated itself.
    Looped,
}

/// What the next call is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// How the result is asked for.
    pub rung: Rung,
    /// Whether fields are sent that only some servers know.
    pub extras: bool,
    /// Whether the last answer is to be corrected, instead of asking anew.
    pub correction: bool,
}

/// One action of a person: at most [`MOST_CALLS`] calls.
#[derive(Debug)]
pub struct Climb {
    step: Step,
    calls: u8,
    corrected: bool,
    learnt: Memory,
}

impl Climb {
    /// Begins where `memory` says.
    pub fn new(memory: Memory) -> Self {
        let step = Step { rung: memory.rung, extras: memory.extras, correction: false };
        Self { step, calls: 0, corrected: false, learnt: memory }
    }

    /// The call to make now.
    pub fn step(&self) -> Step {
        self.step
    }

    /// Takes a call without a result into account; the next one, or none if this was the last.
    pub fn missed(&mut self, miss: Miss) -> Option<Step> {
        self.calls += 1;
        if self.calls >= MOST_CALLS {
            return None;
        }
        let Step { rung, extras, .. } = self.step;
        self.step = match miss {
            // Which of both it did not know its words do not tell reliably, so both are left out at once. At the last rung
            // there is nothing left to leave out.
            Miss::Unsupported => match (rung.below(), extras) {
                (Some(below), _) => self.learns(Step { rung: below, extras: false, correction: false }),
                (None, true) => self.learns(Step { rung, extras: false, correction: false }),
                (None, false) => return None,
            },
            // A grammar can drive a model into a loop; without one it writes freely.
            Miss::Looped => self.learns(Step { rung: rung.below()?, extras, correction: false }),
            // Turning thinking off breaks the form on some servers, so it is not said again.
            Miss::Misfit if !self.corrected => {
                self.corrected = true;
                Step { rung, extras: false, correction: true }
            }
            Miss::Misfit | Miss::Empty => Step { rung: rung.below().unwrap_or(rung), extras: false, correction: false },
        };
        Some(self.step)
    }

    /// What to remember, after a result came.
    pub fn learnt(&self) -> Memory {
        self.learnt
    }

    fn learns(&mut self, step: Step) -> Step {
        self.learnt = Memory { rung: step.rung, extras: step.extras };
        step
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The steps of one action that misses as `misses` say.
    fn steps(memory: Memory, misses: &[Miss]) -> (Vec<Step>, Option<Step>, Memory) {
        let mut climb = Climb::new(memory);
        let mut steps = vec![climb.step()];
        let mut last = Some(climb.step());
        for miss in misses {
            last = climb.missed(*miss);
            steps.extend(last);
        }
        (steps, last, climb.learnt())
    }

    fn rungs(memory: Memory, misses: &[Miss]) -> Vec<Rung> {
        steps(memory, misses).0.iter().map(|step| step.rung).collect()
    }

    #[test]
    fn a_server_that_knows_no_schema_is_asked_in_words_and_that_is_remembered() {
        let (steps, _, learnt) = steps(Memory::default(), &[Miss::Unsupported, Miss::Unsupported]);
        assert_eq!(steps.iter().map(|step| step.rung).collect::<Vec<_>>(), [Rung::Schema, Rung::Object, Rung::Words]);
        assert_eq!(learnt, Memory { rung: Rung::Words, extras: false });
        assert_eq!(rungs(learnt, &[]), [Rung::Words]);
    }

    #[test]
    fn a_wrong_form_is_corrected_once_and_then_asked_for_otherwise() {
        let (steps, _, learnt) = steps(Memory::default(), &[Miss::Misfit, Miss::Misfit]);
        assert_eq!(steps[1], Step { rung: Rung::Schema, extras: false, correction: true });
        assert_eq!(steps[2], Step { rung: Rung::Object, extras: false, correction: false });
        assert_eq!(learnt, Memory::default(), "one bad answer says nothing about the server");
    }

    #[test]
    fn a_loop_under_a_grammar_leads_to_less_of_it() {
        let (steps, _, learnt) = steps(Memory::default(), &[Miss::Looped]);
        assert_eq!(steps[1].rung, Rung::Object);
        assert_eq!(learnt.rung, Rung::Object);
        let words = Memory { rung: Rung::Words, extras: true };
        assert_eq!(self::steps(words, &[Miss::Looped]).1, None, "a loop without a grammar is the model's own");
    }

    #[test]
    fn nothing_is_asked_more_than_three_times() {
        let misses = [Miss::Unsupported, Miss::Misfit, Miss::Empty, Miss::Looped];
        for rung in [Rung::Schema, Rung::Object, Rung::Words] {
            for extras in [true, false] {
                for first in misses {
                    for second in misses {
                        for third in misses {
                            let memory = Memory { rung, extras };
                            let mut climb = Climb::new(memory);
                            let calls = 1 + [first, second, third]
                                .iter()
                                .take_while(|miss| climb.missed(**miss).is_some())
                                .count();
                            assert!(calls <= usize::from(MOST_CALLS), "{memory:?} {first:?} {second:?} {third:?}");
                            assert!(rungs(memory, &[first, second]).is_sorted_by_key(|rung| *rung as u8), "never up");
                        }
                    }
                }
            }
        }
    }
}
