//! Which model a kept conversation belongs to.

use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom},
    path::Path,
};

use sha2::{Digest, Sha256};

/// Of a model file and what computes with it.
pub(crate) type Fingerprint = [u8; 32];

/// Pieces of the file that are looked at: all of it would take seconds.
const PIECES: u64 = 64;
const PIECE_BYTES: u64 = 4096;

/// The fingerprint of the model at `path`, computed with by `kernels`: its length, and pieces from its beginning to its
/// end. Two models, or two quantizations of one, differ everywhere.
pub(crate) fn of_file(path: &Path, kernels: &str) -> io::Result<Fingerprint> {
    let mut file = File::open(path)?;
    let len = file.metadata()?.len();
    let mut sum = Sha256::new().chain_update(len.to_le_bytes()).chain_update(kernels.as_bytes());
    let mut piece = Vec::new();
    for index in 0..PIECES {
        let last = len.saturating_sub(PIECE_BYTES);
        file.seek(SeekFrom::Start(
            last / (PIECES - 1) * index + if index + 1 == PIECES { last % (PIECES - 1) } else { 0 },
        ))?;
        piece.clear();
        file.by_ref().take(PIECE_BYTES).read_to_end(&mut piece)?;
        sum.update(&piece);
    }
    let mut fingerprint = [0; 32];
    fingerprint.copy_from_slice(&sum.finalize());
    Ok(fingerprint)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn models_and_what_computes_are_told_apart() {
        let folder = test_support::temp_folder();
        let path = folder.path().join("model");
        let of = |bytes: &[u8], kernels: &str| {
            std::fs::write(&path, bytes).expect("the disk has room");
            of_file(&path, kernels).expect("it can be read")
        };
        let mut bytes: Vec<u8> = (0..1_000_000u32).map(|index| (index / 7) as u8).collect();
        let first = of(&bytes, "avx2");
        assert_eq!(first, of(&bytes, "avx2"));
        assert_ne!(first, of(&bytes, "plain"));
        assert_ne!(first, of(&bytes[..999_999], "avx2"));
        for at in [0, 999_999] {
            bytes[at] ^= 1;
            assert_ne!(first, of(&bytes, "avx2"), "byte {at}");
            bytes[at] ^= 1;
        }
        assert_ne!(of(b"", "avx2"), of(b"a", "avx2"));
    }
}
