//! The values that a header may hold.

use std::{fmt, ops::Range};

use super::{error::Error, reader::Reader};

/// Most bytes of one text; a chat template has about 16 kB.
const STR_LIMIT: u64 = 1 << 26;
/// Most items of one array; the largest known one has 514 906.
const ARRAY_LIMIT: u64 = 1 << 28;
/// Deepest nesting of arrays. No known key nests at all.
const NESTING_LIMIT: usize = 4;

/// The type of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ValueType {
    /// Unsigned, 8 bits.
    U8,
    /// Signed, 8 bits.
    I8,
    /// Unsigned, 16 bits.
    U16,
    /// Signed, 16 bits.
    I16,
    /// Unsigned, 32 bits.
    U32,
    /// Signed, 32 bits.
    I32,
    /// Floating, 32 bits.
    F32,
    /// 0 or 1 in one byte.
    Bool,
    /// UTF-8 text.
    Str,
    /// Items of one type.
    Array,
    /// Unsigned, 64 bits.
    U64,
    /// Signed, 64 bits.
    I64,
    /// Floating, 64 bits.
    F64,
}

impl ValueType {
    const ALL: [Self; 13] = [
        Self::U8,
        Self::I8,
        Self::U16,
        Self::I16,
        Self::U32,
        Self::I32,
        Self::F32,
        Self::Bool,
        Self::Str,
        Self::Array,
        Self::U64,
        Self::I64,
        Self::F64,
    ];

    fn read(reader: &mut Reader<'_>) -> Result<Self, Error> {
        let at = reader.at() as u64;
        let id = reader.u32("a value type")?;
        usize::try_from(id).ok().and_then(|index| Self::ALL.get(index).copied()).ok_or(Error::ValueType { at, id })
    }

    /// Bytes of one value; `None` when it varies.
    fn width(self) -> Option<usize> {
        match self {
            Self::U8 | Self::I8 | Self::Bool => Some(1),
            Self::U16 | Self::I16 => Some(2),
            Self::U32 | Self::I32 | Self::F32 => Some(4),
            Self::U64 | Self::I64 | Self::F64 => Some(8),
            Self::Str | Self::Array => None,
        }
    }

    /// Least bytes that one item of an array takes.
    fn min_bytes(self) -> usize {
        match self {
            Self::Str => 8,
            Self::Array => 12,
            other => other.width().unwrap_or(1),
        }
    }
}

impl fmt::Display for ValueType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::U8 => "u8",
            Self::I8 => "i8",
            Self::U16 => "u16",
            Self::I16 => "i16",
            Self::U32 => "u32",
            Self::I32 => "i32",
            Self::F32 => "f32",
            Self::Bool => "a truth value",
            Self::Str => "text",
            Self::Array => "an array",
            Self::U64 => "u64",
            Self::I64 => "i64",
            Self::F64 => "f64",
        })
    }
}

/// Where a checked value lies in the file.
#[derive(Debug, Clone)]
pub(super) struct Slot {
    pub(super) kind: ValueType,
    /// For an array: the type of its items and how many.
    pub(super) items: Option<(ValueType, usize)>,
    /// The payload: for text without its length, for an array without its head.
    pub(super) range: Range<usize>,
}

impl Slot {
    /// Reads and checks one value, type and all.
    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, Error> {
        let kind = ValueType::read(reader)?;
        match kind {
            ValueType::Array => {
                let (item, len) = array_head(reader)?;
                let start = reader.at();
                skip_items(reader, item, len, 1)?;
                Ok(Self { kind, items: Some((item, len)), range: start..reader.at() })
            }
            ValueType::Str => {
                let text = reader.str("a text", STR_LIMIT)?;
                Ok(Self { kind, items: None, range: reader.at() - text.len()..reader.at() })
            }
            scalar => {
                let start = reader.at();
                skip_items(reader, scalar, 1, 0)?;
                Ok(Self { kind, items: None, range: start..reader.at() })
            }
        }
    }
}

fn array_head(reader: &mut Reader<'_>) -> Result<(ValueType, usize), Error> {
    let item = ValueType::read(reader)?;
    let len = reader.count("the length of an array", ARRAY_LIMIT, item.min_bytes() as u64)?;
    Ok((item, len))
}

