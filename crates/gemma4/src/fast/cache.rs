//! Keys and values of one sequence, in f16.
//!
//! * **Sliding layers** are rings: position `p` lies in slot `p mod capacity`. The ring has room for the window before a
//!   chunk, a whole chunk, and a draft that is taken back: whatever a pass has overwritten, what the positions before it
//!   can see is still there. So a pass that fails leaves no trace, and neither does a draft.
//! * **Global layers** keep every position in a buffer that doubles, up to the context length.
//! * **Layers that share** another layer's keys and values store nothing: they read the donor's.
//!
//! What a pass stores lies behind the length until [`Cache::advance`].

use std::{
    io::{self, Read, Write},
    ops::Range,
};

use kernels::KvLayer;

use super::CHUNK_LIMIT;
use crate::{
    config::Config,
    error::Error,
    history::{History, Moment},
    model::MAX_DRAFT,
};

/// Positions that a global layer has room for at first.
const FIRST_GLOBAL: usize = 1024;

/// Most positions that a layer with this `window` ever has room for.
pub(crate) fn most_capacity(window: Option<usize>, context_len: usize) -> usize {
    window.map_or(context_len, |window| (window - 1 + CHUNK_LIMIT + MAX_DRAFT).min(context_len))
}

/// Bytes of all layers' keys and values at most.
pub(crate) fn most_bytes(config: &Config, context_len: usize) -> u64 {
    let bytes = |l: usize| {
        let window = config.is_sliding(l).then_some(config.sliding_window);
        KvLayer::size_bytes(config.n_kv_heads[l], config.head_dim(l), most_capacity(window, context_len)) as u64
    };
    (0..config.n_layers).filter(|&l| config.owns_kv(l)).map(bytes).sum()
}

/// The cache of one sequence.
pub(super) struct Cache {
    /// The layers with keys and values of their own, which are the first ones.
    owners: Vec<Owner>,
    len: usize,
    /// The shortest length that [`Cache::truncate`] may go back to.
    least: usize,
    context_len: usize,
    history: History,
}

/// One layer's keys and values.
struct Owner {
    kv: KvLayer,
    /// The sliding window; `None` for a global layer.
    window: Option<usize>,
}

/// The sliding layers' state at one length, for [`Cache::rewind`].
pub(super) struct Snapshot {
    moment: Moment,
    /// What the next token sees of the sliding layers, layer after layer.
    windows: Vec<u8>,
}

impl Snapshot {
    /// Positions in the cache when it was taken.
    pub(super) fn len(&self) -> usize {
        self.moment.len
    }

    /// Bytes that it takes.
    pub(super) fn size_bytes(&self) -> usize {
        self.windows.len()
    }
}

impl Owner {
    /// The positions whose keys and values can still be seen from `len` on.
    fn visible(&self, len: usize) -> Range<usize> {
        self.window.map_or(0, |window| len.saturating_sub(window - 1))..len
    }

    /// Makes sure that a global layer has room for `len` of at most `most` positions.
    fn make_room(&mut self, len: usize, most: usize) {
        if self.window.is_none() && self.kv.capacity() < len {
            self.kv.grow(len.max(2 * self.kv.capacity()).min(most));
        }
    }
}

impl Cache {
    /// An empty cache for at most `context_len` positions.
    pub(super) fn new(config: &Config, context_len: usize) -> Self {
        let owners = (0..=config.last_kv_owner())
            .map(|l| {
                let window = config.is_sliding(l).then_some(config.sliding_window);
                let most = most_capacity(window, context_len);
                let capacity = if window.is_some() { most } else { most.min(FIRST_GLOBAL) };
                Owner { kv: KvLayer::new(config.n_kv_heads[l], config.head_dim(l), capacity), window }
            })
            .collect();
        Self { owners, len: 0, least: 0, context_len, history: History::new() }
    }

    /// Positions in the cache.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Most positions the cache may hold.
    pub(super) fn context_len(&self) -> usize {
        self.context_len
    }

    /// Bytes that the buffers take.
    pub(super) fn size_bytes(&self) -> usize {
        let bytes = |kv: &KvLayer| KvLayer::size_bytes(kv.kv_heads(), kv.head_dim(), kv.capacity());
        self.owners.iter().map(|owner| bytes(&owner.kv)).sum()
    }

    /// Keys and values of layer `l`, which has its own.
    pub(super) fn layer(&self, l: usize) -> &KvLayer {
        &self.owners[l].kv
    }

    /// The same, to be written to.
    pub(super) fn layer_mut(&mut self, l: usize) -> &mut KvLayer {
        &mut self.owners[l].kv
    }

