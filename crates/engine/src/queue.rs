//! Admission: a bounded first-in-first-out queue, as a pure policy.
//!
//! It knows nothing of models, processes or channels; the supervisor and the handle share one behind a mutex.

use std::collections::VecDeque;

use crate::error::Error;

/// Names a request inside this process; never reused.
pub type RequestNumber = u64;

/// Requests waiting, the oldest first.
#[derive(Debug)]
pub struct Queue<T> {
    limit: usize,
    waiting: VecDeque<Entry<T>>,
}

#[derive(Debug)]
struct Entry<T> {
    number: RequestNumber,
    /// The position last reported by [`Queue::moved`] or [`Queue::push`].
    reported: usize,
    item: T,
}

impl<T> Queue<T> {
    /// An empty queue in which at most `limit` requests may wait.
    pub fn new(limit: usize) -> Self {
        Self { limit, waiting: VecDeque::new() }
    }

    /// Admits `item` and returns its position: how many wait before it.
    ///
    /// # Errors
    /// [`Error::QueueFull`] at once when `limit` requests wait already.
    pub fn push(&mut self, number: RequestNumber, item: T) -> Result<usize, Error> {
        let position = self.waiting.len();
        if position >= self.limit {
            return Err(Error::QueueFull { limit: self.limit });
        }
        self.waiting.push_back(Entry { number, reported: position, item });
        Ok(position)
    }

    /// Takes the oldest request.
    pub fn pop(&mut self) -> Option<(RequestNumber, T)> {
        self.waiting.pop_front().map(|entry| (entry.number, entry.item))
    }

    /// Takes request `number` out, wherever it waits.
    pub fn remove(&mut self, number: RequestNumber) -> Option<T> {
        let index = self.waiting.iter().position(|entry| entry.number == number)?;
        self.waiting.remove(index).map(|entry| entry.item)
    }

    /// Takes everything out, the oldest first.
    pub fn drain(&mut self) -> Vec<(RequestNumber, T)> {
        self.waiting.drain(..).map(|entry| (entry.number, entry.item)).collect()
    }

    /// Calls `report` with each request whose position changed since it was last reported.
    pub fn moved(&mut self, mut report: impl FnMut(&T, usize)) {
        for (position, entry) in self.waiting.iter_mut().enumerate() {
            if entry.reported != position {
                entry.reported = position;
                report(&entry.item, position);
            }
        }
    }

    /// How many wait.
    pub fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Whether nobody waits.
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use rand::{Rng, SeedableRng, rngs::StdRng};

    use super::*;

    fn moved(queue: &mut Queue<&'static str>) -> Vec<(&'static str, usize)> {
        let mut all = Vec::new();
        queue.moved(|item, position| all.push((*item, position)));
        all
    }

    #[test]
    fn first_in_first_out_with_positions() {
        let mut queue = Queue::new(3);
        assert_eq!(queue.push(1, "a").ok(), Some(0));
        assert_eq!(queue.push(2, "b").ok(), Some(1));
        assert_eq!(queue.push(3, "c").ok(), Some(2));
        assert_eq!(moved(&mut queue), [], "admission reported the positions already");
        assert_eq!(queue.pop(), Some((1, "a")));
        assert_eq!(moved(&mut queue), [("b", 0), ("c", 1)]);
        assert_eq!(moved(&mut queue), [], "each change is reported once");
        assert_eq!(queue.pop(), Some((2, "b")));
        assert_eq!(queue.pop(), Some((3, "c")));
        assert_eq!(queue.pop(), None);
    }

    #[test]
    fn a_full_queue_refuses_at_once_and_states_the_limit() {
        let mut queue = Queue::new(1);
        assert!(queue.push(1, "a").is_ok());
        let refusal = queue.push(2, "b").expect_err("full");
        assert_eq!(refusal.to_string(), "1 questions are waiting already; no more are taken");
        assert_eq!(queue.remove(1), Some("a"));
        assert!(queue.push(3, "c").is_ok(), "room again");
        assert!(Queue::new(0).push(1, "a").is_err());
    }

    #[test]
    fn removal_moves_those_behind_up() {
        let mut queue = Queue::new(9);
        for (number, item) in [(1, "a"), (2, "b"), (3, "c")] {
            assert!(queue.push(number, item).is_ok());
        }
        assert_eq!(queue.remove(2), Some("b"));
        assert_eq!(queue.remove(2), None);
        assert_eq!(moved(&mut queue), [("c", 1)]);
        assert_eq!(queue.drain(), [(1, "a"), (3, "c")]);
        assert!(queue.is_empty());
    }

    /// Random operations against the obvious model: a plain list.
    #[test]
    fn random_use_keeps_order_and_bound() {
        let mut rng = StdRng::seed_from_u64(3);
        let mut queue = Queue::new(8);
        let mut model: VecDeque<u64> = VecDeque::new();
        for number in 0..20_000u64 {
            match rng.random_range(0..4) {
                0 | 1 => match queue.push(number, number) {
                    Ok(position) => {
                        assert_eq!(position, model.len());
                        model.push_back(number);
                    }
                    Err(_) => assert_eq!(model.len(), 8),
                },
                2 => assert_eq!(queue.pop().map(|(number, _)| number), model.pop_front()),
                _ => {
                    let victim = number.saturating_sub(rng.random_range(0..20));
                    let expected = model.iter().position(|&other| other == victim).and_then(|at| model.remove(at));
                    assert_eq!(queue.remove(victim), expected);
                }
            }
            assert_eq!(queue.len(), model.len());
        }
    }
}
