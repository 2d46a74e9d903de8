//! Where models can be copied in from: sticks and other disks, picked folders and files, and what another program on
//! this computer downloaded.
//!
//! Looking is bounded in time and number, and never maps a file that lies elsewhere: the beginning of each file is
//! copied aside, as much as the header takes, and inspected there. That also shows how fast the disk reads.

mod head;
mod places;

use std::cmp::Reverse;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use hardware::HardwareProfile;

use self::head::Head;
use crate::error::Error;
use crate::fit::{Backends, Candidate};
use crate::import::source::{PART_BYTES, Source, models_in};
use crate::incoming::folder::file_name;
use crate::inspection::Inspection;
use crate::installed::{Catalog, InstalledModel};

/// After so long no further file is looked into; it is listed by what its name and manifest say.
const PATIENCE: Duration = Duration::from_secs(10);
/// Most models that one place lists.
const MODELS_LIMIT: usize = 40;
/// Most folders of a place that are looked into.
const FOLDERS_LIMIT: usize = 200;

/// What kind of place it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PlaceKind {
    /// A memory stick or another disk that can be pulled out, or a share that is mounted like one.
    Removable,
    /// A folder that a person picked.
    Folder,
    /// A file that a person picked.
    File,
    /// What another program on this computer downloaded from the hub.
    SharedCache,
}

/// A place, and the models in it.
#[derive(Debug)]
pub struct Place {
    /// What kind of place.
    pub kind: PlaceKind,
    /// Its path; the stick's mount point, the picked folder or file.
    pub path: PathBuf,
    /// Name for people: the last part of the path.
    pub label: String,
    /// The models, best for this computer first; those that cannot be copied last.
    pub models: Vec<FoundModel>,
}

/// A model that can be copied in, or why not.
#[derive(Debug)]
pub struct FoundModel {
    /// What [`Catalog::import_with`] takes: a model file or an export's manifest.
    pub path: PathBuf,
    /// SHA-256 of the file where it is known although no manifest lies beside it, for
    /// [`ImportOptions::sha256`](crate::ImportOptions::sha256).
    pub sha256: Option<String>,
    /// Name for people; the file's name where the file does not tell.
    pub name: String,
    /// Quantization; empty where the file does not tell.
    pub quantization: String,
    /// Size in bytes; 0 where it is not known.
    pub bytes: u64,
    /// Whether checksums are known, with which the copy is compared.
    pub has_checksums: bool,
    /// Whether it is installed already.
    pub installed: bool,
    /// Seconds that copying will take, as far as a sample of the disk's speed tells.
    pub seconds: Option<f64>,
    /// What its header says; `None` where it could not be looked into in time.
    pub inspection: Option<Arc<Inspection>>,
    /// The model on the device that suits it best: the first on which it fits, otherwise the processor.
    pub candidate: Option<Candidate>,
    /// Why it cannot be copied.
    pub problem: Option<Error>,
}

impl FoundModel {
    /// Whether this computer has the memory for it. A model that nobody looked into is judged by its size.
    pub fn fits(&self, profile: &HardwareProfile) -> bool {
        match &self.candidate {
            Some(candidate) => candidate.fits(),
            None => self.problem.is_none() && self.bytes <= crate::fit::usable_on_cpu(profile),
        }
    }
}

/// For whom the models are judged.
#[derive(Debug, Clone, Copy)]
pub struct Judge<'a> {
    /// The computer.
    pub profile: &'a HardwareProfile,
    /// Context length in tokens.
    pub context_len: usize,
    /// What this build can compute on.
    pub backends: Backends,
}

impl Catalog {
    /// Everything on this computer that models can be copied from without anybody picking it: disks that can be pulled
    /// out, and the shared cache of the hub's programs. Places without a model are left out.
    ///
    /// Takes up to some seconds for each disk: do not call it where somebody waits for the next frame.
    pub fn places(&self, judge: Judge<'_>) -> Vec<Place> {
        let disks = places::removable().into_iter();
        let disks = disks.filter_map(|path| self.look_at(PlaceKind::Removable, &path, judge).ok());
        disks.chain(self.shared_cache(judge)).filter(|place| !place.models.is_empty()).collect()
    }

    /// The models at `path`: a folder with the folders directly in it, or one file.
    ///
    /// # Errors
    /// If the folder cannot be listed. A file that cannot be used is listed with its problem.
    pub fn look_at(&self, kind: PlaceKind, path: &Path, judge: Judge<'_>) -> Result<Place, Error> {
        let found = if path.is_dir() { search(path)? } else { vec![path.to_owned()] };
        Ok(self.place(kind, path, found.into_iter().map(|path| (path, None)).collect(), judge))
    }

