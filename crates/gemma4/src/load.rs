//! From a path and a device to a model.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use candle_core::Device;

use crate::{config::Config, error::Error, fast::FastModel, gguf::GgufFile, model::Model, plain::PlainModel};

/// A device that may compute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DeviceKind {
    /// The processor.
    #[default]
    Cpu,
    /// An NVIDIA card, through CUDA.
    Cuda,
    /// Apple's graphics processor.
    Metal,
}

impl DeviceKind {
    /// The name on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::Cuda => "cuda",
            Self::Metal => "metal",
        }
    }

    /// Whether this build has what it takes to use the device, if it is there.
    pub fn in_this_build(self) -> bool {
        match self {
            Self::Cpu => true,
            Self::Cuda => cfg!(feature = "cuda"),
            Self::Metal => cfg!(feature = "metal"),
        }
    }

    /// The device for candle, and its name for people; `card` counts where CUDA sees several.
    fn open(self, card: usize) -> Result<(Device, String), Error> {
        let unavailable = |reason: String| Error::DeviceUnavailable { device: self.as_str().to_owned(), reason };
        if !self.in_this_build() {
            return Err(unavailable("this build of the program has no support for it".to_owned()));
        }
        let device = match self {
            Self::Cpu => return Ok((Device::Cpu, "CPU".to_owned())),
            Self::Cuda => Device::new_cuda(card),
            Self::Metal => Device::new_metal(0),
        }
        .map_err(|error| unavailable(error.to_string()))?;
        let name = device_name(&device);
        Ok((device, name))
    }
}

#[cfg(feature = "cuda")]
fn device_name(device: &Device) -> String {
    match device {
        Device::Cuda(cuda) => cuda.cuda_stream().context().name().unwrap_or_else(|_| "CUDA".to_owned()),
        _ => "Metal".to_owned(),
    }
}

#[cfg(not(feature = "cuda"))]
fn device_name(_: &Device) -> String {
    "Metal".to_owned()
}

/// How to open a model.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LoadOptions {
    /// What computes.
    pub device: DeviceKind,
    /// Which of several NVIDIA cards, from 0 in CUDA's order. That is by speed unless the process was started with
    /// `CUDA_DEVICE_ORDER=PCI_BUS_ID`.
    pub card: usize,
    /// Threads that compute on the processor; `None` takes as many as suit it.
    pub threads: Option<usize>,
    /// Logical processors, numbered as the system numbers them, on which these threads stay, the one that opens the model
    /// included; `None` leaves it to the system. For processors whose cores differ.
    pub cpus: Option<Vec<usize>>,
    /// Takes the plain path where there is a faster one: the definition that faster ones are compared with.
    pub plain: bool,
    /// Folders in which packed weights are looked for, in this order; what is packed anew goes to the first that can be
    /// written. Without any, weights are packed in memory at each start.
    pub packed_dirs: Vec<PathBuf>,
}

/// Opens the model file at `path`.
///
/// # Errors
/// If the file is damaged or holds something else, or the device cannot be used.
pub fn open(path: &Path, options: &LoadOptions) -> Result<Box<dyn Model>, Error> {
    load(&Arc::new(GgufFile::open(path)?), options)
}

/// The model in an open file, which it goes on sharing. The processor takes the fast path where the file's shapes allow
/// it, and the plain one otherwise.
///
/// # Errors
/// If the file holds something else, lacks a tensor, or the device cannot be used.
pub fn load(file: &Arc<GgufFile>, options: &LoadOptions) -> Result<Box<dyn Model>, Error> {
    let config = Config::from_gguf(file)?;
    if options.device == DeviceKind::Cpu && !options.plain {
        match FastModel::new(file, config.clone(), options) {
            Ok(model) => return Ok(Box::new(model)),
            Err(Error::Unsupported { what }) => tracing::warn!(what, "the fast path does not take this file"),
            Err(error) => return Err(error),
        }
    }
    let (device, name) = options.device.open(options.card)?;
    Ok(Box::new(PlainModel::new(file, config, device, name)?))
}
