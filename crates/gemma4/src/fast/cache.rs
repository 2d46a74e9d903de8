//! Keys and values of one sequence, in f16.
//!
//! * **Sliding layers** are rings: position `p` lies in slot `p mod capacity`. The ring has room for the window before a
//!   chunk, a whole chunk, and a draft that is taken back: whatever a pass has overwritten, what the positions before it
//!   can see is still there. So a pass that fails leaves no trace, and neither does a draft.
//! * **Global layers** keep every position in a buffer that doubles, up to the context length.
//! * **Layers that share** another layer's keys and values store nothing: they read the donor's.
//!
//! What a pass stores lies behind the length until [`Cache::advance`].

use std::ops::Range;

use half::f16;
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
    /// What the next token sees of the sliding layers, layer after layer as [`Cache::read`] gives it.
    windows: Vec<f16>,
}

impl Owner {
    /// The positions whose keys and values can still be seen from `len` on.
    fn visible(&self, len: usize) -> Range<usize> {
        self.window.map_or(0, |window| len.saturating_sub(window - 1))..len
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
        for owner in self.owners.iter_mut().filter(|owner| owner.window.is_none()) {
            if owner.kv.capacity() < len {
                owner.kv.grow(len.max(2 * owner.kv.capacity()).min(self.context_len));
            }
        }
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

    /// A copy of the sliding layers' state, and the bytes it takes.
    pub(super) fn snapshot(&self) -> (Snapshot, usize) {
        let sliding = (0..self.n_owners()).filter(|&l| self.is_sliding(l));
        let parts = sliding.map(|l| (l, self.visible(l, self.len)));
        let n = parts.clone().map(|(l, positions)| self.values_of(l, positions.len())).sum();
        let mut windows = vec![f16::ZERO; n];
        let mut rest = &mut windows[..];
        for (l, positions) in parts {
            let (this, behind) = rest.split_at_mut(self.values_of(l, positions.len()));
            self.read(l, positions, this);
            rest = behind;
        }
        let bytes = size_of_val(&windows[..]);
        (Snapshot { moment: self.history.moment(self.len), windows }, bytes)
    }

    /// Returns to the state that `snapshot` was taken in.
    ///
    /// # Errors
    /// If the snapshot is another cache's, lies ahead, or what stood there has been overwritten.
    pub(super) fn rewind(&mut self, snapshot: &Snapshot) -> Result<(), Error> {
        let len = snapshot.moment.len;
        self.history.check(&snapshot.moment, self.len).map_err(|reason| Error::Checkpoint { len, reason })?;
        self.put_back(snapshot);
        self.history.went_back_to(len);
        Ok(())
    }

    /// Undoes what was stored and counted since `snapshot` was taken within one call: it is as if it never was.
    pub(super) fn undo(&mut self, snapshot: &Snapshot) {
        self.put_back(snapshot);
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        (self.len, self.least) = (0, 0);
        self.history.went_back_to(0);
    }

    /// How many values [`Self::read`] gives for layer `l` and these positions.
    pub(super) fn values_of(&self, l: usize, n: usize) -> usize {
        let kv = &self.owners[l].kv;
        2 * kv.kv_heads() * kv.head_dim() * n
    }

    /// The positions of layer `l` whose keys and values can still be seen from `len` on.
    pub(super) fn visible(&self, l: usize, len: usize) -> Range<usize> {
        self.owners[l].visible(len)
    }

    /// Layers with keys and values of their own.
    pub(super) fn n_owners(&self) -> usize {
        self.owners.len()
    }

    fn is_sliding(&self, l: usize) -> bool {
        self.owners[l].window.is_some()
    }

    /// Keys and values of some positions of layer `l`, head after head of position after position.
    pub(super) fn read(&self, l: usize, positions: Range<usize>, out: &mut [f16]) {
        let kv = &self.owners[l].kv;
        let heads = positions.flat_map(|position| (0..kv.kv_heads()).map(move |head| (position, head)));
        for ((position, head), out) in heads.zip(out.chunks_exact_mut(2 * kv.head_dim())) {
            let (k, v) = out.split_at_mut(kv.head_dim());
            kv.load(position, head, k, v);
        }
    }

    /// Puts back what [`Self::read`] gave.
    pub(super) fn write(&mut self, l: usize, positions: Range<usize>, values: &[f16]) {
        let kv = &mut self.owners[l].kv;
        let (n_heads, d) = (kv.kv_heads(), kv.head_dim());
        let heads = positions.flat_map(|position| (0..n_heads).map(move |head| (position, head)));
        for ((position, head), values) in heads.zip(values.chunks_exact(2 * d)) {
            let (k, v) = values.split_at(d);
            kv.store(position, head, k, v);
        }
    }

    /// `len` positions have been written by [`Self::write`].
    pub(super) fn restored(&mut self, len: usize) {
        (self.len, self.least) = (len, len);
    }

    fn put_back(&mut self, snapshot: &Snapshot) {
        let len = snapshot.moment.len;
        let mut values = &snapshot.windows[..];
        for l in 0..self.n_owners() {
            if !self.is_sliding(l) {
                continue;
            }
            let positions = self.visible(l, len);
            let (this, rest) = values.split_at(self.values_of(l, positions.len()));
            self.write(l, positions, this);
            values = rest;
        }
        (self.len, self.least) = (len, len);
    }
}
