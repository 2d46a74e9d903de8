//! The models that Aula offers to download: `models/*.toml`, built into the program. Nothing is fetched to know them.

mod shape;

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use hardware::HardwareProfile;
use hf_hub::{Cache, Repo, RepoType};
use serde::Deserialize;

use crate::fit::{Backends, Candidate, FileStamp};
use crate::incoming::Record;
use crate::incoming::record::record_of;
use crate::inspection::Inspection;
use crate::installed::InstalledModel;

pub use shape::Variant;

/// In the order in which they are offered to somebody who has no preference.
const TEXTS: &[&str] = &[
    include_str!("../../../models/gemma-4-e2b-google-q4_0.toml"),
    include_str!("../../../models/gemma-4-e4b-google-q4_0.toml"),
    include_str!("../../../models/gemma-4-e2b-unsloth-q4_k_m.toml"),
    include_str!("../../../models/gemma-4-e4b-unsloth-q4_k_m.toml"),
    include_str!("../../../models/gemma-4-e4b-ggml-q4_k_m.toml"),
    include_str!("../../../models/gemma-4-e2b-ggml-q8_0.toml"),
    include_str!("../../../models/gemma-4-e2b-bartowski-q4_k_m.toml"),
    include_str!("../../../models/gemma-4-e4b-bartowski-q4_k_m.toml"),
    include_str!("../../../models/gemma-4-e2b-exact-q4_0.toml"),
    include_str!("../../../models/gemma-4-e4b-exact-q4_0.toml"),
];

/// Where the checksum of a file comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HashSource {
    /// It stands in the manifest.
    Published,
    /// It is what the hub reports when the download begins.
    Hub,
}

/// Bytes that the model's tensors take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Memory {
    /// Read for every token: they must stay in one device's memory.
    pub per_token_bytes: u64,
    /// The per-layer table, which stays in the file's map.
    pub per_layer_table_bytes: u64,
}

/// One model that can be downloaded.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Opaque id, the same in every version of the program.
    pub id: String,
    /// Name for people, e.g. `Gemma 4 E2B`.
    pub name: String,
    /// Which model.
    pub variant: Variant,
    /// Quantization, e.g. `Q4_0`.
    pub quantization: String,
    /// Whether the weights were trained for four bits, see [`Inspection::qat`].
    pub qat: bool,
    /// Who publishes it, e.g. `google`.
    pub publisher: String,
    /// Licence, as an SPDX expression.
    pub license: String,
    /// The repository on the hub, e.g. `google/gemma-4-E2B-it-qat-q4_0-gguf`.
    pub repository: String,
    /// The commit, 40 hexadecimal digits; `main` where none is on record.
    pub revision: String,
    /// The file in the repository.
    pub file: String,
    /// Its size in bytes.
    pub bytes: u64,
    /// Whether that size is exact; otherwise it is what people are told, and the hub says the exact one.
    pub bytes_exact: bool,
    /// Where the checksum comes from.
    pub hash: HashSource,
    /// SHA-256 of the file as 64 lower-case hexadecimal digits, where it is published.
    pub sha256: Option<String>,
    /// What its tensors take.
    pub memory: Memory,
}

/// A file that another program on this computer downloaded from the hub.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SharedCopy {
    /// Which model it is, by repository and name; its content was not looked at.
    pub manifest: &'static Manifest,
    /// The file.
    pub path: PathBuf,
}

/// Every model that can be downloaded, in the order in which they are offered.
pub fn offers() -> &'static [Manifest] {
    static OFFERS: OnceLock<Vec<Manifest>> = OnceLock::new();
    OFFERS.get_or_init(|| {
        let read = |text: &&str| match toml::from_str::<Manifest>(text) {
            Ok(manifest) => Some(manifest),
            // A test reads them all, so this is a manifest that was changed and not tested.
            Err(error) => {
                tracing::error!(%error, "a manifest is left out");
                None
            }
        };
        TEXTS.iter().filter_map(read).collect()
    })
}

