//! Writes GGUF headers, sound ones and, for tests of the reader, unsound ones.

use super::blocks::Kind;

/// A value of an array or a key, with its type number in the format.
pub trait Item {
    /// The type number.
    const TYPE: u32;
    /// Appends the value.
    fn put(&self, out: &mut Vec<u8>);
}

macro_rules! number_items {
    ($($rust:ty = $id:literal),*) => {$(
        impl Item for $rust {
            const TYPE: u32 = $id;
            fn put(&self, out: &mut Vec<u8>) {
                out.extend_from_slice(&self.to_le_bytes());
            }
        }
    )*};
}
number_items!(u8 = 0, i8 = 1, u16 = 2, i16 = 3, u32 = 4, i32 = 5, f32 = 6, u64 = 10, i64 = 11, f64 = 12);

impl Item for bool {
    const TYPE: u32 = 7;
    fn put(&self, out: &mut Vec<u8>) {
        out.push(u8::from(*self));
    }
}

impl Item for &str {
    const TYPE: u32 = 8;
    fn put(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&(self.len() as u64).to_le_bytes());
        out.extend_from_slice(self.as_bytes());
    }
}

impl Item for String {
    const TYPE: u32 = 8;
    fn put(&self, out: &mut Vec<u8>) {
        self.as_str().put(out);
    }
}

/// A tensor's entry in the table.
#[derive(Debug, Clone)]
pub struct TensorEntry {
    /// Its name.
    pub name: String,
    /// Row-major.
    pub shape: Vec<usize>,
    /// The type's number.
    pub type_id: u32,
    /// Offset within the data section.
    pub offset: u64,
    /// Bytes of its data, without padding.
    pub n_bytes: usize,
}

/// Collects keys and tensors and lays out a file.
#[derive(Debug, Clone)]
pub struct GgufBuilder {
    /// 3 unless a test wants otherwise.
    pub version: u32,
    /// Tensors begin at multiples of this; written as a key only by [`GgufBuilder::key`].
    pub alignment: u64,
    keys: Vec<u8>,
    n_keys: u64,
    tensors: Vec<TensorEntry>,
    data_bytes: u64,
}

impl Default for GgufBuilder {
    fn default() -> Self {
        Self { version: 3, alignment: 32, keys: Vec::new(), n_keys: 0, tensors: Vec::new(), data_bytes: 0 }
    }
}

impl GgufBuilder {
    /// Adds a key with a plain value.
    pub fn key<T: Item>(&mut self, key: &str, value: T) -> &mut Self {
        key.put(&mut self.keys);
        T::TYPE.put(&mut self.keys);
        value.put(&mut self.keys);
        self.n_keys += 1;
        self
    }

    /// Adds a key with an array.
    pub fn array<T: Item>(&mut self, key: &str, items: &[T]) -> &mut Self {
        key.put(&mut self.keys);
        9u32.put(&mut self.keys);
        T::TYPE.put(&mut self.keys);
        (items.len() as u64).put(&mut self.keys);
        for item in items {
            item.put(&mut self.keys);
        }
        self.n_keys += 1;
        self
    }

    /// Adds a key whose type number and value are given as bytes.
    pub fn raw_key(&mut self, key: &str, type_and_value: &[u8]) -> &mut Self {
        key.put(&mut self.keys);
        self.keys.extend_from_slice(type_and_value);
        self.n_keys += 1;
        self
    }

    /// Adds a tensor after the others.
    pub fn tensor(&mut self, name: &str, shape: &[usize], kind: Kind) -> &mut Self {
        let n_bytes = kind.bytes(shape.iter().product());
        let entry = TensorEntry {
            name: name.to_owned(),
            shape: shape.to_vec(),
            type_id: kind.id(),
            offset: self.data_bytes,
            n_bytes,
        };
        self.data_bytes = (self.data_bytes + n_bytes as u64).next_multiple_of(self.alignment);
        self.tensors.push(entry);
        self
    }

    /// Adds a table entry as it is, sound or not.
    pub fn raw_tensor(&mut self, entry: TensorEntry) -> &mut Self {
        self.tensors.push(entry);
        self
    }

    /// The table.
    pub fn tensors(&self) -> &[TensorEntry] {
        &self.tensors
    }

    /// Bytes of the data section, padding included.
    pub fn data_bytes(&self) -> u64 {
        self.data_bytes
    }

    /// Everything before the data section, padded.
    pub fn header(&self) -> Vec<u8> {
        let mut out = b"GGUF".to_vec();
        self.version.put(&mut out);
        (self.tensors.len() as u64).put(&mut out);
        self.n_keys.put(&mut out);
        out.extend_from_slice(&self.keys);
        for tensor in &self.tensors {
            tensor.name.put(&mut out);
            (tensor.shape.len() as u32).put(&mut out);
            for dim in tensor.shape.iter().rev() {
                (*dim as u64).put(&mut out);
            }
            tensor.type_id.put(&mut out);
            tensor.offset.put(&mut out);
        }
        out.resize(out.len().next_multiple_of(self.alignment as usize), 0);
        out
    }

    /// The whole of a small file, its data zero.
    pub fn file(&self) -> Vec<u8> {
        let mut out = self.header();
        out.resize(out.len() + self.data_bytes as usize, 0);
        out
    }
}
