//! What this computer is, which models fit, which one answers and why.

use catalog::{Candidate, Catalog, Error, MemoryNeed, Reason};
use hardware::HardwareProfile;
use serde::Serialize;

use crate::installed_models::Unusable;

/// Looks at this computer. Takes some milliseconds.
pub fn probe() -> HardwareProfile {
    HardwareProfile::probe()
}

/// One installed model on one device.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CandidateReport {
    /// The model's id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its quantization.
    pub quantization: String,
    /// Whether it is the demo model.
    pub demo: bool,
    /// Where it would run.
    pub device: String,
    /// Bytes it needs there, in parts.
    pub need: MemoryNeed,
    /// The sum of them.
    pub needed_bytes: u64,
    /// Bytes it may use there.
    pub usable_bytes: u64,
    /// Whether it fits.
    pub fits: bool,
}

impl From<&Candidate> for CandidateReport {
    fn from(candidate: &Candidate) -> Self {
        Self {
            id: candidate.id.clone(),
            name: candidate.name.clone(),
            quantization: candidate.quantization.clone(),
            demo: candidate.demo,
            device: candidate.device.name().to_owned(),
            need: candidate.need,
            needed_bytes: candidate.need.total(),
            usable_bytes: candidate.usable,
            fits: candidate.fits(),
        }
    }
}

/// The model that answers.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ChoiceReport {
    /// Its id; none where nothing can be used.
    pub id: Option<String>,
    /// Its name.
    pub name: Option<String>,
    /// Where it runs.
    pub device: Option<String>,
    /// Why, for scripts.
    pub reason: Reason,
    /// Why, for people.
    pub sentence: String,
}

/// Everything `aula doctor` shows.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// Aula's version.
    pub version: &'static str,
    /// The computer.
    pub profile: HardwareProfile,
    /// Context length that the models are judged at, in tokens.
    pub context_len: usize,
    /// Installed models.
    pub candidates: Vec<CandidateReport>,
    /// Files in the models folder that cannot be used.
    pub unusable: Vec<Unusable>,
    /// The one that answers.
    pub choice: ChoiceReport,
}

/// Examines `catalog` on the computer that `profile` describes; `preferred` is the model chosen in Settings.
///
/// # Errors
/// If the models folder cannot be listed.
pub fn examine(
    catalog: &Catalog,
    profile: HardwareProfile,
    context_len: usize,
    preferred: Option<&str>,
) -> Result<Report, Error> {
    let listing = catalog.list()?;
    let candidates: Vec<_> = listing.models.iter().map(|model| model.candidate(&profile, context_len)).collect();
    let choice = catalog::choose(&candidates, preferred, &catalog::Trials::none());
    Ok(Report {
        version: env!("CARGO_PKG_VERSION"),
        context_len,
        candidates: candidates.iter().map(CandidateReport::from).collect(),
        unusable: listing.unusable.iter().map(Unusable::from).collect(),
        choice: ChoiceReport {
            id: choice.candidate.as_ref().map(|candidate| candidate.id.clone()),
            name: choice.candidate.as_ref().map(|candidate| candidate.name.clone()),
            device: choice.candidate.as_ref().map(|candidate| candidate.device.name().to_owned()),
            reason: choice.reason,
            sentence: choice.reason.sentence().to_owned(),
        },
        profile,
    })
}
