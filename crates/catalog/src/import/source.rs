//! What is copied in: a model file by itself, or an export with its checksums, which may be split.

use std::fs::{self, File};
use std::io::{self, Read, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use crate::error::Error;
use crate::export::{FOLDER, forget_cached, is_manifest};
use crate::incoming::folder::file_name;
use crate::incoming::record::record_path;
use crate::incoming::{About, Kind, Piece, Plan, Record, sha256_hex};
use crate::inspection::inspect;

/// Parts of a copy from a file without checksums: what a kill costs at most.
pub(crate) const PART_BYTES: u64 = 64 << 20;

/// A model to copy in, and what is known of it before.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    /// The file that a person named; messages name it.
    pub(crate) called: PathBuf,
    /// The files that together are the model, in order.
    files: Vec<(PathBuf, u64)>,
    /// How it is assembled.
    pub(crate) plan: Plan,
}

impl Source {
    /// Looks at `path`: a model file, a manifest of an export, one of its pieces, or a folder with one model in it.
    ///
    /// # Errors
    /// If there is no model, or not exactly one; if pieces are missing or not as long as they should be.
    pub(crate) fn of(path: &Path, part_bytes: u64) -> Result<Self, Error> {
        let facts = fs::metadata(path).map_err(|cause| Error::ReadSource { path: path.to_owned(), cause })?;
        if facts.is_dir() {
            return Self::of(&only_model(path)?, part_bytes);
        }
        if !facts.is_file() {
            return Err(Error::NotAFile { path: path.to_owned() });
        }
        let name = file_name(path);
        if name.ends_with(".toml") {
            return Self::of_record(path, Record::read(path)?, path);
        }
        if let Some((manifest, record)) = manifest_for(path, facts.len()) {
            return Self::of_record(&manifest, record, path);
        }
        if is_piece(&name) {
            let reason = "it is one piece of a model, and the manifest that belongs to it is missing".to_owned();
            return Err(Error::BadRecord { path: path.to_owned(), reason });
        }
        if facts.len() == 0 {
            // There is nothing to copy before the header is looked at, as it is with every other file.
            inspect(path)?;
        }
        let mut plan = Plan::new(Kind::Import, About::default(), target_name(path)?, facts.len(), part_bytes);
        let since = facts.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        plan.version = since.map(|since| format!("{}.{:09}", since.as_secs(), since.subsec_nanos()));
        Ok(Self::with(path, vec![(path.to_owned(), facts.len())], plan))
    }

    /// The model that the record at `manifest` describes.
    fn of_record(manifest: &Path, record: Record, called: &Path) -> Result<Self, Error> {
        let mut files = Vec::new();
        for Piece { file, bytes } in record.files() {
            let path = manifest.with_file_name(file);
            let found = fs::metadata(&path).map_err(|cause| Error::ReadSource { path: path.clone(), cause })?.len();
            if found != bytes {
                let problem = format!("it should have {bytes} bytes and has {found}");
                return Err(Error::Corrupt { what: format!("`{}`", path.display()), problem });
            }
            files.push((path, bytes));
        }
        Ok(Self::with(called, files, record.plan(Kind::Import)))
    }

    fn with(called: &Path, files: Vec<(PathBuf, u64)>, mut plan: Plan) -> Self {
        plan.source = source_json(called);
        Self { called: called.to_owned(), files, plan }
    }

    /// Whether checksums came with it.
    pub(crate) fn has_checksums(&self) -> bool {
        self.plan.sha256.is_some()
    }

    /// Under which its copy is assembled: the same for the same model, wherever it is mounted.
    pub(crate) fn key(&self) -> String {
        let plan = &self.plan;
        let identity = match &plan.sha256 {
            Some(sha256) => sha256.clone(),
            None => sha256_hex(format!("{} {}", plan.total_bytes, plan.file_name).as_bytes()),
        };
        format!("import-{}", &identity[..24])
    }

    /// Reads the bytes from `at` on.
    pub(crate) fn reader(&self, at: u64) -> SourceReader<'_> {
        SourceReader { source: self, at, file: None }
    }

    /// Makes the next reads come from the disk, where the system can.
    pub(crate) fn forget_cached(&self) {
        for (path, _) in &self.files {
            if let Ok(file) = File::open(path) {
                forget_cached(&file);
            }
        }
    }

    /// What a failed read means: the disk is gone, or the file cannot be read.
    pub(crate) fn unreadable(&self, cause: io::Error) -> Error {
        let gone = self.files.iter().find(|(path, _)| !path.exists());
        match gone {
            Some((path, _)) => Error::SourceGone { path: path.clone(), cause },
            None if is_gone(&cause) => Error::SourceGone { path: self.called.clone(), cause },
            None => Error::ReadSource { path: self.called.clone(), cause },
        }
    }
}

/// How a plan says where its bytes come from.
pub(crate) fn source_json(path: &Path) -> serde_json::Value {
    serde_json::json!({ "path": path.to_string_lossy() })
}

