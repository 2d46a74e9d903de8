//! The models folder and the demo model.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use crate::error::Error;
use crate::incoming::folder::file_name;
use crate::incoming::record::record_path;
use crate::incoming::take_patiently;
use crate::inspection::{Inspection, inspect};

/// The demo model's id.
pub const DEMO_ID: &str = "demo";

/// A model that can be used.
#[derive(Debug, Clone, PartialEq)]
pub struct InstalledModel {
    /// Opaque; the same as long as the file keeps its name.
    pub id: String,
    /// The file.
    pub path: PathBuf,
    /// What it is.
    pub inspection: Arc<Inspection>,
}

/// A file in the models folder that ends in `.gguf` and cannot be used.
#[derive(Debug)]
pub struct UnusableFile {
    /// Opaque id, with which it can be removed.
    pub id: String,
    /// The file.
    pub path: PathBuf,
    /// Why not.
    pub error: Error,
}

/// What is installed.
#[derive(Debug, Default)]
pub struct Listing {
    /// Models that can be used, by file name; the demo model last.
    pub models: Vec<InstalledModel>,
    /// Files that cannot.
    pub unusable: Vec<UnusableFile>,
}

/// What tells a file from an earlier one of the same name.
type Version = (u64, Option<SystemTime>);

/// The models folder and the demo model. Share it: it remembers inspections.
#[derive(Debug)]
pub struct Catalog {
    folder: PathBuf,
    demo: Option<PathBuf>,
    packed_dirs: Vec<PathBuf>,
    inspected: Mutex<HashMap<PathBuf, (Version, Arc<Inspection>)>>,
}

impl Catalog {
    /// The models in `folder`, which need not exist yet, and the demo model's file.
    pub fn new(folder: PathBuf, demo: Option<PathBuf>) -> Self {
        Self { folder, demo, packed_dirs: Vec::new(), inspected: Mutex::default() }
    }

    /// The same, with the folders where the processor's packed weights are kept: a model that is removed takes its own
    /// along.
    pub fn with_packed_dirs(self, packed_dirs: Vec<PathBuf>) -> Self {
        Self { packed_dirs, ..self }
    }

    /// Bytes of packed weights, which may be deleted at any time and are made again when they are needed.
    pub fn packed_bytes(&self) -> u64 {
        gemma4::packed::bytes_in(&self.packed_dirs)
    }

    /// The models folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Everything that is installed.
    ///
    /// # Errors
    /// If the folder exists and cannot be listed.
    pub fn list(&self) -> Result<Listing, Error> {
        let mut listing = Listing::default();
        let demo = self.demo.as_ref().filter(|path| path.exists()).map(|path| (DEMO_ID.to_owned(), path.clone()));
        for (id, path) in self.files()?.into_iter().map(|path| (id_of(&path), path)).chain(demo) {
            match self.inspect(&path) {
                Ok(inspection) => listing.models.push(InstalledModel { id, path, inspection }),
                Err(error) => listing.unusable.push(UnusableFile { id, path, error }),
            }
        }
        Ok(listing)
    }

    /// The installed model with this id.
    ///
    /// # Errors
    /// If there is none, or its file cannot be used.
    pub fn find(&self, id: &str) -> Result<InstalledModel, Error> {
        let path = self.path_of(id)?;
        Ok(InstalledModel { id: id.to_owned(), inspection: self.inspect(&path)?, path })
    }

    /// Deletes the installed model, or the unusable file, with this id.
    ///
    /// # Errors
    /// If there is none, it is the demo model, or its file cannot be deleted.
    pub fn remove(&self, id: &str) -> Result<(), Error> {
        if id == DEMO_ID {
            return Err(Error::DemoStays);
        }
        let path = self.path_of(id)?;
        let _lock = take_patiently(&self.folder)?;
        fs::remove_file(&path).map_err(|cause| Error::Delete { path: path.clone(), cause })?;
        // One that stays is deleted with the next change of the folder.
        let _ = fs::remove_file(record_path(&path));
        gemma4::packed::remove(&path, &self.packed_dirs);
        self.inspections().remove(&path);
        tracing::info!(model = %path.display(), "removed");
        Ok(())
    }

    /// The model in the file at `path` in the folder.
    pub(crate) fn installed_at(&self, path: &Path) -> Result<InstalledModel, Error> {
        Ok(InstalledModel { id: id_of(path), inspection: self.inspect(path)?, path: path.to_owned() })
    }

    pub(crate) fn path_of(&self, id: &str) -> Result<PathBuf, Error> {
        let missing = || Error::NoSuchModel { id: id.to_owned() };
        if id == DEMO_ID {
            return self.demo.clone().filter(|path| path.exists()).ok_or_else(missing);
        }
        self.files()?.into_iter().find(|path| id_of(path) == id).ok_or_else(missing)
    }

    /// The model files in the folder, by name. Hidden files and copies under way are none.
    pub(crate) fn files(&self) -> Result<Vec<PathBuf>, Error> {
        let failed = |cause| Error::Folder { path: self.folder.clone(), cause };
        let entries = match fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(failed(error)),
        };
        let mut files = Vec::new();
        for entry in entries {
            let path = entry.map_err(failed)?.path();
            let is_gguf = path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("gguf"));
            if is_gguf && !file_name(&path).starts_with('.') && path.is_file() {
                files.push(path);
            }
        }
        files.sort();
        Ok(files)
    }

    /// [`inspect`], once for each version of a file.
    fn inspect(&self, path: &Path) -> Result<Arc<Inspection>, Error> {
        let version = fs::metadata(path).map(|facts| (facts.len(), facts.modified().ok())).ok();
        if let (Some(version), Some((known, inspection))) = (version, self.inspections().get(path))
            && *known == version
        {
            return Ok(Arc::clone(inspection));
        }
        let inspection = Arc::new(inspect(path)?);
        if let Some(version) = version {
            self.inspections().insert(path.to_owned(), (version, Arc::clone(&inspection)));
        }
        Ok(inspection)
    }

    fn inspections(&self) -> std::sync::MutexGuard<'_, HashMap<PathBuf, (Version, Arc<Inspection>)>> {
        // A memory of pure facts is whole whatever happened to the thread that held it.
        self.inspected.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An id that tells nothing and stays the same while the file keeps its name: 64-bit FNV-1a of the name.
fn id_of(path: &Path) -> String {
    let hash = file_name(path)
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    format!("m{hash:016x}")
}
