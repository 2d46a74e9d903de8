//! Keys and values of the positions seen so far.
//!
//! * **Sliding layers** keep the last `window − 1` positions, which is all that the next token can see, in a buffer with
//!   some room behind them: new positions are appended, and when the room is used up the last `window − 1` move to the
//!   front. So the positions always lie in order, and a chunk of any length sees (what the ring held ++ the chunk).
//! * **Global layers** keep every position in a buffer that doubles, up to the context length.
//! * **Layers that share** another layer's keys and values store nothing: they read the donor's.
//!
//! Values are f32. Half the bytes would do (see `footprint`); the plain path prefers to be exact.
//!
//! What a forward pass stores lies behind [`KvCache::len`] until [`KvCache::commit`]: a pass that fails or is cancelled
//! leaves the cache as it was.

use candle_core::{DType, Device, Tensor};

use crate::{
    config::Config,
    error::Error,
    history::{History, Moment},
    model::MAX_DRAFT,
};

type Result<T, E = candle_core::Error> = std::result::Result<T, E>;

/// Free positions behind a sliding layer's window, so that decoding moves the window once in that many tokens.
const SLACK: usize = 256;
/// Positions that a global layer has room for at first.
const FIRST_GLOBAL: usize = 256;

/// Most positions that a layer's buffer ever has room for, fed in chunks of at most `chunk`.
pub(crate) fn most_capacity(window: Option<usize>, context_len: usize, chunk: usize) -> usize {
    window.map_or(context_len, |window| (window - 1 + chunk.max(SLACK)).min(context_len))
}

/// The cache of one sequence.
pub struct KvCache {
    /// One entry for each layer; `None` for those that share.
    layers: Vec<Option<LayerCache>>,
    len: usize,
    /// The shortest length that [`KvCache::truncate`] may go back to.
    least: usize,
    context_len: usize,
    history: History,
}

/// One layer's keys and values, each `(kv heads, capacity, head_dim)`.
struct LayerCache {
    k: Tensor,
    v: Tensor,
    /// The position in the first slot.
    first: usize,
    /// The sliding window; `None` for a global layer.
    window: Option<usize>,
}

/// The sliding layers' state at one length, for [`KvCache::rewind`].
pub struct Snapshot {
    moment: Moment,
    /// For each sliding owner: its last positions, `(kv heads, kept, head_dim)`; `None` if there are none.
    layers: Vec<Option<(Tensor, Tensor)>>,
}

impl KvCache {
    /// An empty cache for at most `context_len` positions.
    ///
    /// # Errors
    /// If the device cannot give the memory.
    pub fn new(config: &Config, context_len: usize, device: &Device) -> Result<Self> {
        let layers = (0..config.n_layers)
            .map(|l| {
                if !config.owns_kv(l) {
                    return Ok(None);
                }
                let window = config.is_sliding(l).then_some(config.sliding_window);
                let capacity = match window {
                    Some(_) => most_capacity(window, context_len, 0),
                    None => FIRST_GLOBAL.min(context_len),
                };
                let shape = (config.n_kv_heads[l], capacity, config.head_dim(l));
                let k = Tensor::zeros(shape, DType::F32, device)?;
                let v = Tensor::zeros(shape, DType::F32, device)?;
                Ok(Some(LayerCache { k, v, first: 0, window }))
            })
            .collect::<Result<_>>()?;
        Ok(Self { layers, len: 0, least: 0, context_len, history: History::new() })
    }

    /// Positions in the cache.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Most positions the cache may hold.
    pub fn context_len(&self) -> usize {
        self.context_len
    }

    /// Bytes that the buffers take.
    pub fn size_bytes(&self) -> usize {
        self.layers.iter().flatten().map(|layer| tensor_bytes(&layer.k) + tensor_bytes(&layer.v)).sum()
    }

    /// Puts keys and values `(kv heads, n, head_dim)` of the positions `len()..len() + n` behind those of `layer`.
    /// They count only after [`KvCache::commit`].
    ///
    /// # Errors
    /// If the layer has no cache or the device fails.
    pub fn store(&mut self, layer: usize, k: &Tensor, v: &Tensor) -> Result<()> {
        let (len, context_len) = (self.len, self.context_len);
        let cache = self.owner_mut(layer)?;
        cache.make_room(len, k.dim(1)?, context_len)?;
        cache.k.slice_set(k, 1, len - cache.first)?;
        cache.v.slice_set(v, 1, len - cache.first)
    }

