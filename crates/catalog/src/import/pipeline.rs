//! Moving parts from a source into an unfinished model: one thread reads and hashes the whole, one hashes and writes
//! parts, one makes the disk begin early with what is written. A stick, a processor and a disk then work at the same time.
//!
//! A part is recorded before the next one is written: a kill costs one part at most.

use std::io::Read;
use std::sync::mpsc::{Receiver, Sender, SyncSender, TrySendError, channel, sync_channel};
use std::thread;

use super::source::Source;
use crate::error::Error;
use crate::incoming::{BLOCK_BYTES, Control, Incoming, PartWriter, Step, Whole, fill};

/// Blocks between reading and writing; with those in hand, all the memory that copying takes.
const BLOCKS_AHEAD: usize = 4;
/// How much is written before the disk is made to begin with it.
const FLUSH_BYTES: u64 = 8 << 20;

/// A block of a part, and whether it is the part's last.
struct Block {
    part: usize,
    bytes: Vec<u8>,
    n_bytes: usize,
    last: bool,
}

/// Copies `parts`, ascending, of `source` into `incoming`. `whole` takes in what comes in its order.
///
/// # Errors
/// The first thing that went wrong, or the wish of `control`. Parts that were recorded before stay.
pub(super) fn copy(
    source: &Source,
    incoming: &Incoming,
    parts: &[usize],
    whole: &mut Whole,
    control: &Control,
) -> Result<(), Error> {
    thread::scope(|scope| {
        let (to_writer, blocks) = sync_channel::<Block>(BLOCKS_AHEAD);
        let (to_flusher, flushes) = sync_channel::<()>(1);
        let (give_back, free) = channel::<Vec<u8>>();
        let flusher = scope.spawn(move || flushes.iter().try_for_each(|()| incoming.flush()));
        let writer = scope.spawn(move || write(incoming, &blocks, &to_flusher, &give_back));
        let read = read(source, incoming, parts, whole, control, &to_writer, &free);
        drop(to_writer);
        let written = writer.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        let flushed = flusher.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        // Reading stops without an error of its own when a later stage failed.
        flushed.and(written).and(read)
    })
}

fn read(
    source: &Source,
    incoming: &Incoming,
    parts: &[usize],
    whole: &mut Whole,
    control: &Control,
    to_writer: &SyncSender<Block>,
    free: &Receiver<Vec<u8>>,
) -> Result<(), Error> {
    let before = incoming.progress(Step::Copying, 0).done_bytes;
    let mut copied = 0;
    for &part in parts {
        let in_order = part == whole.next_part();
        let range = incoming.plan().part_range(part);
        let mut left = range.end - range.start;
        let mut from = source.reader(range.start);
        while left > 0 {
            let mut now = incoming.progress(Step::Copying, 0);
            now.done_bytes = (before + copied).min(now.total_bytes);
            control.report(now)?;
            let mut bytes = free.try_recv().unwrap_or_else(|_| vec![0; BLOCK_BYTES]);
            let wanted = usize::try_from(left).unwrap_or(BLOCK_BYTES).min(BLOCK_BYTES);
            let n_bytes =
                fill(&mut from as &mut dyn Read, &mut bytes[..wanted]).map_err(|cause| source.unreadable(cause))?;
            if n_bytes < wanted {
                let (expected, found) = (source.plan.total_bytes, range.end - left + n_bytes as u64);
                return Err(Error::SourceChanged { path: source.called.clone(), expected, found });
            }
            if in_order {
                whole.update(&bytes[..n_bytes]);
            }
            left -= n_bytes as u64;
            copied += n_bytes as u64;
            if to_writer.send(Block { part, bytes, n_bytes, last: left == 0 }).is_err() {
                return Ok(());
            }
        }
        if in_order {
            whole.part_done();
        }
    }
    Ok(())
}

fn write(
    incoming: &Incoming,
    blocks: &Receiver<Block>,
    to_flusher: &SyncSender<()>,
    give_back: &Sender<Vec<u8>>,
) -> Result<(), Error> {
    let mut open: Option<PartWriter> = None;
    for block in blocks {
        let mut part = match open.take() {
            Some(part) => part,
            None => incoming.part(block.part)?,
        };
        part.write(&block.bytes[..block.n_bytes])?;
        // The reader may be done with everything; then nobody wants the block.
        let _ = give_back.send(block.bytes);
        if block.last {
            part.complete()?.record()?;
            continue;
        }
        // A flush that is still under way does for this block too, nearly.
        if part.written_bytes() % FLUSH_BYTES == 0
            && let Err(TrySendError::Disconnected(())) = to_flusher.try_send(())
        {
            break;
        }
        open = Some(part);
    }
    Ok(())
}