/// Walks over `len` items, checking what can be wrong with them.
fn skip_items(reader: &mut Reader<'_>, item: ValueType, len: usize, depth: usize) -> Result<(), Error> {
    match item {
        ValueType::Bool => {
            let at = reader.at();
            let bytes = reader.take(len as u64, "truth values")?;
            match bytes.iter().position(|byte| *byte > 1) {
                Some(index) => Err(Error::NotBool { at: (at + index) as u64, found: bytes[index] }),
                None => Ok(()),
            }
        }
        ValueType::Str => {
            for _ in 0..len {
                reader.str("a text", STR_LIMIT)?;
            }
            Ok(())
        }
        ValueType::Array => {
            if depth >= NESTING_LIMIT {
                return Err(Error::Nesting { at: reader.at() as u64, limit: NESTING_LIMIT });
            }
            for _ in 0..len {
                let (item, len) = array_head(reader)?;
                skip_items(reader, item, len, depth + 1)?;
            }
            Ok(())
        }
        number => {
            let width = number.width().unwrap_or(1) as u64;
            reader.take(width.saturating_mul(len as u64), "a number").map(|_| ())
        }
    }
}

/// A value of the header, borrowed from the file.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Value<'a> {
    /// An integer of any width.
    Int(i128),
    /// A floating-point number of either width.
    Float(f64),
    /// A truth value.
    Bool(bool),
    /// A text.
    Str(&'a str),
    /// An array.
    Array(Array<'a>),
}

impl<'a> Value<'a> {
    pub(super) fn from_slot(slot: &Slot, file: &'a [u8]) -> Self {
        let bytes = file.get(slot.range.clone()).unwrap_or_default();
        match slot.items {
            Some((item, len)) => Self::Array(Array { item, len, bytes }),
            // The parser has checked that it is UTF-8.
            None if slot.kind == ValueType::Str => Self::Str(std::str::from_utf8(bytes).unwrap_or_default()),
            None => Self::scalar(slot.kind, bytes),
        }
    }

    /// Reads a number or truth value from its bytes, of the right width.
    fn scalar(kind: ValueType, bytes: &[u8]) -> Self {
        let mut raw = [0; 8];
        let width = bytes.len().min(8);
        raw[..width].copy_from_slice(&bytes[..width]);
        let wide = u64::from_le_bytes(raw);
        match kind {
            ValueType::I8 => Self::Int((wide as i8).into()),
            ValueType::I16 => Self::Int((wide as i16).into()),
            ValueType::I32 => Self::Int((wide as i32).into()),
            ValueType::I64 => Self::Int((wide as i64).into()),
            ValueType::F32 => Self::Float(f32::from_bits(wide as u32).into()),
            ValueType::F64 => Self::Float(f64::from_bits(wide)),
            ValueType::Bool => Self::Bool(wide != 0),
            _ => Self::Int(wide.into()),
        }
    }
}

/// An array of the header; its items stay in the file and are read as they are asked for.
#[derive(Clone, Copy, PartialEq)]
pub struct Array<'a> {
    item: ValueType,
    len: usize,
    bytes: &'a [u8],
}

impl fmt::Debug for Array<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}; {}]", self.item, self.len)
    }
}

impl<'a> Array<'a> {
    /// The type of the items.
    pub fn item_type(&self) -> ValueType {
        self.item
    }

    /// How many items there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The items as they lie in the file, lengths of texts included: what a fingerprint is taken of.
    pub fn raw(&self) -> &'a [u8] {
        self.bytes
    }

    /// Numbers and truth values in order; `None` for arrays of texts or arrays.
    pub fn scalars(&self) -> Option<impl ExactSizeIterator<Item = Value<'a>> + Clone + use<'a>> {
        let (item, width) = (self.item, self.item.width()?);
        Some(self.bytes.chunks_exact(width).map(move |bytes| Value::scalar(item, bytes)))
    }

    /// Texts in order; `None` for arrays of anything else.
    pub fn strs(&self) -> Option<Strs<'a>> {
        (self.item == ValueType::Str).then_some(Strs { rest: self.bytes, left: self.len })
    }
}

/// The texts of an array, in order.
#[derive(Debug, Clone)]
pub struct Strs<'a> {
    rest: &'a [u8],
    left: usize,
}

impl<'a> Iterator for Strs<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        self.left = self.left.checked_sub(1)?;
        let (len, rest) = self.rest.split_first_chunk::<8>()?;
        let (text, rest) = rest.split_at_checked(usize::try_from(u64::from_le_bytes(*len)).ok()?)?;
        self.rest = rest;
        // The parser has checked that it is UTF-8.
        Some(std::str::from_utf8(text).unwrap_or_default())
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl ExactSizeIterator for Strs<'_> {}