/// The model with this id.
pub fn offer(id: &str) -> Option<&'static Manifest> {
    offers().iter().find(|manifest| manifest.id == id)
}

/// The models among [`offers`] that lie in the cache which programs that use the hub share.
pub fn in_shared_cache() -> Vec<SharedCopy> {
    let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    shared_cache(variable).map(|folder| copies_in(&folder)).unwrap_or_default()
}

fn copies_in(cache: &Path) -> Vec<SharedCopy> {
    let found = |manifest: &'static Manifest| {
        manifest.cached_in(&Cache::new(cache.to_owned())).map(|path| SharedCopy { manifest, path })
    };
    offers().iter().filter_map(found).collect()
}

/// Where that cache lies, by the customs of the hub's own programs.
fn shared_cache(variable: impl Fn(&str) -> Option<PathBuf>) -> Option<PathBuf> {
    if let Some(folder) = variable("HF_HUB_CACHE") {
        return Some(folder);
    }
    let home = || variable(if cfg!(windows) { "USERPROFILE" } else { "HOME" });
    let huggingface = match (variable("HF_HOME"), variable("XDG_CACHE_HOME")) {
        (Some(folder), _) => folder,
        (None, Some(cache)) => cache.join("huggingface"),
        (None, None) => home()?.join(".cache/huggingface"),
    };
    Some(huggingface.join("hub"))
}

impl Manifest {
    /// Repository and revision as the hub's programs name them.
    pub fn repo(&self) -> Repo {
        Repo::with_revision(self.repository.clone(), RepoType::Model, self.revision.clone())
    }

    /// The address of the file below `hub`, e.g. `https://huggingface.co`.
    pub fn address(&self, hub: &str) -> String {
        let repo = self.repo();
        // A revision may be the name of a branch with a slash in it.
        let revision = repo.revision().replace('/', "%2F");
        format!("{}/{}/resolve/{revision}/{}", hub.trim_end_matches('/'), self.repository, self.file)
    }

    /// The file in `cache`, in this revision or in the latest one that was fetched there.
    fn cached_in(&self, cache: &Cache) -> Option<PathBuf> {
        let pinned = cache.repo(self.repo()).pointer_path(&self.revision).join(&self.file);
        let latest = || cache.model(self.repository.clone()).get(&self.file);
        Some(pinned).filter(|path| path.is_file()).or_else(latest).filter(|path| path.is_file())
    }

    /// The model on every device of the computer that `profile` describes and on which this build can compute, best
    /// first, as if it were installed.
    pub fn candidates(&self, profile: &HardwareProfile, context_len: usize, backends: Backends) -> Vec<Candidate> {
        let file = FileStamp { name: self.file_name(), bytes: self.bytes, modified: 0 };
        let model = InstalledModel {
            id: self.id.clone(),
            path: PathBuf::from(self.file_name()),
            inspection: Arc::new(self.expected()),
        };
        let found = model.candidates(profile, context_len, backends);
        found.into_iter().map(|candidate| Candidate { file: file.clone(), ..candidate }).collect()
    }

    /// The name under which the file is installed. Several publishers use one name for different files; the id is unique.
    pub fn file_name(&self) -> String {
        format!("{}.gguf", self.id)
    }

    /// The file in the models folder `folder` that is this model: the one that was downloaded, or one with its published
    /// checksum that came another way.
    pub fn installed_in(&self, folder: &Path) -> Option<String> {
        if folder.join(self.file_name()).is_file() {
            return Some(self.file_name());
        }
        let published = self.sha256.as_ref()?;
        let records = std::fs::read_dir(folder).ok()?.flatten().map(|entry| entry.path());
        records
            .filter(|path| record_of(&path.file_name().unwrap_or_default().to_string_lossy()).is_some())
            .filter_map(|path| Record::read(&path).ok())
            .find(|record| record.sha256 == *published && folder.join(&record.file).is_file())
            .map(|record| record.file)
    }

