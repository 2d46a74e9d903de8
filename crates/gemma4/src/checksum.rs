//! A fast checksum against accidents, for files that only make the next start faster. It is no defence against malice.

/// Folds `bytes` into `state`: eight bytes at a time, two lanes, so that 13 MB take a few milliseconds.
pub(crate) fn mix(state: u64, bytes: &[u8]) -> u64 {
    const A: u64 = 0x9e37_79b9_7f4a_7c15;
    const B: u64 = 0xc2b2_ae3d_27d4_eb4f;
    let fold = |lane: u64, word: u64| {
        let product = u128::from(lane ^ word ^ A) * u128::from(B);
        (product as u64) ^ ((product >> 64) as u64).rotate_left(29)
    };
    let (mut left, mut right) = (state ^ A, state.rotate_left(32) ^ B ^ bytes.len() as u64);
    let mut chunks = bytes.chunks_exact(16);
    for chunk in &mut chunks {
        let (a, b) = chunk.split_at(8);
        left = fold(left, a.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte)));
        right = fold(right, b.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte)));
    }
    for byte in chunks.remainder() {
        left = fold(left, u64::from(*byte));
    }
    fold(fold(left, right), bytes.len() as u64)
}
