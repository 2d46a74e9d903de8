//! What no schema can say: whether a task can be done at all, and whether a result makes sense in itself.

use super::answers::normal;
use super::{ChoiceItem, Content, Illustration, MindMap, Question, Shape, ShapeKind, ShortText, Task};
use crate::title_from;
use errors::{ErrorCode, Explain};

/// Why a task cannot be given to any engine.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotATask {
    /// The topic is too short or too long.
    #[error("the topic has {chars} characters, it needs {} to {}", Task::TOPIC_CHARS.start(), Task::TOPIC_CHARS.end())]
    Topic {
        /// Characters, spaces at the ends apart.
        chars: usize,
    },
    /// The text that a drawing is about has nothing in it.
    #[error("there is no text to draw")]
    NoText,
    /// So many items are not offered.
    #[error("{count} items are not offered, only {offered:?}")]
    Count {
        /// Items that were asked for.
        count: u8,
        /// What is offered.
        offered: &'static [u8],
    },
    /// There is no such school year.
    #[error("there is no school year {grade}")]
    Grade {
        /// The year.
        grade: u8,
    },
}

impl Explain for NotATask {
    fn code(&self) -> ErrorCode {
        ErrorCode::InvalidRequest
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Topic { .. } => Some("Name the topic in a few words.".to_owned()),
            _ => None,
        }
    }
}

impl Task {
    /// Characters that a topic may have, spaces at its ends apart.
    pub const TOPIC_CHARS: std::ops::RangeInclusive<usize> = 2..=200;
    /// Earlier exercises that are named to a model; of more the latest.
    pub const MAX_USED: usize = 12;

    /// Whether this can be asked for.
    ///
    /// # Errors
    /// If a topic is too short or too long, or a number is not offered.
    pub fn check(&self) -> Result<(), NotATask> {
        use super::About;
        match self {
            Self::Quiz { topic, count, .. } => topic_fits(topic).and_then(|()| offered(*count, &Self::QUIZ_COUNTS)),
            Self::Practice { topic, .. } => topic_fits(topic),
            Self::Flashcards { topic, count } => topic_fits(topic).and_then(|()| offered(*count, &Self::CARD_COUNTS)),
            Self::Sheet { topic, grade, count, .. } => {
                topic_fits(topic)?;
                offered(*count, &Self::SHEET_COUNTS)?;
                if Self::GRADES.contains(grade) { Ok(()) } else { Err(NotATask::Grade { grade: *grade }) }
            }
            Self::MindMap { about } | Self::Illustration { about } => match about {
                About::Topic(topic) => topic_fits(topic),
                About::Text(text) if text.trim().is_empty() => Err(NotATask::NoText),
                About::Text(_) => Ok(()),
            },
            Self::Reading { .. } => Ok(()),
        }
    }
}

fn topic_fits(topic: &str) -> Result<(), NotATask> {
    let chars = topic.trim().chars().count();
    if Task::TOPIC_CHARS.contains(&chars) { Ok(()) } else { Err(NotATask::Topic { chars }) }
}

fn offered(count: u8, offered: &'static [u8]) -> Result<(), NotATask> {
    if offered.contains(&count) { Ok(()) } else { Err(NotATask::Count { count, offered }) }
}

impl Content {
    /// A short title for lists: the result's own, at most 48 characters. Empty where a picture had nothing to read.
    pub fn title(&self) -> String {
        let text = match self {
            Self::Quiz(quiz) => &quiz.title.text,
            Self::Practice(practice) => &practice.title.text,
            Self::MindMap(map) => &map.label,
            Self::Illustration(drawing) => &drawing.title.text,
            Self::Flashcards(set) => &set.title.text,
            Self::Sheet(sheet) => &sheet.title.text,
            Self::Reading(reading) => reading.lines.first().map_or("", |line| &line.text),
        };
        title_from(text)
    }

    /// Mends what can be mended without guessing: spaces at the ends of texts, formulas without their backslashes, shapes
    /// that leave the paper, a label that comes twice among neighbours.
    ///
    /// A shape beyond the edge is cut there and not refused: the drawing still shows what it should, and a person who waited a
    /// minute for it is not helped by an error.
    pub(super) fn mended(mut self) -> Self {
        self.each_text(&mut |text| *text = super::repair::backslashes(text).trim().to_owned());
        match &mut self {
            Self::Illustration(drawing) => fit_to_paper(drawing),
            Self::MindMap(map) => drop_repeated(map),
            _ => {}
        }
        self
    }

    /// Whether it contradicts itself, after [`Content::mended`].
    pub(super) fn check(&self) -> Result<(), String> {
        let mut copy = self.clone();
        let mut empty = 0;
        let labels_may_be_empty = matches!(self, Self::Illustration(_));
        copy.each_text(&mut |text| empty += usize::from(text.is_empty()));
        if empty > 0 && !labels_may_be_empty {
            return Err(format!("{empty} of its texts are empty"));
        }
        match self {
            Self::Quiz(quiz) => {
                let choices =
                    quiz.questions.iter().map(|Question { options, answer, .. }| (options.as_slice(), *answer));
                choices.enumerate().try_for_each(one_answer)
            }
            Self::Sheet(sheet) => {
                let choices =
                    sheet.choice.iter().map(|ChoiceItem { options, answer, .. }| (options.as_slice(), *answer));
                choices.enumerate().try_for_each(one_answer)
            }
            Self::MindMap(map) if map.children.len() < 2 => Err("it has fewer than two main ideas".to_owned()),
            Self::Illustration(drawing) if drawing.title.text.is_empty() || drawing.description.text.is_empty() => {
                Err("its title or its description is empty".to_owned())
            }
            Self::Illustration(drawing) if drawing.shapes.is_empty() && drawing.curves.is_empty() => {
                Err("nothing is drawn".to_owned())
            }
            _ => Ok(()),
        }
    }

