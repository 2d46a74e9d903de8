//! What the fuzz target and the ordinary tests do with bytes that may or may not be a GGUF file.

use gemma4::gguf::{Array, Value, parse};

/// Parses `bytes` and, if that succeeds, reads everything that the header gives access to.
///
/// # Panics
/// If the parser accepted something that it should not have: the finding.
pub fn exercise(bytes: &[u8]) {
    let Ok(header) = parse(bytes) else { return };
    assert!(header.data_offset() >= 24 && header.alignment().is_power_of_two());
    let metadata = header.metadata(bytes);
    for (key, value) in metadata.iter() {
        // As text, because a NaN is not equal to itself.
        assert_eq!(format!("{:?}", metadata.get(key)), format!("{:?}", Some(value)));
        if let Value::Array(array) = value {
            walk(array);
        }
        // Every typed getter answers with a value or an error, whatever the type.
        let _ = (metadata.u32(key), metadata.u64(key), metadata.f32(key), metadata.bool(key), metadata.str(key));
        let _ = metadata.u32_array(key).map(|items| items.map(u64::from).sum::<u64>());
        let _ = metadata.i32_array(key).map(|items| items.map(i64::from).sum::<i64>());
        let _ = metadata.f32_array(key).map(|items| items.sum::<f32>());
        let _ = metadata.bool_array(key).map(Iterator::count);
    }
    for info in header.tensors() {
        let end = info.offset.checked_add(info.n_bytes as u64);
        assert!(end.is_some_and(|end| end <= bytes.len() as u64), "{info:?} lies outside");
        assert!(info.offset >= header.data_offset(), "{info:?} lies in the header");
        assert_eq!(info.elem_count() / info.dtype.block_size() * info.dtype.type_size(), info.n_bytes);
        assert_eq!(header.tensor(&info.name), Some(info));
    }
    for tensor in header.unsupported() {
        assert!(header.tensor(&tensor.name).is_none());
    }
}

fn walk(array: Array<'_>) {
    if let Some(texts) = array.strs() {
        assert_eq!(texts.count(), array.len());
    }
    if let Some(scalars) = array.scalars() {
        assert_eq!(scalars.count(), array.len());
    }
}