/// Errors that mean that a disk or a share went away, whatever names are still remembered.
fn is_gone(cause: &io::Error) -> bool {
    let kind = matches!(
        cause.kind(),
        io::ErrorKind::NotFound
            | io::ErrorKind::NotConnected
            | io::ErrorKind::StaleNetworkFileHandle
            | io::ErrorKind::HostUnreachable
            | io::ErrorKind::NetworkUnreachable
            | io::ErrorKind::NetworkDown
            | io::ErrorKind::TimedOut
    );
    let device = if cfg!(windows) {
        // Not ready, unexpected network error, name deleted, no such device, not connected.
        [21, 59, 64, 433, 1167].as_slice()
    } else {
        // No such device or address, no such device, no medium.
        [6, 19, 123].as_slice()
    };
    kind || cause.raw_os_error().is_some_and(|code| device.contains(&code))
}

/// The files of a source, read as one.
pub(crate) struct SourceReader<'a> {
    source: &'a Source,
    at: u64,
    /// The open file and where in the whole it ends.
    file: Option<(File, u64)>,
}

impl Read for SourceReader<'_> {
    fn read(&mut self, block: &mut [u8]) -> io::Result<usize> {
        if self.at >= self.source.plan.total_bytes || block.is_empty() {
            return Ok(0);
        }
        if self.file.as_ref().is_none_or(|(_, end)| self.at >= *end) {
            self.file = Some(self.open()?);
        }
        let Some((file, end)) = &mut self.file else { return Ok(0) };
        let most = usize::try_from(*end - self.at).unwrap_or(usize::MAX).min(block.len());
        let count = file.read(&mut block[..most])?;
        self.at += count as u64;
        Ok(count)
    }
}

impl SourceReader<'_> {
    fn open(&self) -> io::Result<(File, u64)> {
        let mut start = 0;
        for (path, bytes) in &self.source.files {
            if self.at < start + bytes {
                let mut file = File::open(path)?;
                file.seek(SeekFrom::Start(self.at - start))?;
                return Ok((file, start + bytes));
            }
            start += bytes;
        }
        Err(io::ErrorKind::UnexpectedEof.into())
    }
}

/// The manifest or record beside the file at `path` that describes it.
fn manifest_for(path: &Path, n_bytes: u64) -> Option<(PathBuf, Record)> {
    let name = file_name(path);
    let beside = record_path(path);
    let folder = path.parent()?;
    let manifests = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let candidates = manifests.filter(|path| is_manifest(&file_name(path)));
    let described = |record: &Record| record.files().iter().any(|piece| piece.file == name && piece.bytes == n_bytes);
    [beside].into_iter().chain(candidates).find_map(|manifest| {
        let record = Record::read(&manifest).ok().filter(described)?;
        Some((manifest, record))
    })
}

/// Whether `name` is that of a split model's piece: `name.gguf.001`.
pub(crate) fn is_piece(name: &str) -> bool {
    name.rsplit_once('.').is_some_and(|(front, number)| {
        front.to_ascii_lowercase().ends_with(".gguf") && number.len() == 3 && number.bytes().all(|b| b.is_ascii_digit())
    })
}

/// Model files and manifests directly in `folder`, by name. A file that a manifest describes is left out.
pub(crate) fn models_in(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = file_name(&path);
        if !name.starts_with('.') && path.is_file() {
            names.push((name, path));
        }
    }
    names.sort();
    let manifests: Vec<_> = names.iter().filter(|(name, _)| is_manifest(name)).map(|(_, path)| path.clone()).collect();
    let described: Vec<String> = manifests
        .iter()
        .filter_map(|path| Record::read(path).ok())
        .flat_map(|record| record.files())
        .map(|piece| piece.file)
        .collect();
    let is_gguf = |name: &str| name.to_ascii_lowercase().ends_with(".gguf");
    let files = names.into_iter().filter(|(name, _)| is_gguf(name) && !described.contains(name)).map(|(_, path)| path);
    Ok(manifests.iter().cloned().chain(files).collect())
}

/// The one model in `folder`, or in the folder of exports in it.
fn only_model(folder: &Path) -> Result<PathBuf, Error> {
    let unreadable = |cause| Error::ReadSource { path: folder.to_owned(), cause };
    let mut found = models_in(folder).map_err(unreadable)?;
    found.extend(models_in(&folder.join(FOLDER)).unwrap_or_default());
    match found.as_slice() {
        [] => Err(Error::NoModelInFolder { path: folder.to_owned() }),
        [one] => Ok(one.clone()),
        several => {
            let short = |path: &PathBuf| path.strip_prefix(folder).unwrap_or(path).display().to_string();
            Err(Error::SeveralModels { path: folder.to_owned(), files: several.iter().map(short).collect() })
        }
    }
}

/// The name under which `source` is installed: its own, visible, ending in `.gguf`.
fn target_name(source: &Path) -> Result<String, Error> {
    let name = file_name(source);
    let visible = name.trim_start_matches('.');
    if visible.is_empty() {
        return Err(Error::NotAFile { path: source.to_owned() });
    }
    let is_gguf = Path::new(visible).extension().is_some_and(|ending| ending.eq_ignore_ascii_case("gguf"));
    Ok(if is_gguf { visible.to_owned() } else { format!("{visible}.gguf") })
}
