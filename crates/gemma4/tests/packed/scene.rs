//! A model with folders for its packed weights, and a small disk.

use std::{
    fs,
    io::Write as _,
    num::NonZero,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
};

use gemma4::{
    gguf::GgufFile,
    packed::{MatrixId, Origin, PackOptions, PackedWeights, Packing},
};
use kernels::Matrix;
use test_support::{
    TempDir,
    synth::{Mix, Size, Spec, write_model},
    temp_folder,
};

/// A model file and a folder for its packed weights.
pub(crate) struct Scene {
    pub(crate) root: TempDir,
    pub(crate) model: PathBuf,
    pub(crate) dirs: Vec<PathBuf>,
}

impl Scene {
    pub(crate) fn new() -> Self {
        Self::of(Mix::GgmlQ4KM)
    }

    pub(crate) fn of(mix: Mix) -> Self {
        let root = temp_folder();
        let model = root.path().join("models/model.gguf");
        fs::create_dir(root.path().join("models")).unwrap();
        write_model(&model, Spec::new(Size::Tiny, mix)).unwrap();
        let dirs = vec![root.path().join("first/packed"), root.path().join("second/packed")];
        Self { root, model, dirs }
    }

    pub(crate) fn open(&self) -> PackedWeights {
        open(&self.model, &self.dirs)
    }

    /// [`Self::open`], and the file has its name.
    pub(crate) fn open_and_finish(&self) -> PackedWeights {
        let mut weights = self.open();
        weights.finish();
        weights
    }

    /// The weights as they are without any file.
    pub(crate) fn expected(&self) -> Vec<u8> {
        let weights = open(&self.model, &[]);
        assert_eq!(*weights.origin(), Origin::Memory);
        bytes(&weights, &self.model)
    }

    pub(crate) fn assert_right(&self, weights: &PackedWeights) {
        assert!(bytes(weights, &self.model) == self.expected(), "other weights than the model's");
    }
}

/// Names every matrix of the model that can be packed.
pub(crate) fn plan(file: &Arc<GgufFile>) -> (Packing<'_>, Vec<MatrixId>) {
    let mut packing = Packing::new(file);
    let matrices = file.tensors().iter().filter(|info| info.shape.len() == 2);
    let ids = matrices.map(|info| packing.matrix(&info.name, info.shape[0], info.shape[1]).unwrap()).collect();
    (packing, ids)
}

pub(crate) fn open(model: &Path, dirs: &[PathBuf]) -> PackedWeights {
    try_open(model, dirs).unwrap()
}

pub(crate) fn try_open(model: &Path, dirs: &[PathBuf]) -> Result<PackedWeights, gemma4::Error> {
    let file = Arc::new(GgufFile::open(model)?);
    let options = PackOptions { file_from_bytes: 0, ..PackOptions::new(dirs, NonZero::new(3).unwrap()) };
    plan(&file).0.open(&options)
}

/// All matrices, one after the other.
pub(crate) fn bytes(weights: &PackedWeights, model: &Path) -> Vec<u8> {
    let file = Arc::new(GgufFile::open(model).unwrap());
    let ids = plan(&file).1;
    ids.iter().flat_map(|id| strips(&weights.matrix(*id)).to_vec()).collect()
}

pub(crate) fn strips<'a>(matrix: &Matrix<'a>) -> &'a [u8] {
    matrix.strips(0..matrix.n_strips())
}

/// Names in `dir`, but for the lock.
pub(crate) fn names(dir: &Path) -> Vec<String> {
    let entries = fs::read_dir(dir).into_iter().flatten();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name != "packing.lock").collect()
}

pub(crate) fn only_file(dir: &Path) -> PathBuf {
    let names = names(dir);
    assert_eq!(names.len(), 1, "{names:?}");
    assert!(names[0].ends_with(".packed"), "{names:?}");
    dir.join(&names[0])
}

/// A disk in memory, unmounted when dropped; `None`, said on stderr, where this user may not mount one.
#[cfg(target_os = "linux")]
pub(crate) struct SmallDisk(PathBuf);

#[cfg(target_os = "linux")]
impl SmallDisk {
    pub(crate) fn mount(at: &Path, options: &str) -> Option<Self> {
        fs::create_dir_all(at).unwrap();
        let mount = Command::new("mount").args(["-t", "tmpfs", "-o", options, "tmpfs"]).arg(at).output();
        if mount.is_ok_and(|mount| mount.status.success()) {
            return Some(Self(at.to_owned()));
        }
        drop(writeln!(std::io::stderr(), "not run: no disk could be mounted"));
        None
    }
}

#[cfg(target_os = "linux")]
impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}
