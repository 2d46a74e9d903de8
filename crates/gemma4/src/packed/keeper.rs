//! What is done beside, while the model answers already.

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{Builder, JoinHandle},
};

use memmap2::Mmap;

use super::{
    folder::{Unfinished, tidy},
    header::Header,
};

/// A thread that looks after the files; waited for when dropped.
pub(super) struct Keeper {
    thread: Option<JoinHandle<()>>,
    stop: Arc<AtomicBool>,
}

impl Keeper {
    /// Gives a new file its name, then tidies up. Writing through to a slow disk takes longer than packing.
    pub(super) fn for_new(unfinished: Unfinished, dirs: &[PathBuf], header: &Header) -> Self {
        Self::start(dirs, header, |_| unfinished.finish())
    }

    /// Reads a file ahead that an earlier start made, then tidies up.
    pub(super) fn for_kept(map: Arc<Mmap>, dirs: &[PathBuf], header: &Header) -> Self {
        Self::start(dirs, header, move |stop| read_ahead(&map, stop))
    }

    fn start(dirs: &[PathBuf], header: &Header, first: impl FnOnce(&AtomicBool) + Send + 'static) -> Self {
        let (dirs, header) = (dirs.to_vec(), header.clone());
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let work = move || {
            first(&stopped);
            dirs.iter().for_each(|dir| tidy(dir, &header));
        };
        match Builder::new().name("packed weights".to_owned()).spawn(work) {
            Ok(thread) => Self { thread: Some(thread), stop },
            Err(error) => {
                // The file is removed and packed again by the next start.
                tracing::warn!(%error, "no thread to look after packed weights");
                Self { thread: None, stop }
            }
        }
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread that looks after packed weights panicked");
        }
    }
}

/// Brings `map` into memory from its beginning, where the forward pass begins, so that it seldom waits for the disk or
/// for single pages to be mapped.
#[cfg(target_os = "linux")]
fn read_ahead(map: &Mmap, stop: &AtomicBool) {
    use memmap2::Advice;

    /// Mapped at once.
    const STEP: usize = 8 << 20;
    /// Asked of the disk before it is waited for.
    const AHEAD: usize = 64 << 20;

    let part = |at: usize, len: usize| (at, len.min(map.len().saturating_sub(at)));
    for at in (0..map.len()).step_by(STEP) {
        if stop.load(Ordering::Relaxed) {
            return;
        }
        let (next, len) = if at == 0 { part(0, AHEAD) } else { part(at + AHEAD - STEP, STEP) };
        let asked = if len == 0 { Ok(()) } else { map.advise_range(Advice::WillNeed, next, len) };
        let (at, len) = part(at, STEP);
        // Systems before Linux 5.14 do not map ahead; asking the disk is the larger part.
        if let Err(error) = asked.and_then(|()| map.advise_range(Advice::PopulateRead, at, len)) {
            tracing::debug!(%error, "packed weights are not read ahead");
            if map.advise(Advice::WillNeed).is_err() {
                tracing::debug!("nor asked for");
            }
            return;
        }
    }
}

/// Elsewhere the system reads ahead by itself.
#[cfg(not(target_os = "linux"))]
fn read_ahead(_: &Mmap, _: &AtomicBool) {}
