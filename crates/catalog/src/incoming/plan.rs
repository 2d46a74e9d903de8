//! What is being assembled: written down before the first byte, so that any later start can go on.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::digest::sha256_hex;

/// The plan's format, so that a later version of this program does not misread it.
const FORMAT: u32 = 1;

/// How a model gets here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Copied from a disk or folder.
    Import,
    /// From the network.
    Download,
}

/// What will be known of the finished model beside its bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct About {
    /// Name for people, e.g. `Gemma 4 E2B`; empty where it is not known yet.
    pub name: String,
    /// Quantization, e.g. `Q4_0`; empty where it is not known yet.
    pub quantization: String,
    /// Licence as an SPDX expression.
    pub license: Option<String>,
    /// Who published it where, e.g. `google/gemma-4-E2B-it-qat-q4_0-gguf`. Never a path of a computer.
    pub origin: Option<String>,
}

/// A model that is being assembled.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    pub(super) format: u32,
    /// How it gets here.
    pub kind: Kind,
    /// What will be known of it.
    pub about: About,
    /// The name that it will have in the models folder, ending in `.gguf`.
    pub file_name: String,
    /// Its size in bytes; at least 1.
    pub total_bytes: u64,
    /// Size of every part but the last, in bytes; at least 1.
    pub part_bytes: u64,
    /// SHA-256 of the whole, 64 lower-case hexadecimal digits, where it is known before.
    pub sha256: Option<String>,
    /// SHA-256 of each part, where they are known before; otherwise empty.
    pub part_sha256: Vec<String>,
    /// What tells this version of the source from another: a server's entity tag, a file's time.
    pub version: Option<String>,
    /// Where it comes from, for whoever fetches it. Another place with the same content is no other plan.
    pub source: serde_json::Value,
}

impl Plan {
    /// A plan without checksums, version or source.
    pub fn new(kind: Kind, about: About, file_name: impl Into<String>, total_bytes: u64, part_bytes: u64) -> Self {
        Self {
            format: FORMAT,
            kind,
            about,
            file_name: file_name.into(),
            total_bytes,
            part_bytes,
            sha256: None,
            part_sha256: Vec::new(),
            version: None,
            source: serde_json::Value::Null,
        }
    }

    /// Number of parts.
    pub fn n_parts(&self) -> usize {
        usize::try_from(self.total_bytes.div_ceil(self.part_bytes.max(1))).unwrap_or(usize::MAX)
    }

    /// Which bytes part `index` holds.
    pub fn part_range(&self, index: usize) -> Range<u64> {
        let start = (index as u64).saturating_mul(self.part_bytes).min(self.total_bytes);
        start..start.saturating_add(self.part_bytes).min(self.total_bytes)
    }

    /// What is wrong with it, if anything. A plan may come from a file or a server.
    pub(super) fn problem(&self) -> Option<String> {
        let is_hash = |text: &String| text.len() == 64 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        let name = &self.file_name;
        let is_gguf = name.len() > 5 && name.to_ascii_lowercase().ends_with(".gguf");
        let is_plain = !name.starts_with('.') && !name.contains(['/', '\\', '\0', ':']) && name.len() <= 200;
        if self.format != FORMAT {
            Some(format!("it has format {}", self.format))
        } else if self.total_bytes == 0 || self.part_bytes == 0 || self.total_bytes > i64::MAX as u64 {
            Some(format!("{} bytes in parts of {} bytes", self.total_bytes, self.part_bytes))
        } else if self.total_bytes.div_ceil(self.part_bytes) > 1 << 20 {
            Some(format!("{} bytes in parts of {} bytes are too many parts", self.total_bytes, self.part_bytes))
        } else if !is_gguf || !is_plain {
            Some(format!("`{name}` is no name for a model file"))
        } else if !self.part_sha256.is_empty() && self.part_sha256.len() != self.n_parts() {
            Some(format!("{} checksums for {} parts", self.part_sha256.len(), self.n_parts()))
        } else if !self.sha256.iter().chain(&self.part_sha256).all(is_hash) {
            Some("a checksum is not 64 hexadecimal digits".to_owned())
        } else {
            None
        }
    }

    /// The same for plans that assemble the same bytes in the same parts under the same name.
    pub(super) fn identity(&self) -> String {
        let facts = serde_json::json!([
            self.format,
            self.kind,
            self.file_name,
            self.total_bytes,
            self.part_bytes,
            self.sha256,
            self.part_sha256,
            self.version,
        ]);
        sha256_hex(facts.to_string().as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(total: u64, part: u64) -> Plan {
        Plan::new(Kind::Import, About::default(), "m.gguf", total, part)
    }

    #[test]
    fn parts_cover_everything_once() {
        for (total, part, expected) in
            [(10, 4, vec![0..4, 4..8, 8..10]), (8, 4, vec![0..4, 4..8]), (5, 4, vec![0..4, 4..5])]
        {
            let plan = plan(total, part);
            let ranges: Vec<_> = (0..plan.n_parts()).map(|index| plan.part_range(index)).collect();
            assert_eq!(ranges, expected, "{total} {part}");
        }
        assert_eq!(plan(10, 4).part_range(usize::MAX), 10..10);
    }

    #[test]
    fn a_plan_that_cannot_be_is_refused() {
        let refused = |change: &dyn Fn(&mut Plan)| {
            let mut plan = plan(10, 4);
            change(&mut plan);
            assert!(plan.problem().is_some(), "{plan:?}");
        };
        assert_eq!(plan(10, 4).problem(), None);
        refused(&|plan| plan.total_bytes = 0);
        refused(&|plan| plan.part_bytes = 0);
        refused(&|plan| plan.total_bytes = u64::MAX);
        refused(&|plan| plan.total_bytes = 1 << 40);
        refused(&|plan| plan.format = 2);
        refused(&|plan| plan.part_sha256 = vec!["0".repeat(64)]);
        refused(&|plan| plan.sha256 = Some("0".repeat(63)));
        refused(&|plan| plan.sha256 = Some("A".repeat(64)));
        for name in ["", ".gguf", ".m.gguf", "../m.gguf", "a/m.gguf", "a\\m.gguf", "c:m.gguf", "m.txt"] {
            refused(&|plan| plan.file_name = name.to_owned());
        }
    }

    #[test]
    fn only_what_decides_the_bytes_tells_plans_apart() {
        let one = plan(10, 4);
        let mut other = one.clone();
        other.source = serde_json::json!("another mirror");
        other.about.name = "Gemma".to_owned();
        assert_eq!(one.identity(), other.identity());
        other.version = Some("changed".to_owned());
        assert_ne!(one.identity(), other.identity());
    }
}
