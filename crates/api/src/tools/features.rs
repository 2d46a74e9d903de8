//! What can be done now and by whom, for the page.

use crate::App;
use crate::dto::{self, FeatureState};
use crate::engines::Facts;
use errors::Explain;
use router::{Decision, Feature, Unlock};

/// Every feature, in the order of the router's table.
pub(super) fn states(app: &App, facts: &Facts) -> Vec<FeatureState> {
    Feature::ALL.into_iter().map(|feature| state(app, facts, feature)).collect()
}

fn state(app: &App, facts: &Facts, feature: Feature) -> FeatureState {
    let none = FeatureState {
        feature: for_page(feature),
        badge: None,
        reason: None,
        unlock: None,
        instead: None,
        hidden: false,
    };
    match router::decide(feature, &facts.of(feature)) {
        Decision::Run(kind) => FeatureState { badge: Some(facts.badge(app, kind)), ..none },
        Decision::Hidden => FeatureState { hidden: true, ..none },
        Decision::Unavailable { why, unlock: by, instead } => FeatureState {
            reason: Some(why.code().into()),
            unlock: Some(unlock(by)),
            instead: instead.map(|kind| facts.badge(app, kind)),
            ..none
        },
    }
}

fn for_page(feature: Feature) -> dto::Feature {
    match feature {
        Feature::Chat => dto::Feature::Chat,
        Feature::SecondAnswer => dto::Feature::SecondAnswer,
        Feature::Quiz => dto::Feature::Quiz,
        Feature::Practice => dto::Feature::Practice,
        Feature::Flashcards => dto::Feature::Flashcards,
        Feature::Sheet => dto::Feature::Sheet,
        Feature::MindMap => dto::Feature::MindMap,
        Feature::Illustration => dto::Feature::Illustration,
        Feature::Photo => dto::Feature::Photo,
        Feature::Handwriting => dto::Feature::Handwriting,
    }
}

fn unlock(unlock: Unlock) -> dto::Unlock {
    match unlock {
        Unlock::InstallModel => dto::Unlock::InstallModel,
        Unlock::ChooseEngine => dto::Unlock::ChooseEngine,
        Unlock::EnterKey => dto::Unlock::EnterKey,
        Unlock::Agree => dto::Unlock::Agree,
        Unlock::EnterServer => dto::Unlock::EnterServer,
        Unlock::ChooseServerModel => dto::Unlock::ChooseServerModel,
        Unlock::AskAnAdult => dto::Unlock::AskAnAdult,
        Unlock::Connect => dto::Unlock::Connect,
        Unlock::Retry => dto::Unlock::Retry,
    }
}
