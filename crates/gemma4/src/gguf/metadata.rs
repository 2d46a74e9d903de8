//! Typed access to a header's keys.

use super::{
    error::Error,
    header::Header,
    value::{Array, Strs, Value, ValueType},
};

/// The keys and values of one file.
#[derive(Clone, Copy)]
pub struct Metadata<'a> {
    pub(super) header: &'a Header,
    pub(super) file: &'a [u8],
}

/// Turns "the key is missing" into `None`, for keys that a file may lack.
///
/// # Errors
/// Every other error of `result`.
pub fn optional<T>(result: Result<T, Error>) -> Result<Option<T>, Error> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(Error::MissingKey { .. }) => Ok(None),
        Err(other) => Err(other),
    }
}

impl<'a> Metadata<'a> {
    /// The keys in the order of the file.
    pub fn keys(&self) -> impl ExactSizeIterator<Item = &'a str> + use<'a> {
        self.header.entries.iter().map(|entry| entry.key.as_str())
    }

    /// Keys and values in the order of the file.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&'a str, Value<'a>)> + use<'a> {
        let file = self.file;
        self.header.entries.iter().map(move |entry| (entry.key.as_str(), Value::from_slot(&entry.slot, file)))
    }

    /// The value under `key`.
    pub fn get(&self, key: &str) -> Option<Value<'a>> {
        let index = *self.header.key_index.get(key)?;
        Some(Value::from_slot(&self.header.entries[index].slot, self.file))
    }

    fn require(&self, key: &str) -> Result<Value<'a>, Error> {
        self.get(key).ok_or_else(|| Error::MissingKey { key: key.to_owned() })
    }

    fn wrong_type(&self, key: &str, wanted: &'static str) -> Error {
        let found =
            self.header.key_index.get(key).map_or(ValueType::Array, |index| self.header.entries[*index].slot.kind);
        Error::WrongType { key: key.to_owned(), wanted, found }
    }

    /// An integer of any width that fits u32.
    ///
    /// # Errors
    /// If the key is missing, is no integer, or does not fit.
    pub fn u32(&self, key: &str) -> Result<u32, Error> {
        self.int(key, "u32")
    }

    /// An integer of any width that fits u64.
    ///
    /// # Errors
    /// If the key is missing, is no integer, or does not fit.
    pub fn u64(&self, key: &str) -> Result<u64, Error> {
        self.int(key, "u64")
    }

    fn int<T: TryFrom<i128>>(&self, key: &str, wanted: &'static str) -> Result<T, Error> {
        match self.require(key)? {
            Value::Int(found) => {
                T::try_from(found).map_err(|_| Error::OutOfRange { key: key.to_owned(), found, wanted })
            }
            _ => Err(self.wrong_type(key, wanted)),
        }
    }

    /// A floating-point number; a 64-bit one is rounded.
    ///
    /// # Errors
    /// If the key is missing or is no floating-point number.
    pub fn f32(&self, key: &str) -> Result<f32, Error> {
        match self.require(key)? {
            Value::Float(value) => Ok(value as f32),
            _ => Err(self.wrong_type(key, "f32")),
        }
    }

    /// A truth value.
    ///
    /// # Errors
    /// If the key is missing or is none.
    pub fn bool(&self, key: &str) -> Result<bool, Error> {
        match self.require(key)? {
            Value::Bool(value) => Ok(value),
            _ => Err(self.wrong_type(key, "a truth value")),
        }
    }

    /// A text.
    ///
    /// # Errors
    /// If the key is missing or is none.
    pub fn str(&self, key: &str) -> Result<&'a str, Error> {
        match self.require(key)? {
            Value::Str(text) => Ok(text),
            _ => Err(self.wrong_type(key, "text")),
        }
    }

    /// An array of whatever type.
    ///
    /// # Errors
    /// If the key is missing or is no array.
    pub fn array(&self, key: &str) -> Result<Array<'a>, Error> {
        match self.require(key)? {
            Value::Array(array) => Ok(array),
            _ => Err(self.wrong_type(key, "an array")),
        }
    }

    /// An array of texts, read as the iterator goes.
    ///
    /// # Errors
    /// If the key is missing or is something else.
    pub fn str_array(&self, key: &str) -> Result<Strs<'a>, Error> {
        self.array(key)?.strs().ok_or_else(|| self.wrong_type(key, "an array of texts"))
    }

    /// An array of integers of any width that all fit u32.
    ///
    /// # Errors
    /// If the key is missing, is something else, or an item does not fit.
    pub fn u32_array(&self, key: &str) -> Result<impl ExactSizeIterator<Item = u32> + use<'a>, Error> {
        self.int_array(key, "an array of u32")
    }

    /// An array of integers of any width that all fit i32.
    ///
    /// # Errors
    /// If the key is missing, is something else, or an item does not fit.
    pub fn i32_array(&self, key: &str) -> Result<impl ExactSizeIterator<Item = i32> + use<'a>, Error> {
        self.int_array(key, "an array of i32")
    }

    fn int_array<T: TryFrom<i128> + Default>(
        &self,
        key: &str,
        wanted: &'static str,
    ) -> Result<impl ExactSizeIterator<Item = T> + use<'a, T>, Error> {
        let items = self.array(key)?.scalars().ok_or_else(|| self.wrong_type(key, wanted))?;
        for item in items.clone() {
            match item {
                Value::Int(found) if T::try_from(found).is_err() => {
                    return Err(Error::OutOfRange { key: key.to_owned(), found, wanted });
                }
                Value::Int(_) => {}
                _ => return Err(self.wrong_type(key, wanted)),
            }
        }
        // Every item has just been seen to be an integer that fits.
        Ok(items.map(|item| match item {
            Value::Int(value) => T::try_from(value).unwrap_or_default(),
            _ => T::default(),
        }))
    }

    /// An array of floating-point numbers; 64-bit ones are rounded.
    ///
    /// # Errors
    /// If the key is missing or is something else.
    pub fn f32_array(&self, key: &str) -> Result<impl ExactSizeIterator<Item = f32> + use<'a>, Error> {
        let array = self.array(key)?;
        let items = match array.item_type() {
            ValueType::F32 | ValueType::F64 => array.scalars(),
            _ => None,
        };
        let items = items.ok_or_else(|| self.wrong_type(key, "an array of f32"))?;
        Ok(items.map(|item| if let Value::Float(value) = item { value as f32 } else { 0.0 }))
    }

    /// An array of truth values.
    ///
    /// # Errors
    /// If the key is missing or is something else.
    pub fn bool_array(&self, key: &str) -> Result<impl ExactSizeIterator<Item = bool> + use<'a>, Error> {
        let array = self.array(key)?;
        let items = if array.item_type() == ValueType::Bool { array.scalars() } else { None };
        let items = items.ok_or_else(|| self.wrong_type(key, "an array of truth values"))?;
        Ok(items.map(|item| item == Value::Bool(true)))
    }
}
