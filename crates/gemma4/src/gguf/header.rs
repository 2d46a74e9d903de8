//! The header: parsed once, checked whole.

use std::collections::HashMap;

use super::{
    error::Error,
    metadata::Metadata,
    reader::Reader,
    tensor::{self, TensorInfo, UnsupportedTensor},
    value::{Slot, Value},
};

/// Most keys of one file; real ones have about 50.
const KEYS_LIMIT: u64 = 1 << 16;
/// Most tensors of one file; the largest published model of this family has fewer than 2000.
const TENSORS_LIMIT: u64 = 1 << 16;
/// Longest key in bytes, as the format says.
const KEY_LIMIT: u64 = (1 << 16) - 1;
/// Least bytes of a key and its value: the key's length, the type, one byte of value.
const KEY_MIN_BYTES: u64 = 8 + 4 + 1;
/// Where no `general.alignment` says otherwise.
const DEFAULT_ALIGNMENT: u64 = 32;

/// One key and where its value lies.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) slot: Slot,
}

/// A checked header. It holds names and places; values and tensors stay in the file.
#[derive(Debug, Clone)]
pub struct Header {
    pub(super) entries: Vec<Entry>,
    pub(super) key_index: HashMap<String, usize>,
    tensors: Vec<TensorInfo>,
    tensor_index: HashMap<String, usize>,
    unsupported: Vec<UnsupportedTensor>,
    version: u32,
    alignment: u64,
    data_offset: u64,
}

/// Parses and checks the header at the start of `file`, which is the whole file.
///
/// # Errors
/// Whatever is wrong, by name. This function neither panics nor allocates from a length that it has not checked.
pub fn parse(file: &[u8]) -> Result<Header, Error> {
    let mut reader = Reader::new(file);
    if file.get(..4) != Some(b"GGUF") {
        return Err(Error::Magic { found: file[..file.len().min(4)].to_vec() });
    }
    reader.take(4, "the magic")?;
    let version = reader.u32("the version")?;
    match version {
        2 | 3 => {}
        swapped if (1..=3).contains(&swapped.swap_bytes()) => return Err(Error::BigEndian),
        version => return Err(Error::Version { version }),
    }
    let n_tensors = reader.count("the number of tensors", TENSORS_LIMIT, tensor::Entry::MIN_BYTES)?;
    let n_keys = reader.count("the number of keys", KEYS_LIMIT, KEY_MIN_BYTES)?;

    let mut entries = Vec::with_capacity(n_keys);
    let mut key_index = HashMap::with_capacity(n_keys);
    for index in 0..n_keys {
        let key = reader.str("a key", KEY_LIMIT)?.to_owned();
        let slot = Slot::read(&mut reader)?;
        if key_index.insert(key.clone(), index).is_some() {
            return Err(Error::DuplicateKey { key });
        }
        entries.push(Entry { key, slot });
    }

    let mut header = Header {
        entries,
        key_index,
        tensors: Vec::with_capacity(n_tensors),
        tensor_index: HashMap::with_capacity(n_tensors),
        unsupported: Vec::new(),
        version,
        alignment: DEFAULT_ALIGNMENT,
        data_offset: 0,
    };
    header.alignment = alignment(Metadata { header: &header, file })?;
    let mut table = Vec::with_capacity(n_tensors);
    for _ in 0..n_tensors {
        table.push(tensor::Entry::read(&mut reader)?);
    }
    header.data_offset = (reader.at() as u64).next_multiple_of(header.alignment);
    header.place(table, file.len() as u64)?;
    Ok(header)
}

fn alignment(metadata: Metadata<'_>) -> Result<u64, Error> {
    match metadata.get("general.alignment") {
        None => Ok(DEFAULT_ALIGNMENT),
        Some(Value::Int(value)) => match u64::try_from(value) {
            Ok(value) if value.is_power_of_two() && value <= 1 << 16 => Ok(value),
            _ => Err(Error::Alignment { alignment: u64::try_from(value).unwrap_or(0) }),
        },
        Some(_) => metadata.u64("general.alignment"),
    }
}

impl Header {
    /// Gives every tensor its place in the file, and checks that it has one.
    fn place(&mut self, table: Vec<tensor::Entry>, file_bytes: u64) -> Result<(), Error> {
        let mut names = std::collections::HashSet::with_capacity(table.len());
        for entry in table {
            if !names.insert(entry.name.clone()) {
                return Err(Error::DuplicateTensor { name: entry.name });
            }
            if entry.offset % self.alignment != 0 {
                return Err(Error::Misaligned { name: entry.name, offset: entry.offset, alignment: self.alignment });
            }
            let dtype = tensor::dtype_from_id(entry.type_id);
            let n_bytes = dtype.map_or(Ok(0), |dtype| entry.n_bytes(dtype))?;
            let offset = self.data_offset.checked_add(entry.offset);
            let end = offset.and_then(|offset| offset.checked_add(n_bytes));
            let offset = match (offset, end) {
                (Some(offset), Some(end)) if end <= file_bytes => offset,
                _ => {
                    let offset = offset.unwrap_or(u64::MAX);
                    return Err(Error::TensorBeyondEnd { name: entry.name, offset, n_bytes, file_bytes });
                }
            };
            let sizes = (
                entry.shape.iter().map(|dim| usize::try_from(*dim)).collect::<Result<Vec<_>, _>>(),
                usize::try_from(n_bytes),
            );
            match (dtype, sizes) {
                (Some(dtype), (Ok(shape), Ok(n_bytes))) => {
                    self.tensor_index.insert(entry.name.clone(), self.tensors.len());
                    self.tensors.push(TensorInfo { name: entry.name, shape, dtype, offset, n_bytes });
                }
                _ => self.unsupported.push(UnsupportedTensor {
                    name: entry.name,
                    shape: entry.shape,
                    type_id: entry.type_id,
                    offset,
                }),
            }
        }
        self.check_overlap()
    }

    fn check_overlap(&self) -> Result<(), Error> {
        let mut by_offset: Vec<&TensorInfo> = self.tensors.iter().collect();
        by_offset.sort_unstable_by_key(|info| info.offset);
        for pair in by_offset.windows(2) {
            if pair[0].offset + pair[0].n_bytes as u64 > pair[1].offset {
                return Err(Error::Overlap { first: pair[0].name.clone(), second: pair[1].name.clone() });
            }
        }
        Ok(())
    }

    /// The keys and values, read from `file`, the same bytes that were parsed.
    pub fn metadata<'a>(&'a self, file: &'a [u8]) -> Metadata<'a> {
        Metadata { header: self, file }
    }

    /// The tensors that can be used, in the order of the file.
    pub fn tensors(&self) -> &[TensorInfo] {
        &self.tensors
    }

    /// The tensor called `name`.
    pub fn tensor(&self, name: &str) -> Option<&TensorInfo> {
        self.tensor_index.get(name).map(|index| &self.tensors[*index])
    }

    /// Tensors in types that this program cannot use.
    pub fn unsupported(&self) -> &[UnsupportedTensor] {
        &self.unsupported
    }

    /// The file's version, 2 or 3.
    pub fn version(&self) -> u32 {
        self.version
    }

    /// Tensors begin at multiples of this many bytes, counted from [`Header::data_offset`].
    pub fn alignment(&self) -> u64 {
        self.alignment
    }

    /// Where the header ends and the tensors' data begins.
    pub fn data_offset(&self) -> u64 {
        self.data_offset
    }
}