    /// Keys and values of the positions `from..to` of `layer`, each `(kv heads, to − from, head_dim)`, without a copy.
    /// `to` may reach into what was stored and not yet committed.
    ///
    /// # Errors
    /// If the layer does not hold these positions.
    pub fn view(&self, layer: usize, from: usize, to: usize) -> Result<(Tensor, Tensor)> {
        let Some(Some(cache)) = self.layers.get(layer) else { candle_core::bail!("layer {layer} keeps no keys") };
        let Some(slot) = from.checked_sub(cache.first) else {
            candle_core::bail!("layer {layer} no longer holds position {from}")
        };
        Ok((cache.k.narrow(1, slot, to - from)?, cache.v.narrow(1, slot, to - from)?))
    }

    /// Counts the `n` positions that every owner has stored.
    pub fn commit(&mut self, n: usize) {
        let before = self.len;
        self.len += n;
        self.least = before.max(self.len.saturating_sub(MAX_DRAFT));
    }

    /// Goes back to `len` within what was committed last, at most [`MAX_DRAFT`] positions of it. The sliding layers need
    /// no copy for that: what the first of these positions saw is still there.
    ///
    /// # Errors
    /// [`Error::Truncate`].
    pub fn truncate(&mut self, len: usize) -> Result<(), Error> {
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
    ///
    /// # Errors
    /// If the device cannot give the memory.
    pub fn snapshot(&self) -> Result<(Snapshot, usize)> {
        let mut size_bytes = 0;
        let mut layers = Vec::new();
        for (l, cache) in self.layers.iter().enumerate() {
            let Some(window) = cache.as_ref().and_then(|cache| cache.window) else { continue };
            let kept = self.len.min(window - 1);
            if kept == 0 {
                layers.push(None);
                continue;
            }
            let (k, v) = self.view(l, self.len - kept, self.len)?;
            let (k, v) = (k.force_contiguous()?, v.force_contiguous()?);
            size_bytes += tensor_bytes(&k) + tensor_bytes(&v);
            layers.push(Some((k, v)));
        }
        Ok((Snapshot { moment: self.history.moment(self.len), layers }, size_bytes))
    }

    /// Returns to the state that `snapshot` was taken in.
    ///
    /// # Errors
    /// If the snapshot is another cache's, lies ahead, or what stood there has been overwritten; or the device fails,
    /// which leaves the cache empty.
    pub fn rewind(&mut self, snapshot: &Snapshot) -> Result<(), Error> {
        let len = snapshot.moment.len;
        self.history.check(&snapshot.moment, self.len).map_err(|reason| Error::Checkpoint { len, reason })?;
        let sliding = self.layers.iter_mut().flatten().filter(|cache| cache.window.is_some());
        let mut restored = Ok(());
        for (cache, saved) in sliding.zip(&snapshot.layers) {
            cache.first = len;
            if let Some((k, v)) = saved {
                cache.first = len - k.dims()[1];
                restored = restored.and(cache.k.slice_set(k, 1, 0)).and(cache.v.slice_set(v, 1, 0));
            }
        }
        if let Err(error) = restored {
            self.clear();
            return Err(error.into());
        }
        self.go_back(len);
        Ok(())
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        for cache in self.layers.iter_mut().flatten() {
            cache.first = 0;
        }
        self.go_back(0);
    }

    fn go_back(&mut self, len: usize) {
        (self.len, self.least) = (len, len);
        self.history.went_back_to(len);
    }

    fn owner_mut(&mut self, layer: usize) -> Result<&mut LayerCache> {
        match self.layers.get_mut(layer) {
            Some(Some(cache)) => Ok(cache),
            _ => candle_core::bail!("layer {layer} keeps no keys"),
        }
    }
}

impl LayerCache {
    /// Makes sure that `n` positions fit behind position `len`.
    fn make_room(&mut self, len: usize, n: usize, context_len: usize) -> Result<()> {
        let (kv_heads, capacity, head_dim) = self.k.dims3()?;
        if len - self.first + n <= capacity {
            return Ok(());
        }
        let (kept, wanted) = match self.window {
            Some(window) => {
                let kept = (len - self.first).min(window - 1);
                (kept, (kept + n.max(SLACK)).max(capacity))
            }
            None => (len, (len + n).max(2 * capacity)),
        };
        let shape = (kv_heads, wanted.min(context_len).max(kept + n), head_dim);
        let slot = len - self.first - kept;
        for buffer in [&mut self.k, &mut self.v] {
            let moved = Tensor::zeros(shape, buffer.dtype(), buffer.device())?;
            if kept > 0 {
                moved.slice_set(&buffer.narrow(1, slot, kept)?.contiguous()?, 1, 0)?;
            }
            *buffer = moved;
        }
        self.first = len - kept;
        Ok(())
    }
}

fn tensor_bytes(tensor: &Tensor) -> usize {
    tensor.elem_count() * tensor.dtype().size_in_bytes()
}
