//! How fast this computer's processor can read its memory: the wall that writing an answer runs into.
//!
//! Every token reads all weights once. Tokens a second times bytes a token therefore never exceed what is measured here.

use std::{
    sync::{
        Barrier,
        atomic::{AtomicUsize, Ordering},
    },
    time::Instant,
};

use serde::Serialize;

use super::Spread;
use crate::error::Error;

/// Far more than any processor's last-level cache.
const BUFFER_BYTES: usize = 1 << 30;
/// What is read in one timed piece. Pieces follow each other around the buffer, so none is still in a cache.
const PIECE_BYTES: usize = 128 << 20;
/// What a thread takes at a time.
const BLOCK_BYTES: usize = 256 << 10;
/// Timed pieces: five times around the buffer.
const PIECES: usize = 5 * BUFFER_BYTES / PIECE_BYTES;

type Word = u64;

/// Bytes a second read from memory.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Bandwidth {
    /// Over pieces of 128 MiB.
    pub bytes_per_s: Spread,
    /// Threads that read together.
    pub threads: usize,
}

/// Reads a buffer of one gibibyte several times with `threads` threads.
///
/// # Errors
/// If `threads` is zero, or the memory is not to be had.
pub fn read_bandwidth(threads: usize) -> Result<Bandwidth, Error> {
    measure(threads, BUFFER_BYTES, PIECE_BYTES, PIECES)
}

fn measure(threads: usize, buffer_bytes: usize, piece_bytes: usize, pieces: usize) -> Result<Bandwidth, Error> {
    if threads == 0 {
        return Err(Error::Zero { name: "threads" });
    }
    let words = buffer_bytes / size_of::<Word>();
    let mut buffer: Vec<Word> = Vec::new();
    buffer.try_reserve_exact(words).map_err(|_| Error::WorkerOutOfMemory)?;
    // Not zeros: pages of zeros may all be one and the same.
    buffer.extend(0..words as Word);

    let per_piece = (piece_bytes / size_of::<Word>()).clamp(1, words.max(1));
    let next = AtomicUsize::new(0);
    // This thread reads too, and takes the time between two meetings.
    let meeting = Barrier::new(threads);
    let read_piece = |index: usize| {
        let begin = index * per_piece % (words / per_piece * per_piece);
        let piece = &buffer[begin..begin + per_piece];
        let blocks = per_piece.div_ceil(BLOCK_BYTES / size_of::<Word>());
        let mut sum: Word = 0;
        loop {
            // Counted on and on, so that nobody has to set it back between pieces.
            let block = next.fetch_add(1, Ordering::Relaxed);
            let Some(block) = block.checked_sub(index * (blocks + threads)).filter(|&block| block < blocks) else {
                return std::hint::black_box(sum);
            };
            sum = sum.wrapping_add(sum_of(piece.chunks(BLOCK_BYTES / size_of::<Word>()).nth(block).unwrap_or(&[])));
        }
    };
    let mut rates = Vec::with_capacity(pieces);
    std::thread::scope(|scope| {
        for _ in 1..threads {
            scope.spawn(|| {
                for index in 0..pieces {
                    meeting.wait();
                    read_piece(index);
                    meeting.wait();
                }
            });
        }
        for index in 0..pieces {
            meeting.wait();
            let begun = Instant::now();
            read_piece(index);
            meeting.wait();
            rates.push((per_piece * size_of::<Word>()) as f64 / begun.elapsed().as_secs_f64());
        }
    });
    let bytes_per_s = Spread::of(rates).ok_or(Error::Zero { name: "pieces" })?;
    Ok(Bandwidth { bytes_per_s, threads })
}

/// The sum of `words`, in several lanes so that no addition waits for the one before.
fn sum_of(words: &[Word]) -> Word {
    let mut lanes = [0 as Word; 32];
    let (whole, rest) = words.as_chunks::<32>();
    for chunk in whole {
        for (lane, word) in lanes.iter_mut().zip(chunk) {
            *lane = lane.wrapping_add(*word);
        }
    }
    lanes.iter().chain(rest).fold(0, |sum, word| sum.wrapping_add(*word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_words_are_read() {
        let words: Vec<Word> = (0..1000).collect();
        for length in [0, 1, 31, 32, 33, 64, 1000] {
            assert_eq!(sum_of(&words[..length]), (0..length as Word).sum::<Word>(), "{length}");
        }
    }

    #[test]
    fn every_number_of_threads_reads_every_piece() {
        for threads in 1..=4 {
            let found = measure(threads, 8 << 20, 3 << 20, 9).expect("memory for it");
            let Bandwidth { bytes_per_s: Spread { median, min, max }, .. } = found;
            assert!(found.threads == threads && 0.0 < min && min <= median && median <= max, "{found:?}");
        }
        assert!(matches!(read_bandwidth(0), Err(Error::Zero { .. })));
    }
}
