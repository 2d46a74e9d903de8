//! Attention of a chunk of queries over the keys each of them may see.
//!
//! There are two forms of the same formula. [`Span::attend_by_matmul`] is written in stock tensor operations and runs
//! on every device. On the CPU a second form goes through the keys of one query after another: it needs no scores
//! tensor and no mask, and – the reason it exists – a query's result is bit for bit the same however the positions
//! were cut into chunks, which no matrix product promises.

use candle_core::{CpuStorage, CustomOp3, Device, Layout, Result, Shape, Tensor, quantized::GgmlType};
use candle_nn::ops::softmax_last_dim;
use rayon::prelude::*;

/// Below this many multiplications one thread is faster than several.
const WORTH_THREADS: usize = 1 << 18;

/// Which positions a chunk's queries and keys stand at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// Position of the first query; the others follow it.
    pub first_query: usize,
    /// Number of queries.
    pub n_queries: usize,
    /// The sliding window, counting the query itself; `None` where every earlier position is seen.
    pub window: Option<usize>,
}

impl Span {
    /// The earliest position that any query sees. Keys and values start here.
    pub fn first_key(&self) -> usize {
        self.first_visible(self.first_query)
    }

    /// One past the last position that any query sees. Keys and values end here.
    pub fn end_key(&self) -> usize {
        self.first_query + self.n_queries
    }

    /// The last query alone.
    pub fn last(&self) -> Self {
        Self { first_query: self.end_key() - 1, n_queries: 1, window: self.window }
    }

    /// The earliest position that the query at `position` sees; the latest is `position` itself.
    fn first_visible(&self, position: usize) -> usize {
        self.window.map_or(0, |window| (position + 1).saturating_sub(window))
    }

    /// `q` (tokens, heads, head_dim) over `k` and `v` (kv heads, keys, head_dim) → (tokens, heads · head_dim), on the
    /// CPU. The scale is 1; `heads / kv heads` neighbouring heads share a head of keys and values.
    ///
    /// # Errors
    /// If the shapes do not fit.
    pub fn attend_row_by_row(&self, q: &Tensor, k: &Tensor, v: &Tensor) -> Result<Tensor> {
        q.apply_op3_no_bwd(k, v, self)
    }

    /// The same in stock tensor operations, on any device, with the mask that [`Span::mask`] gives.
    ///
    /// # Errors
    /// If the shapes do not fit or the device fails.
    pub fn attend_by_matmul(q: &Tensor, k: &Tensor, v: &Tensor, mask: Option<&Tensor>) -> Result<Tensor> {
        let (tokens, heads, head_dim) = q.dims3()?;
        let (kv_heads, keys, _) = k.dims3()?;
        let group = heads / kv_heads;
        let q = q.transpose(0, 1)?.contiguous()?; // (heads, tokens, head_dim)
        let q = q.reshape((kv_heads, group * tokens, head_dim))?;
        let mut scores = q.matmul(&k.t()?)?; // (kv_heads, group · tokens, keys)
        if let Some(mask) = mask {
            scores = scores.reshape((kv_heads, group, tokens, keys))?.broadcast_add(mask)?;
            scores = scores.reshape((kv_heads, group * tokens, keys))?;
        }
        let out = softmax_last_dim(&scores)?.matmul(v)?; // (kv_heads, group · tokens, head_dim)
        let out = out.reshape((heads, tokens, head_dim))?.transpose(0, 1)?.contiguous()?;
        out.flatten_from(1)
    }

    /// `(tokens, keys)`: 0 where the query sees the key, −∞ elsewhere. `None` for a single query, which sees all keys.
    ///
    /// # Errors
    /// If the device cannot take it.
    pub fn mask(&self, device: &Device) -> Result<Option<Tensor>> {
        if self.n_queries == 1 {
            return Ok(None);
        }
        let keys = self.first_key()..self.end_key();
        let mask: Vec<f32> = (self.first_query..self.end_key())
            .flat_map(|query| {
                let visible = self.first_visible(query)..=query;
                keys.clone().map(move |key| if visible.contains(&key) { 0.0 } else { f32::NEG_INFINITY })
            })
            .collect();
        Tensor::from_vec(mask, (self.n_queries, keys.len()), device).map(Some)
    }

    /// One query `q` (head_dim) at `position` over one head's keys and values → `out` (head_dim).
    fn attend_one(&self, position: usize, q: &[f32], k: &Rows<'_>, v: &Rows<'_>, out: &mut [f32]) {
        let first_key = self.first_key();
        let visible = self.first_visible(position) - first_key..position + 1 - first_key;
        let mut weights: Vec<f32> = visible.clone().map(|key| f32::vec_dot(q.len(), k.row(key), q)).collect();
        let highest = weights.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let mut sum = 0.0;
        for weight in &mut weights {
            *weight = (*weight - highest).exp();
            sum += *weight;
        }
        for (key, weight) in visible.zip(weights) {
            let share = weight / sum;
            for (out, v) in out.iter_mut().zip(v.row(key)) {
                *out += share * v;
            }
        }
    }
}

/// The rows of one head of a `(kv heads, keys, head_dim)` tensor whose last dimension is contiguous.
struct Rows<'a> {
    data: &'a [f32],
    stride: usize,
    head_dim: usize,
}

