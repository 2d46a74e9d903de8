//! Where a person wants the model to run.

use serde::{Deserialize, Serialize};

/// A choice of device; `Auto` takes the best that this build can use.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeviceChoice {
    /// The best one that works.
    #[default]
    Auto,
    /// The processor.
    Cpu,
    /// An NVIDIA card; of several the first on the bus.
    Cuda,
    /// This one of several NVIDIA cards, from 0 in the order of their places on the bus.
    CudaCard(usize),
    /// An Apple GPU.
    Metal,
}

impl std::str::FromStr for DeviceChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "auto" => Ok(Self::Auto),
            "cpu" => Ok(Self::Cpu),
            "cuda" => Ok(Self::Cuda),
            "metal" => Ok(Self::Metal),
            other => Err(format!("`{other}` is not one of auto, cpu, cuda, metal")),
        }
    }
}

impl std::fmt::Display for DeviceChoice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Cpu => f.write_str("cpu"),
            Self::Cuda => f.write_str("cuda"),
            Self::CudaCard(card) => write!(f, "cuda:{card}"),
            Self::Metal => f.write_str("metal"),
        }
    }
}
