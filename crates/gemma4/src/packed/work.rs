//! Packing by several threads, piece by piece: read, packed and stored while it is in the processor's cache.
//!
//! Pieces are read from the file, not through its map: what is read once need not become resident, and a file on a slow
//! disk is read in long stretches.

use std::{
    io,
    num::NonZero,
    ops::Range,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use kernels::{format::STRIP_ROWS, pack::pack};

use super::plan::{Entry, Packing};
use crate::error::Error;

/// About as many bytes are packed at once; two such buffers fit into a core's second cache.
const PIECE_BYTES: usize = 512 << 10;

/// Why packing stopped.
#[derive(Debug)]
pub(super) enum Stopped {
    /// The model file could not be read.
    Reading(io::Error),
    /// What was packed could not be stored.
    Storing(io::Error),
}

/// Some strips of a matrix.
struct Piece {
    entry: usize,
    strips: Range<usize>,
}

impl Piece {
    /// Where it lies, counted from the first matrix.
    fn place(&self, entry: &Entry) -> Range<usize> {
        let strip = entry.format.strip_bytes(entry.width);
        let at = entry.at as usize;
        at + self.strips.start * strip..at + self.strips.end * strip
    }
}

/// Packs all matrices into `out`, whose first byte is that of the first matrix.
///
/// # Errors
/// If the model file cannot be read.
pub(super) fn into_memory(plan: &Packing<'_>, threads: NonZero<usize>, out: &mut [u8]) -> Result<(), Error> {
    let pieces = pieces(plan);
    // Pieces lie in `out` in their order, each in a part that no other touches.
    let (mut parts, mut rest, mut end) = (Vec::with_capacity(pieces.len()), out, 0);
    for piece in &pieces {
        let place = piece.place(&plan.entries[piece.entry]);
        let (part, after) = rest.split_at_mut(place.start - end).1.split_at_mut(place.len());
        parts.push(Mutex::new(part));
        (rest, end) = (after, place.end);
    }
    run(plan, threads, &pieces, &|index, bytes| {
        parts[index].lock().unwrap_or_else(PoisonError::into_inner).copy_from_slice(bytes);
        Ok(())
    })
    .map_err(|(Stopped::Reading(source) | Stopped::Storing(source))| unread(plan, source))
}

/// Packs all matrices and hands the parts to `store`, with their place counted from the first matrix.
///
/// # Errors
/// If the model file cannot be read, or `store` fails.
pub(super) fn into_store(
    plan: &Packing<'_>,
    threads: NonZero<usize>,
    store: &(dyn Fn(u64, &[u8]) -> io::Result<()> + Sync),
) -> Result<(), Stopped> {
    let pieces = pieces(plan);
    run(plan, threads, &pieces, &|index, bytes| {
        let piece = &pieces[index];
        store(piece.place(&plan.entries[piece.entry]).start as u64, bytes)
    })
}

/// That the model file could not be read.
pub(super) fn unread(plan: &Packing<'_>, source: io::Error) -> Error {
    Error::ReadWeights { path: plan.file.path().to_owned(), source }
}

/// The matrices in pieces, in the order of the packed file.
fn pieces(plan: &Packing<'_>) -> Vec<Piece> {
    let mut pieces = Vec::new();
    for (index, entry) in plan.entries.iter().enumerate() {
        let strip_bytes = entry.format.strip_bytes(entry.width);
        let n_strips = entry.packed_bytes() / strip_bytes;
        let step = (PIECE_BYTES / strip_bytes).max(1);
        let starts = (0..n_strips).step_by(step);
        pieces.extend(starts.map(|start| Piece { entry: index, strips: start..(start + step).min(n_strips) }));
    }
    pieces
}

fn run(
    plan: &Packing<'_>,
    threads: NonZero<usize>,
    pieces: &[Piece],
    store: &(dyn Fn(usize, &[u8]) -> io::Result<()> + Sync),
) -> Result<(), Stopped> {
    // In the order of the model file, so that a disk reads on and on.
    let mut order: Vec<usize> = (0..pieces.len()).collect();
    order.sort_by_key(|&index| plan.entries[pieces[index].entry].source_offset);
    let next = AtomicUsize::new(0);
    let stopped = Mutex::new(None);
    let work = || {
        let (mut source, mut packed) = (Vec::new(), Vec::new());
        while let Some(&index) = order.get(next.fetch_add(1, Ordering::Relaxed)) {
            let done = one(plan, &pieces[index], &mut source, &mut packed)
                .map_err(Stopped::Reading)
                .and_then(|()| store(index, &packed).map_err(Stopped::Storing));
            if let Err(error) = done {
                next.store(order.len(), Ordering::Relaxed);
                stopped.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
            }
        }
    };
    thread::scope(|scope| {
        for _ in 1..threads.get().min(pieces.len()) {
            // This thread packs too, so it does not matter if the system has none to spare.
            let _ = thread::Builder::new().name("pack".to_owned()).spawn_scoped(scope, work);
        }
        work();
    });
    stopped.into_inner().unwrap_or_else(PoisonError::into_inner).map_or(Ok(()), Err)
}

/// Packs one piece into `packed`.
fn one(plan: &Packing<'_>, piece: &Piece, source: &mut Vec<u8>, packed: &mut Vec<u8>) -> io::Result<()> {
    let entry = &plan.entries[piece.entry];
    let rows = piece.strips.start * STRIP_ROWS..(piece.strips.end * STRIP_ROWS).min(entry.n_rows);
    let row_bytes = entry.row_bytes();
    source.resize(rows.len() * row_bytes, 0);
    packed.resize(piece.strips.len() * entry.format.strip_bytes(entry.width), 0);
    plan.file.read_at(source, entry.source_offset + (rows.start * row_bytes) as u64)?;
    pack(entry.format, source, rows.len(), entry.width, 0..piece.strips.len(), packed);
    Ok(())
}