    /// What the hub's programs downloaded, of the models that this program knows.
    fn shared_cache(&self, judge: Judge<'_>) -> Option<Place> {
        let copies = crate::manifest::in_shared_cache();
        let folder = copies.first()?.path.parent()?.to_owned();
        let found = copies.into_iter().map(|copy| (copy.path, copy.manifest.sha256.clone())).collect();
        let mut place = self.place(PlaceKind::SharedCache, &folder, found, judge);
        place.label = "Hugging Face".to_owned();
        Some(place)
    }

    fn place(
        &self,
        kind: PlaceKind,
        path: &Path,
        mut found: Vec<(PathBuf, Option<String>)>,
        judge: Judge<'_>,
    ) -> Place {
        let deadline = Instant::now() + PATIENCE;
        found.truncate(MODELS_LIMIT);
        let look = |(path, sha256): (PathBuf, Option<String>)| self.look(&path, sha256, deadline, judge);
        let mut models: Vec<_> = found.into_iter().map(look).collect();
        let rank = |model: &FoundModel| {
            let parameters = model.inspection.as_ref().map_or(0, |inspection| inspection.effective_parameters);
            let is_qat = model.inspection.as_ref().is_some_and(|inspection| inspection.qat);
            (model.problem.is_some(), !model.fits(judge.profile), Reverse(parameters), !is_qat, model.bytes)
        };
        models.sort_by_key(rank);
        let name = file_name(path);
        let label = if name.is_empty() { path.display().to_string() } else { name };
        Place { kind, path: path.to_owned(), label, models }
    }

    fn look(&self, path: &Path, sha256: Option<String>, deadline: Instant, judge: Judge<'_>) -> FoundModel {
        let mut found = FoundModel {
            path: path.to_owned(),
            sha256: None,
            name: file_name(path),
            quantization: String::new(),
            bytes: std::fs::metadata(path).map_or(0, |facts| facts.len()),
            has_checksums: false,
            installed: false,
            seconds: None,
            inspection: None,
            candidate: None,
            problem: None,
        };
        if let Err(error) = self.look_into(&mut found, sha256, deadline, judge) {
            found.problem = Some(error);
        }
        found
    }

    fn look_into(
        &self,
        found: &mut FoundModel,
        sha256: Option<String>,
        deadline: Instant,
        judge: Judge<'_>,
    ) -> Result<(), Error> {
        let mut source = Source::of(&found.path, PART_BYTES)?;
        found.bytes = source.plan.total_bytes;
        if !source.has_checksums() {
            found.sha256.clone_from(&sha256);
            source.plan.sha256 = sha256;
        }
        found.has_checksums = source.has_checksums();
        let about = &source.plan.about;
        if !about.name.is_empty() {
            (found.name, found.quantization) = (about.name.clone(), about.quantization.clone());
        }
        if Instant::now() >= deadline {
            return Ok(());
        }
        for installed in self.files()? {
            found.installed |= self.is_same(&source, &installed)?;
        }
        let head = Head::copy(&source, self.folder())?;
        found.seconds = head.bytes_per_second.map(|speed| found.bytes as f64 / speed);
        let inspection = Arc::new(head.inspect(&source.called)?);
        (found.name, found.quantization) = (inspection.name.clone(), inspection.quantization.clone());
        found.inspection = Some(Arc::clone(&inspection));
        let model = InstalledModel { id: String::new(), path: found.path.clone(), inspection };
        let candidates = model.candidates(judge.profile, judge.context_len, judge.backends);
        let best = candidates.into_iter().find(Candidate::fits);
        found.candidate = best.or_else(|| Some(model.candidate(judge.profile, judge.context_len)));
        Ok(())
    }
}

/// Model files and manifests in `folder` and in the folders directly in it.
fn search(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let unreadable = |cause| Error::ReadSource { path: folder.to_owned(), cause };
    let mut found = models_in(folder).map_err(unreadable)?;
    let mut inner: Vec<_> = std::fs::read_dir(folder)
        .map_err(unreadable)?
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| !file_name(path).starts_with('.') && path.is_dir())
        .take(FOLDERS_LIMIT)
        .collect();
    inner.sort();
    // A folder that may not be read is no reason to hide the others.
    found.extend(inner.iter().flat_map(|folder| models_in(folder).unwrap_or_default()));
    Ok(found)
}
