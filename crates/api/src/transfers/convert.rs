//! The catalogue's words for sources, offers and transfers, in the page's.

use crate::convert::count;
use crate::dto::{IpcError, ModelOffer, SourceDetails, SourceKind, SourceModel, Transfer, TransferKind, TransferState};
use crate::failure::explain;
use catalog::Candidate;
use catalog::manifest::{HashSource, Manifest};
use catalog::sources::{FoundModel, PlaceKind};
use catalog::transfers as theirs;
use hardware::HardwareProfile;

pub(super) fn source_kind(kind: PlaceKind) -> SourceKind {
    match kind {
        PlaceKind::Removable => SourceKind::Removable,
        PlaceKind::Folder => SourceKind::Folder,
        PlaceKind::File => SourceKind::File,
        PlaceKind::SharedCache => SourceKind::SharedCache,
    }
}

pub(super) fn source_model(id: String, model: &FoundModel, profile: &HardwareProfile) -> SourceModel {
    let details = model.inspection.as_ref().map(|inspection| SourceDetails {
        layers: count(inspection.config.n_layers),
        tensors: count(inspection.n_tensors),
        max_context_len: count(inspection.config.max_context_len),
        effective_parameters: inspection.effective_parameters as f64,
        needed_bytes: model.candidate.as_ref().map_or(0, |one| one.need.total()) as f64,
        usable_bytes: model.candidate.as_ref().map_or(0, |one| one.usable) as f64,
    });
    SourceModel {
        id,
        name: model.name.clone(),
        quantization: model.quantization.clone(),
        file_bytes: model.bytes as f64,
        seconds: model.seconds.filter(|seconds| seconds.is_finite()),
        has_checksums: model.has_checksums,
        fits: model.fits(profile),
        installed: model.installed,
        details,
        problem: model.problem.as_ref().map(|error| explain(error, None)),
    }
}

/// What is known about an offer on this computer.
pub(super) struct OfferFacts<'a> {
    /// The model on the device that suits it best.
    pub candidate: Option<&'a Candidate>,
    pub recommended: bool,
    pub installed: bool,
    pub has_room: bool,
}

pub(super) fn offer(offer: &Manifest, facts: &OfferFacts<'_>) -> ModelOffer {
    ModelOffer {
        id: offer.id.clone(),
        name: offer.name.clone(),
        variant: offer.variant.name().to_owned(),
        quantization: offer.quantization.clone(),
        file_bytes: offer.bytes as f64,
        publisher: offer.publisher.clone(),
        license: offer.license.clone(),
        hash_published: offer.hash == HashSource::Published,
        needed_bytes: facts.candidate.map_or(0, |one| one.need.total()) as f64,
        fits: facts.candidate.is_some_and(Candidate::fits),
        recommended: facts.recommended,
        installed: facts.installed,
        has_room: facts.has_room,
    }
}

pub(super) fn transfer(view: &theirs::TransferView) -> Transfer {
    let finite = |number: &f64| number.is_finite();
    Transfer {
        id: view.id.clone(),
        kind: match view.kind {
            theirs::TransferKind::Import => TransferKind::Import,
            theirs::TransferKind::Download => TransferKind::Download,
            theirs::TransferKind::Export => TransferKind::Export,
        },
        model: view.model.clone(),
        state: match &view.state {
            // It moves as soon as the one before it is done: nothing that a person could do about it.
            theirs::TransferState::Queued | theirs::TransferState::Running => TransferState::Running,
            theirs::TransferState::Waiting(problem) => TransferState::Waiting { error: failure(problem) },
            theirs::TransferState::Verifying => TransferState::Verifying,
            theirs::TransferState::Paused => TransferState::Paused,
            theirs::TransferState::Done => TransferState::Done,
            theirs::TransferState::Failed(problem) => TransferState::Failed { error: failure(problem) },
        },
        done_bytes: view.done_bytes as f64,
        total_bytes: view.total_bytes as f64,
        parts_done: view.parts_done,
        parts: view.parts,
        bytes_per_second: view.bytes_per_second.filter(finite),
        seconds_left: view.seconds_left.filter(finite),
        model_id: view.model_id.clone(),
    }
}

fn failure(problem: &theirs::Problem) -> IpcError {
    IpcError {
        code: problem.code.into(),
        message: problem.message.clone(),
        hint: problem.hint.clone(),
        request_id: None,
    }
}