impl<'a> Rows<'a> {
    fn new(storage: &'a [f32], layout: &Layout, head: usize) -> Result<Self> {
        let (&[_, _, head_dim], &[head_stride, stride, 1]) = (layout.dims(), layout.stride()) else {
            candle_core::bail!("keys and values must be rows of contiguous heads, got {layout:?}")
        };
        Ok(Self { data: &storage[layout.start_offset() + head * head_stride..], stride, head_dim })
    }

    fn row(&self, key: usize) -> &[f32] {
        &self.data[key * self.stride..][..self.head_dim]
    }
}

impl CustomOp3 for Span {
    fn name(&self) -> &'static str {
        "attention"
    }

    fn cpu_fwd(
        &self,
        q: &CpuStorage,
        q_layout: &Layout,
        k: &CpuStorage,
        k_layout: &Layout,
        v: &CpuStorage,
        v_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (tokens, heads, head_dim) = q_layout.shape().dims3()?;
        let (kv_heads, keys, _) = k_layout.shape().dims3()?;
        let expected_keys = self.end_key() - self.first_key();
        if tokens != self.n_queries || keys != expected_keys || !heads.is_multiple_of(kv_heads) {
            candle_core::bail!("{tokens} queries over {keys} keys do not fit {self:?}")
        }
        let Some((start, end)) = q_layout.contiguous_offsets() else { candle_core::bail!("queries not contiguous") };
        let (q, k, v) = (&q.as_slice::<f32>()?[start..end], k.as_slice::<f32>()?, v.as_slice::<f32>()?);
        let rows = |storage, layout: &Layout| -> Result<Vec<_>> {
            (0..kv_heads).map(|head| Rows::new(storage, layout, head)).collect()
        };
        let (k, v) = (rows(k, k_layout)?, rows(v, v_layout)?);

        let mut out = vec![0f32; tokens * heads * head_dim];
        let one = |(index, (out, q)): (usize, (&mut [f32], &[f32]))| {
            let kv_head = index % heads / (heads / kv_heads);
            self.attend_one(self.first_query + index / heads, q, &k[kv_head], &v[kv_head], out);
        };
        if out.len() * keys < WORTH_THREADS {
            out.chunks_mut(head_dim).zip(q.chunks(head_dim)).enumerate().for_each(one);
        } else {
            out.par_chunks_mut(head_dim).zip(q.par_chunks(head_dim)).enumerate().for_each(one);
        }
        Ok((CpuStorage::F32(out), Shape::from((tokens, heads * head_dim))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values without a pattern that rounding could hide in.
    fn noise(shape: (usize, usize, usize), seed: u32) -> Tensor {
        let n = shape.0 * shape.1 * shape.2;
        let mut state = seed;
        let values: Vec<f32> = (0..n)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 8) as f32 / (1 << 23) as f32 - 1.0
            })
            .collect();
        Tensor::from_vec(values, shape, &Device::Cpu).unwrap()
    }

    #[test]
    fn both_forms_agree() {
        for (first_query, n_queries, window) in [
            (0, 1, None),
            (0, 7, None),
            (5, 3, None),
            (0, 9, Some(4)),
            (20, 6, Some(4)),
            (20, 1, Some(4)),
            (2, 1, Some(1)),
        ] {
            let span = Span { first_query, n_queries, window };
            let keys = span.end_key() - span.first_key();
            let q = noise((n_queries, 4, 8), 1);
            let (k, v) = (noise((2, keys, 8), 2), noise((2, keys, 8), 3));
            let mask = span.mask(&Device::Cpu).unwrap();
            let a = span.attend_row_by_row(&q, &k, &v).unwrap();
            let b = Span::attend_by_matmul(&q, &k, &v, mask.as_ref()).unwrap();
            assert_eq!(a.dims(), b.dims());
            let worst = (a - b).unwrap().abs().unwrap().max_all().unwrap().to_scalar::<f32>().unwrap();
            assert!(worst < 1e-6, "{span:?}: {worst}");
        }
    }

    #[test]
    fn a_window_counts_the_query_itself() {
        let span = Span { first_query: 10, n_queries: 2, window: Some(4) };
        assert_eq!((span.first_key(), span.end_key()), (7, 12));
        let mask = span.mask(&Device::Cpu).unwrap().unwrap().to_vec2::<f32>().unwrap();
        let seen: Vec<Vec<bool>> = mask.iter().map(|row| row.iter().map(|&m| m == 0.0).collect()).collect();
        assert_eq!(seen, [[true, true, true, true, false], [false, true, true, true, true]]);
    }

    #[test]
    fn a_querys_result_does_not_depend_on_its_chunk() {
        let (q, k, v) = (noise((12, 4, 8), 1), noise((2, 12, 8), 2), noise((2, 12, 8), 3));
        let whole = Span { first_query: 0, n_queries: 12, window: Some(5) };
        let all = whole.attend_row_by_row(&q, &k, &v).unwrap().to_vec2::<f32>().unwrap();
        for (position, expected) in all.iter().enumerate() {
            let one = Span { first_query: position, n_queries: 1, window: Some(5) };
            let view = |t: &Tensor| t.narrow(1, one.first_key(), one.end_key() - one.first_key()).unwrap();
            let row = one.attend_row_by_row(&q.narrow(0, position, 1).unwrap(), &view(&k), &view(&v)).unwrap();
            assert_eq!(row.to_vec2::<f32>().unwrap()[0], *expected, "position {position}");
        }
    }
}