    /// Makes sure that the global layers have room for `len` positions.
    pub(super) fn make_room(&mut self, len: usize) {
        self.owners.iter_mut().for_each(|owner| owner.make_room(len, self.context_len));
    }

    /// Counts the `n` positions that every owner has stored.
    pub(super) fn advance(&mut self, n: usize) {
        self.len += n;
    }

    /// A call that began at length `start` has succeeded: of what it fed a draft may be taken back.
    pub(super) fn commit(&mut self, start: usize) {
        self.least = start.max(self.len.saturating_sub(MAX_DRAFT));
    }

    /// Goes back to `len` within what was committed last, at most [`MAX_DRAFT`] positions of it.
    ///
    /// # Errors
    /// [`Error::Truncate`].
    pub(super) fn truncate(&mut self, len: usize) -> Result<(), Error> {
        if len == self.len {
            return Ok(());
        }
        if len < self.least || len > self.len {
            return Err(Error::Truncate { asked: len, least: self.least, len: self.len });
        }
        self.len = len;
        self.history.went_back_to(len);
        Ok(())
    }

    /// A copy of the sliding layers' state.
    ///
    /// # Errors
    /// None: memory takes what is written.
    pub(super) fn snapshot(&self) -> Result<Snapshot, Error> {
        let n_bytes = self.sliding().map(|owner| owner.kv.range_bytes(owner.visible(self.len).len())).sum();
        let mut windows = Vec::with_capacity(n_bytes);
        for owner in self.sliding() {
            owner.kv.write_range(owner.visible(self.len), &mut windows).map_err(Error::KvStateIo)?;
        }
        Ok(Snapshot { moment: self.history.moment(self.len), windows })
    }

    /// Returns to the state that `snapshot` was taken in.
    ///
    /// # Errors
    /// If the snapshot is another cache's, lies ahead, or what stood there has been overwritten; or if it holds values that
    /// are no finite numbers, which leaves the cache empty.
    pub(super) fn rewind(&mut self, snapshot: &Snapshot) -> Result<(), Error> {
        let len = snapshot.moment.len;
        self.history.check(&snapshot.moment, self.len).map_err(|reason| Error::Checkpoint { len, reason })?;
        self.put_back(snapshot)?;
        self.history.went_back_to(len);
        Ok(())
    }

    /// Undoes what was stored and counted since `snapshot` was taken within one call: it is as if it never was.
    ///
    /// # Errors
    /// As [`Self::rewind`], for values.
    pub(super) fn undo(&mut self, snapshot: &Snapshot) -> Result<(), Error> {
        self.put_back(snapshot)
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        (self.len, self.least) = (0, 0);
        self.history.went_back_to(0);
    }

    /// Writes the positions of every layer that can still be seen.
    ///
    /// # Errors
    /// What writing gives.
    pub(super) fn write_all(&self, out: &mut dyn Write) -> io::Result<()> {
        self.owners.iter().try_for_each(|owner| owner.kv.write_range(owner.visible(self.len), out))
    }

    /// Stores what [`Self::write_all`] of a cache of length `len` has written. It counts after [`Self::restored`].
    ///
    /// # Errors
    /// What reading gives; [`io::ErrorKind::InvalidData`] for values that no pass would have stored.
    pub(super) fn read_all(&mut self, len: usize, input: &mut dyn Read) -> io::Result<()> {
        for owner in &mut self.owners {
            let positions = owner.visible(len);
            // Memory is taken as data arrives: a length alone is no reason.
            for first in positions.clone().step_by(FIRST_GLOBAL) {
                let piece = first..positions.end.min(first + FIRST_GLOBAL);
                owner.make_room(piece.end, self.context_len);
                owner.kv.read_range(piece, input)?;
            }
        }
        Ok(())
    }

    /// All `len` positions have been read.
    pub(super) fn restored(&mut self, len: usize) {
        (self.len, self.least) = (len, len);
    }

    fn sliding(&self) -> impl Iterator<Item = &Owner> {
        self.owners.iter().filter(|owner| owner.window.is_some())
    }

    fn put_back(&mut self, snapshot: &Snapshot) -> Result<(), Error> {
        let len = snapshot.moment.len;
        let mut windows = &snapshot.windows[..];
        let sliding = self.owners.iter_mut().filter(|owner| owner.window.is_some());
        let mut layers = sliding.map(|owner| owner.kv.read_range(owner.visible(len), &mut windows));
        if let Err(error) = layers.try_for_each(|read| read) {
            self.clear();
            return Err(Error::KvStateIo(error));
        }
        (self.len, self.least) = (len, len);
        Ok(())
    }
}