    /// Shows every text of it to `see`, which may change it.
    fn each_text(&mut self, see: &mut dyn FnMut(&mut String)) {
        match self {
            Self::Quiz(quiz) => {
                see(&mut quiz.title.text);
                for question in &mut quiz.questions {
                    see(&mut question.prompt.text);
                    question.options.iter_mut().for_each(|option| see(&mut option.text));
                    see(&mut question.hint.text);
                    see(&mut question.explanation.text);
                }
            }
            Self::Practice(practice) => {
                see(&mut practice.title.text);
                for exercise in &mut practice.exercises {
                    see(&mut exercise.prompt.text);
                    see(&mut exercise.hint.text);
                    exercise.steps.iter_mut().for_each(|step| see(&mut step.text));
                    see(&mut exercise.answer.text);
                }
            }
            Self::MindMap(map) => {
                see(&mut map.label);
                for branch in &mut map.children {
                    see(&mut branch.label);
                    for leaf in &mut branch.children {
                        see(&mut leaf.label);
                        leaf.children.iter_mut().for_each(|twig| see(&mut twig.label));
                    }
                }
            }
            Self::Illustration(drawing) => {
                see(&mut drawing.title.text);
                see(&mut drawing.description.text);
                drawing.shapes.iter_mut().for_each(|shape| see(&mut shape.label));
            }
            Self::Flashcards(set) => {
                see(&mut set.title.text);
                for card in &mut set.cards {
                    see(&mut card.front.text);
                    see(&mut card.back.text);
                }
            }
            Self::Sheet(sheet) => {
                see(&mut sheet.title.text);
                see(&mut sheet.instructions.text);
                for item in &mut sheet.choice {
                    see(&mut item.prompt.text);
                    item.options.iter_mut().for_each(|option| see(&mut option.text));
                    see(&mut item.explanation.text);
                }
                for item in &mut sheet.open {
                    see(&mut item.prompt.text);
                    see(&mut item.answer.text);
                }
            }
            Self::Reading(reading) => reading.lines.iter_mut().for_each(|line| see(&mut line.text)),
        }
    }
}

/// Of the answers of a question no two may be equal to a reader, and the right one is among them.
fn one_answer((place, (options, answer)): (usize, (&[ShortText], u8))) -> Result<(), String> {
    let seen: Vec<String> = options.iter().map(|option| normal(&option.text)).collect();
    if seen.iter().enumerate().any(|(at, option)| seen[..at].contains(option)) {
        return Err(format!("question {} has equal answers", place + 1));
    }
    if usize::from(answer) >= options.len() {
        return Err(format!("question {} has no answer {answer}", place + 1));
    }
    Ok(())
}

/// Takes out of each list of neighbours what has the label of one before it.
fn drop_repeated(map: &mut MindMap) {
    fn distinct<T>(list: &mut Vec<T>, label: impl Fn(&T) -> &str) {
        let mut seen: Vec<String> = Vec::new();
        list.retain(|one| {
            let words = normal(label(one));
            let new = !seen.contains(&words);
            seen.push(words);
            new
        });
    }
    distinct(&mut map.children, |branch| &branch.label);
    for branch in &mut map.children {
        distinct(&mut branch.children, |leaf| &leaf.label);
        for leaf in &mut branch.children {
            distinct(&mut leaf.children, |twig| &twig.label);
        }
    }
}

/// Cuts shapes at the edges of the paper, turns boxes of negative size round, and leaves out what cannot be seen.
fn fit_to_paper(drawing: &mut Illustration) {
    drawing.shapes.retain_mut(|shape| {
        match shape.kind {
            ShapeKind::Label => return !shape.label.is_empty(),
            ShapeKind::Line | ShapeKind::Arrow => {
                (shape.width, shape.height) =
                    (reach(shape.x, shape.width, PAPER.0), reach(shape.y, shape.height, PAPER.1));
            }
            ShapeKind::Rectangle | ShapeKind::Ellipse | ShapeKind::Triangle => {
                (shape.x, shape.width) = side(shape.x, shape.width, PAPER.0);
                (shape.y, shape.height) = side(shape.y, shape.height, PAPER.1);
            }
        }
        let seen = match shape.kind {
            ShapeKind::Line | ShapeKind::Arrow => shape.width != 0 || shape.height != 0,
            _ => shape.width != 0 && shape.height != 0,
        };
        if !seen {
            // The words of a shape without size are still worth reading.
            *shape = Shape { kind: ShapeKind::Label, width: 0, height: 0, ..shape.clone() };
        }
        seen || !shape.label.is_empty()
    });
}

/// Width and height of the paper.
const PAPER: (u8, u8) = (100, 75);

/// How far something that begins at `from` may go when it wants to go `by`, on a paper of size `edge`.
fn reach(from: u8, by: i8, edge: u8) -> i8 {
    let from = i16::from(from.min(edge));
    let to = (from + i16::from(by)).clamp(0, i16::from(edge));
    i8::try_from(to - from).unwrap_or(0)
}

/// Beginning and size of the side of a box from `from`, `by` long, backwards below zero, cut at the paper's `edge`.
fn side(from: u8, by: i8, edge: u8) -> (u8, i8) {
    let by = reach(from, by, edge);
    let from = from.min(edge);
    if by < 0 { (from.saturating_sub(by.unsigned_abs()), by.saturating_neg()) } else { (from, by) }
}