    /// What the file will say about itself, as far as choosing takes it.
    fn expected(&self) -> Inspection {
        Inspection {
            name: self.name.clone(),
            quantization: self.quantization.clone(),
            qat: self.qat,
            demo: false,
            file_bytes: self.bytes,
            resident_bytes: self.memory.per_token_bytes,
            per_layer_table_bytes: self.memory.per_layer_table_bytes,
            effective_parameters: self.variant.effective_parameters(),
            n_tensors: 0,
            tensor_types: std::collections::BTreeMap::new(),
            config: self.variant.config(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use test_support::synth::{Mix, Shape, Size, TensorPlan, plan};

    fn is_hex(text: &str, digits: usize) -> bool {
        text.len() == digits && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    }

    #[test]
    fn every_manifest_can_be_read_and_makes_sense() {
        assert_eq!(offers().len(), TEXTS.len(), "one could not be read");
        assert_eq!(
            std::fs::read_dir("../../models")
                .expect("a folder")
                .filter(|entry| {
                    entry.as_ref().is_ok_and(|entry| entry.path().extension().is_some_and(|ending| ending == "toml"))
                })
                .count(),
            TEXTS.len(),
            "one is not built in"
        );
        let ids: BTreeSet<_> = offers().iter().map(|manifest| &manifest.id).collect();
        assert_eq!(ids.len(), offers().len());
        for one in offers() {
            let id = &one.id;
            assert!(one.revision == "main" || is_hex(&one.revision, 40), "{id}");
            assert_eq!(one.sha256.is_some(), one.hash == HashSource::Published, "{id}");
            assert!(one.sha256.as_ref().is_none_or(|hash| is_hex(hash, 64)), "{id}");
            assert!(one.bytes_exact || one.hash == HashSource::Hub, "{id}: a checksum belongs to one size");
            assert!(one.repository.split('/').count() == 2 && one.repository.starts_with(&one.publisher), "{id}");
            assert!(one.file.ends_with(".gguf") && !one.file.contains('/'), "{id}");
            assert_eq!((one.license.as_str(), offer(id)), ("Apache-2.0", Some(one)));
            // Tokenizer, template and tensor table take about 15.8 MB.
            let header = one.bytes.abs_diff(one.memory.per_token_bytes + one.memory.per_layer_table_bytes);
            // Keys and values of sharing layers, and in bartowski's files more tensors in larger types than is known.
            let unused = if one.qat { 0 } else { 90_000_000 };
            assert!((10_000_000..30_000_000 + unused).contains(&header), "{id}: {header}");
        }
        let first: Vec<_> = offers().iter().take(2).map(|one| (one.publisher.as_str(), one.qat)).collect();
        assert_eq!(first, [("google", true); 2]);
    }

    #[test]
    fn memory_and_parameters_are_those_of_the_tensors() {
        for one in offers() {
            let mix = match (one.publisher.as_str(), one.quantization.as_str()) {
                ("google", "Q4_0") => Mix::GoogleQatQ4_0,
                ("xbill9", "Q4_0") => Mix::ExactQ4_0,
                ("unsloth", "Q4_K_M") => Mix::UnslothQ4KM,
                ("bartowski", "Q4_K_M") => Mix::BartowskiQ4KM,
                ("ggml-org", "Q4_K_M") => Mix::GgmlQ4KM,
                ("ggml-org", "Q8_0") => Mix::Q8_0,
                other => panic!("{other:?}"),
            };
            let size = match one.variant {
                Variant::E2B => Size::E2b,
                Variant::E4B => Size::E4b,
            };
            let tensors = plan(&Shape::of(size), mix);
            let used = || tensors.iter().filter(|tensor| !tensor.is_shared_kv);
            let bytes = |tensor: &TensorPlan| tensor.kind.bytes(tensor.shape.iter().product()) as u64;
            let is_table = |tensor: &&TensorPlan| tensor.name == "per_layer_token_embd.weight";
            let table: u64 = used().filter(is_table).map(bytes).sum();
            let per_token = used().map(bytes).sum::<u64>() - table;
            assert_eq!(
                (one.memory.per_token_bytes, one.memory.per_layer_table_bytes),
                (per_token, table),
                "{}",
                one.id
            );
            let parameters: usize = used()
                .filter(|tensor| !is_table(tensor) && tensor.name != "rope_freqs.weight")
                .map(|tensor| tensor.shape.iter().product::<usize>())
                .sum();
            assert_eq!(one.variant.effective_parameters(), parameters as u64, "{}", one.id);
        }
    }

    #[test]
    fn an_address_is_the_hubs() {
        let google = offer("gemma-4-e2b-google-q4_0").expect("offered");
        assert_eq!(
            google.address("https://hub.example/"),
            "https://hub.example/google/gemma-4-E2B-it-qat-q4_0-gguf/resolve/\
             675cff42a74c774d6cb76f76d8eacb49b48c9b93/gemma-4-E2B_q4_0-it.gguf"
        );
        let branch = Manifest { revision: "refs/pr/1".to_owned(), ..google.clone() };
        assert!(branch.address("https://hub.example").contains("/resolve/refs%2Fpr%2F1/"));
    }

    #[test]
    fn copies_of_other_programs_are_found_in_this_and_in_the_latest_revision() {
        let cache = tempfile::tempdir().expect("a folder");
        assert_eq!(copies_in(cache.path()), []);
        let put = |repository: &str, revision: &str, file: &str| {
            let folder = cache.path().join(format!("models--{}", repository.replace('/', "--")));
            let snapshot = folder.join("snapshots").join(revision);
            std::fs::create_dir_all(&snapshot).expect("a folder");
            std::fs::write(snapshot.join(file), "model").expect("a file");
            std::fs::create_dir_all(folder.join("refs")).expect("a folder");
            std::fs::write(folder.join("refs/main"), revision).expect("a file");
            snapshot.join(file)
        };
        let (e2b, e4b) = (&offers()[0], &offers()[1]);
        let pinned = put(&e2b.repository, &e2b.revision, &e2b.file);
        let latest = put(&e4b.repository, "0123456789012345678901234567890123456789", &e4b.file);
        put(&offers()[2].repository, &offers()[2].revision, "another.gguf");
        let expected = [SharedCopy { manifest: e2b, path: pinned }, SharedCopy { manifest: e4b, path: latest }];
        assert_eq!(copies_in(cache.path()), expected);
    }

    #[test]
    fn the_shared_cache_lies_where_the_hubs_programs_put_it() {
        let home = if cfg!(windows) { "USERPROFILE" } else { "HOME" };
        let check = |set: &[(&str, &str)], expected: Option<&str>| {
            let set: Vec<_> = set.iter().map(|(name, value)| (name.replace("HOME_FOLDER", home), *value)).collect();
            let variable =
                |name: &str| set.iter().find(|(known, _)| known == name).map(|(_, value)| PathBuf::from(value));
            assert_eq!(shared_cache(variable), expected.map(PathBuf::from), "{set:?}");
        };
        check(&[], None);
        check(&[("HOME_FOLDER", "/home/ana")], Some("/home/ana/.cache/huggingface/hub"));
        check(&[("HOME_FOLDER", "/home/ana"), ("XDG_CACHE_HOME", "/x")], Some("/x/huggingface/hub"));
        check(&[("XDG_CACHE_HOME", "/x"), ("HF_HOME", "/hf")], Some("/hf/hub"));
        check(&[("HF_HUB_CACHE", "/c"), ("HF_HOME", "/hf")], Some("/c"));
    }
}
