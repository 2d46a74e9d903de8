//! What stands at the beginning of a file of packed weights: which model file it was made from, and where each matrix
//! lies. Little endian. Whatever does not fit exactly is packed anew, so nothing here is believed but compared.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    time::{SystemTime, UNIX_EPOCH},
};

use super::plan::{Entry, Packing};
use crate::{checksum::mix, error::Error, gguf::GgufFile, positioned::read_exact_at};

/// What every version's files begin with.
const MAGIC: [u8; 8] = *b"AULAPACK";
/// Changes whenever the header's layout or the order of packed weights (`kernels::format`) does.
const VERSION: u32 = 1;
/// Where the weights begin is a multiple of this.
const PAGE: u64 = 4096;
/// More than any header takes; E4B's has 20 kB.
const MOST_BYTES: u32 = 1 << 20;
/// Bytes of a header besides the path and the table: magic, version and length; length of the file and place of the
/// weights; fingerprint; lengths of path and table; checksum.
const FIXED_BYTES: usize = (8 + 4 + 4) + (8 + 8) + (8 + 16 + 8) + (4 + 4) + 8;
/// Longest path that is recorded, in bytes.
const PATH_BYTES: usize = 4096;
/// Pages of the model file that are part of its fingerprint, besides the header.
const SAMPLES: u64 = 8;

/// What tells a model file from every other one, the one that had its place before included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fingerprint {
    /// Its size.
    file_bytes: u64,
    /// When it was last written, in nanoseconds since 1970; 0 where the system does not tell.
    modified: i128,
    /// Checksum of all before the tensors' data, and of some pages of that.
    content: u64,
}

/// The beginning of a file of packed weights.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) fingerprint: Fingerprint,
    /// Absolute path of the model file when it was packed; empty if it is not Unicode or very long.
    pub(super) model: String,
    /// The rest of the header: every matrix, and how many bytes the file has.
    table: Vec<u8>,
    /// Where the first matrix begins.
    pub(super) data_offset: u64,
    /// How long the file is.
    pub(super) total_bytes: u64,
}

/// Why a header cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unusable {
    /// A later version of this program wrote it, or it cannot be read now: not ours to judge.
    Unknown,
    /// It is damaged, something else, or of an earlier version.
    Useless,
}

impl Fingerprint {
    fn of(file: &GgufFile) -> Result<Self, Error> {
        let mut content = mix(u64::from(VERSION), file.header_bytes());
        let (first, end) = (file.header().data_offset(), file.file_bytes());
        let mut page = vec![0; PAGE as usize];
        let last = end.saturating_sub(PAGE).max(first);
        for sample in 0..SAMPLES {
            let at = first + (last - first) / (SAMPLES - 1) * sample;
            let page = &mut page[..end.saturating_sub(at).min(PAGE) as usize];
            file.read_at(page, at).map_err(|source| Error::ReadWeights { path: file.path().to_owned(), source })?;
            content = mix(content, page);
        }
        Ok(Self { file_bytes: end, modified: nanoseconds(file.modified()), content })
    }

    /// The name under which the packed weights are kept.
    pub(super) fn name(&self) -> u64 {
        mix(mix(self.content, &self.file_bytes.to_le_bytes()), &self.modified.to_le_bytes())
    }
}

fn nanoseconds(time: Option<SystemTime>) -> i128 {
    time.map_or(0, |time| match time.duration_since(UNIX_EPOCH) {
        Ok(after) => after.as_nanos() as i128,
        Err(before) => -(before.duration().as_nanos() as i128),
    })
}

/// The path by which a model file is recorded; the same when the file is gone, as long as its folder is there.
pub(super) fn recorded_path(model: &Path) -> String {
    let by_folder = || Some(fs::canonicalize(model.parent()?).ok()?.join(model.file_name()?));
    let absolute = fs::canonicalize(model).ok().or_else(by_folder).unwrap_or_else(|| model.to_owned());
    absolute.to_str().filter(|path| path.len() <= PATH_BYTES).unwrap_or_default().to_owned()
}

impl Header {
    /// The header of the file that `plan` packs to.
    ///
    /// # Errors
    /// If the model file cannot be read.
    pub(super) fn of(plan: &Packing<'_>) -> Result<Self, Error> {
        let mut table = Vec::new();
        table.extend((plan.entries.len() as u32).to_le_bytes());
        for Entry { name, format, n_rows, width, source_offset: _, at } in &plan.entries {
            table.extend((name.len() as u32).to_le_bytes());
            table.extend(name.as_bytes());
            table.push(*format as u8);
            for number in [*n_rows as u64, *width as u64, *at] {
                table.extend(number.to_le_bytes());
            }
        }
        // Room for any path, so that two files differ in nothing else.
        let data_offset = ((FIXED_BYTES + PATH_BYTES + table.len()) as u64).next_multiple_of(PAGE);
        Ok(Self {
            fingerprint: Fingerprint::of(plan.file)?,
            model: recorded_path(plan.file.path()),
            table,
            data_offset,
            total_bytes: data_offset + plan.data_bytes,
        })
    }

