//! What this computer is, which models fit where, which one answers and why.

mod report;

use catalog::fit::devices;
use catalog::manifest::Manifest;
use catalog::{Candidate, Choice, Error, InstalledModel, Listing};
use hardware::HardwareProfile;

pub use catalog::fit::KvElement;
pub use catalog::{Backends, Catalog, Outcome, Trials};
pub use report::{
    CandidateReport, CardReport, ChoiceReport, DeviceReport, KernelsReport, OfferReport, RejectedReport, Report,
    TrialReport,
};

use crate::places::Places;

/// Looks at this computer. Takes some milliseconds.
pub fn probe() -> HardwareProfile {
    HardwareProfile::probe()
}

/// Under what circumstances models are judged.
#[derive(Debug, Clone)]
pub struct Circumstances<'a> {
    /// The computer.
    pub profile: HardwareProfile,
    /// What this build computes on.
    pub backends: Backends,
    /// Context length in tokens.
    pub context_len: usize,
    /// The model chosen in Settings.
    pub preferred: Option<&'a str>,
    /// What was tried here before.
    pub trials: Trials,
}

impl<'a> Circumstances<'a> {
    /// This computer as it is now, with this build and the trials kept at `places`.
    pub fn here(places: &Places, context_len: usize, preferred: Option<&'a str>) -> Self {
        let trials = Trials::load(&places.trials());
        Self { profile: probe(), backends: Backends::of_this_build(), context_len, preferred, trials }
    }

    /// Every model of `listing` on every device that it could run on.
    pub(crate) fn candidates(&self, listing: &Listing) -> Vec<Candidate> {
        let on_devices = |model: &InstalledModel| model.candidates(&self.profile, self.context_len, self.backends);
        listing.models.iter().flat_map(on_devices).collect()
    }

    /// Which of `candidates` answers.
    pub(crate) fn choose(&self, candidates: &[Candidate]) -> Choice {
        catalog::choose(candidates, self.preferred, &self.trials)
    }
}

/// Examines what `catalog` holds and what could be downloaded. Nothing is loaded, tried or fetched.
///
/// # Errors
/// If the models folder cannot be listed.
pub fn examine(catalog: &Catalog, here: Circumstances<'_>) -> Result<Report, Error> {
    let listing = catalog.list()?;
    let mut candidates = here.candidates(&listing);
    candidates.sort_by(catalog::fit::by_rank);
    let choice = here.choose(&candidates);
    let Circumstances { profile, backends, context_len, trials, .. } = here;
    let (memories, unused) = devices(&profile, backends);
    let why_unused = |index| unused.iter().find(|card| card.index == index).map(|card| card.why);
    let offer = |offer: &Manifest| OfferReport::new(offer, &offer.candidates(&profile, context_len, backends));
    Ok(Report {
        version: env!("CARGO_PKG_VERSION"),
        kernels: KernelsReport::here(),
        context_len,
        backends,
        devices: memories.iter().map(DeviceReport::from).collect(),
        cards: profile.gpus.iter().enumerate().map(|(at, gpu)| CardReport::new(gpu, why_unused(at))).collect(),
        candidates: candidates.iter().map(|one| CandidateReport::new(one, trials.of(one))).collect(),
        unusable: listing.unusable.iter().map(Into::into).collect(),
        offers: catalog::manifest::offers().iter().map(offer).collect(),
        choice: ChoiceReport::from(choice),
        profile,
    })
}