    /// The bytes that stand in the file.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        out.extend(MAGIC);
        out.extend(VERSION.to_le_bytes());
        out.extend(((FIXED_BYTES + self.model.len() + self.table.len()) as u32).to_le_bytes());
        out.extend(self.total_bytes.to_le_bytes());
        out.extend(self.data_offset.to_le_bytes());
        out.extend(self.fingerprint.file_bytes.to_le_bytes());
        out.extend(self.fingerprint.modified.to_le_bytes());
        out.extend(self.fingerprint.content.to_le_bytes());
        for part in [self.model.as_bytes(), &self.table] {
            out.extend((part.len() as u32).to_le_bytes());
            out.extend(part);
        }
        out.extend(mix(u64::from(VERSION), &out).to_le_bytes());
        out
    }

    /// Reads the header of `file`.
    ///
    /// # Errors
    /// Why it cannot be used.
    pub(super) fn read(file: &File) -> Result<Self, Unusable> {
        let mut start = [0; 16];
        // A file that cannot be read now may be readable later; one that ends too early stays so.
        let failed = |error: std::io::Error| match error.kind() {
            std::io::ErrorKind::UnexpectedEof => Unusable::Useless,
            _ => Unusable::Unknown,
        };
        read_exact_at(file, &mut start, 0).map_err(failed)?;
        let [magic @ .., v0, v1, v2, v3, l0, l1, l2, l3] = start;
        let (version, len) = (u32::from_le_bytes([v0, v1, v2, v3]), u32::from_le_bytes([l0, l1, l2, l3]));
        match version {
            _ if magic != MAGIC => return Err(Unusable::Useless),
            VERSION if len <= MOST_BYTES => {}
            newer if newer > VERSION => return Err(Unusable::Unknown),
            _ => return Err(Unusable::Useless),
        }
        let mut bytes = vec![0; len as usize];
        read_exact_at(file, &mut bytes, 0).map_err(failed)?;
        Self::parse(&bytes).ok_or(Unusable::Useless)
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let (body, sum) = bytes.split_last_chunk::<8>()?;
        if mix(u64::from(VERSION), body) != u64::from_le_bytes(*sum) {
            return None;
        }
        let mut rest = body.get(16..)?;
        let mut number = || {
            let (number, after) = rest.split_first_chunk::<8>()?;
            rest = after;
            Some(u64::from_le_bytes(*number))
        };
        let (total_bytes, data_offset, file_bytes) = (number()?, number()?, number()?);
        let modified = i128::from(number()?) | i128::from(number()?) << 64;
        let content = number()?;
        let mut part = || {
            let (len, after) = rest.split_first_chunk::<4>()?;
            let (part, after) = after.split_at_checked(u32::from_le_bytes(*len) as usize)?;
            rest = after;
            Some(part.to_vec())
        };
        let (model, table) = (String::from_utf8(part()?).ok()?, part()?);
        let fingerprint = Fingerprint { file_bytes, modified, content };
        rest.is_empty().then_some(Self { fingerprint, model, table, data_offset, total_bytes })
    }

    /// Whether a file with the header `self` holds what `wanted` describes, wherever the model file was then.
    pub(super) fn serves(&self, wanted: &Self) -> bool {
        let anywhere = Self { model: self.model.clone(), ..wanted.clone() };
        *self == anywhere
    }

    /// Whether nobody can have a use for this file any more: its model file is gone, or is another one now. A model file
    /// on a drive that is not there counts as being there.
    pub(super) fn is_orphan(&self) -> bool {
        if self.model.is_empty() {
            return false;
        }
        let model = PathBuf::from(&self.model);
        match fs::metadata(&model) {
            Ok(facts) => {
                let modified = nanoseconds(facts.modified().ok());
                (facts.len(), modified) != (self.fingerprint.file_bytes, self.fingerprint.modified)
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => model.parent().is_some_and(Path::is_dir),
            Err(_) => false,
        }
    }

    /// Whether `self` is the header of weights packed from an earlier file in the place of `other`'s.
    pub(super) fn is_replaced_by(&self, other: &Self) -> bool {
        !self.model.is_empty() && self.model == other.model && self.fingerprint != other.fingerprint
    }
}
