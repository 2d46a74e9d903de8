//! Every situation there is, compared with the table as people would write it down.

use errors::{ErrorCode, Explain};
use generation::{EngineKind, GenerateError};
use router::{
    Cloud, Decision, Feature, Group, Network, OnDevice, Person, Place, School, Situation, Unlock, decide, instead,
};

/// What the table says.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Says {
    Run(EngineKind),
    No(ErrorCode, Unlock),
    Hidden,
}
use Says::{Hidden, No, Run};

/// A line of the table: the first whose condition holds decides.
struct Rule {
    about: &'static str,
    when: fn(Feature, &Situation) -> bool,
    says: fn(&Situation) -> Says,
}

/// Where a feature is meant to run: the tutor stays here whatever is chosen.
fn place(feature: Feature, now: &Situation) -> Place {
    if feature == Feature::Chat { Place::Device } else { now.place }
}

fn here(feature: Feature, now: &Situation) -> bool {
    place(feature, now) == Place::Device
}

fn cloud(feature: Feature, now: &Situation) -> bool {
    place(feature, now) == Place::Cloud
}

fn school(feature: Feature, now: &Situation) -> bool {
    place(feature, now) == Place::School
}

fn reads(feature: Feature) -> bool {
    matches!(feature, Feature::Photo | Feature::Handwriting)
}

fn learner(now: &Situation) -> bool {
    now.person == Person::Learner
}

/// What an adult does themselves, a learner asks them for.
fn adults(now: &Situation, unlock: Unlock) -> Unlock {
    if learner(now) { Unlock::AskAnAdult } else { unlock }
}

const FAILED: ErrorCode = ErrorCode::OutOfMemory;

const TABLE: &[Rule] = &[
    Rule { about: "sheets are for adults", when: |f, now| f == Feature::Sheet && learner(now), says: |_| Hidden },
    Rule {
        about: "a second answer that nobody switched on is not shown",
        when: |f, now| f == Feature::SecondAnswer && here(f, now),
        says: |_| Hidden,
    },
    Rule {
        about: "this computer reads no pictures yet",
        when: |f, now| reads(f) && here(f, now),
        says: |now| No(ErrorCode::EngineOff, adults(now, Unlock::ChooseEngine)),
    },
    Rule {
        about: "without a model this computer does nothing",
        when: |f, now| here(f, now) && now.on_device == OnDevice::Absent,
        says: |_| No(ErrorCode::ModelMissing, Unlock::InstallModel),
    },
    Rule {
        about: "a model that failed says why",
        when: |f, now| here(f, now) && matches!(now.on_device, OnDevice::Failed(_)),
        says: |_| No(FAILED, Unlock::Retry),
    },
    Rule {
        about: "the demo model answers as the demo model, also while it is opened",
        when: |f, now| {
            here(f, now) && matches!(now.on_device, OnDevice::Loading { demo: true } | OnDevice::Ready { demo: true })
        },
        says: |_| Run(EngineKind::Demo),
    },
    Rule { about: "any other model answers here", when: here, says: |_| Run(EngineKind::Local) },
    Rule {
        about: "Cloud Boost is for adults",
        when: |f, now| cloud(f, now) && learner(now),
        says: |_| No(ErrorCode::AdultOnly, Unlock::AskAnAdult),
    },
    Rule {
        about: "Cloud Boost is switched on first",
        when: |f, now| cloud(f, now) && !now.cloud.on,
        says: |_| No(ErrorCode::EngineOff, Unlock::ChooseEngine),
    },
    Rule {
        about: "then it needs a key",
        when: |f, now| cloud(f, now) && !now.cloud.key,
        says: |_| No(ErrorCode::KeyMissing, Unlock::EnterKey),
    },
    Rule {
        about: "then an adult's agreement",
        when: |f, now| cloud(f, now) && !now.cloud.agreed,
        says: |_| No(ErrorCode::ConsentNeeded, Unlock::Agree),
    },
    Rule {
        about: "the school's server is switched on first",
        when: |f, now| school(f, now) && !now.school.on,
        says: |now| No(ErrorCode::EngineOff, adults(now, Unlock::ChooseEngine)),
    },
    Rule {
        about: "then it needs an address",
        when: |f, now| school(f, now) && !now.school.address,
        says: |now| No(ErrorCode::EngineOff, adults(now, Unlock::EnterServer)),
    },
    Rule {
        about: "then a model",
        when: |f, now| school(f, now) && !now.school.model,
        says: |now| No(ErrorCode::ModelNotServed, adults(now, Unlock::ChooseServerModel)),
    },
    Rule {
        about: "one that reads pictures, or does not say that it does not",
        when: |f, now| school(f, now) && reads(f) && now.school.vision == Some(false),
        says: |now| No(ErrorCode::NoVision, adults(now, Unlock::ChooseServerModel)),
    },
    Rule {
        about: "both need a network",
        when: |_, now| now.network == Network::Down,
        says: |_| No(ErrorCode::Offline, Unlock::Connect),
    },
    Rule { about: "then Cloud Boost does it", when: cloud, says: |_| Run(EngineKind::Cloud) },
    Rule { about: "then the school's server does it", when: school, says: |_| Run(EngineKind::School) },
];

/// Who on this computer may be offered in the place of another engine.
fn offered(feature: Feature, now: &Situation) -> Option<EngineKind> {
    let impossible = here(feature, now)
        || reads(feature)
        || feature == Feature::SecondAnswer
        || (feature == Feature::Sheet && learner(now));
    match now.on_device {
        OnDevice::Loading { demo } | OnDevice::Ready { demo } if !impossible => {
            Some(if demo { EngineKind::Demo } else { EngineKind::Local })
        }
        _ => None,
    }
}

fn all() -> Vec<Situation> {
    let failed = GenerateError { code: FAILED, message: "no memory".to_owned(), hint: None };
    let models = [
        OnDevice::Absent,
        OnDevice::Loading { demo: true },
        OnDevice::Loading { demo: false },
        OnDevice::Ready { demo: true },
        OnDevice::Ready { demo: false },
        OnDevice::Failed(failed),
    ];
    let both = [false, true];
    let mut all = Vec::new();
    for on_device in &models {
        for person in [Person::Adult, Person::Learner] {
            for place in [Place::Device, Place::Cloud, Place::School] {
                for network in [Network::Up, Network::Down] {
                    for bits in 0..64_u8 {
                        let bit = |n: u8| both[usize::from(bits >> n & 1)];
                        let cloud = Cloud { on: bit(0), key: bit(1), agreed: bit(2) };
                        for vision in [None, Some(false), Some(true)] {
                            let school = School { on: bit(3), address: bit(4), model: bit(5), vision };
                            let on_device = on_device.clone();
                            all.push(Situation { on_device, person, place, cloud, school, network });
                        }
                    }
                }
            }
        }
    }
    all
}

/// Every feature in every situation.
fn each(mut look: impl FnMut(Feature, &Situation, Decision)) {
    for now in all() {
        for feature in Feature::ALL {
            look(feature, &now, decide(feature, &now));
        }
    }
}

#[test]
fn every_decision_is_the_tables() {
    let mut used = vec![0_usize; TABLE.len()];
    let mut cases = 0;
    each(|feature, now, decision| {
        let rule = TABLE.iter().position(|rule| (rule.when)(feature, now)).expect("the table covers everything");
        used[rule] += 1;
        cases += 1;
        let says = match &decision {
            Decision::Run(kind) => Run(*kind),
            Decision::Hidden => Hidden,
            Decision::Unavailable { why, unlock, .. } => No(why.code(), *unlock),
        };
        let about = TABLE[rule].about;
        assert_eq!(says, (TABLE[rule].says)(now), "{about}: {feature:?} in {now:?}");
    });
    assert_eq!(cases, 6 * 2 * 3 * 2 * 64 * 3 * 10);
    for (rule, used) in TABLE.iter().zip(used) {
        assert!(used > 0, "no situation needs the line `{}`", rule.about);
    }
}

#[test]
fn who_is_offered_instead_is_on_this_computer_and_could_do_it() {
    each(|feature, now, decision| {
        let expected = offered(feature, now);
        assert_eq!(instead(feature, now), expected, "{feature:?} in {now:?}");
        if let Decision::Unavailable { instead, .. } = decision {
            assert_eq!(instead, expected, "{feature:?} in {now:?}");
        }
    });
}

#[test]
fn nobody_else_than_who_was_chosen_ever_runs() {
    each(|feature, now, decision| {
        let Decision::Run(kind) = decision else { return };
        let chosen = match place(feature, now) {
            Place::Device => matches!(kind, EngineKind::Local | EngineKind::Demo),
            Place::Cloud => kind == EngineKind::Cloud,
            Place::School => kind == EngineKind::School,
        };
        assert!(chosen, "{feature:?} by {kind:?} in {now:?}");
        if kind == EngineKind::Cloud {
            let cloud = now.cloud;
            assert!(now.person == Person::Adult && cloud.on && cloud.key && cloud.agreed && now.network == Network::Up);
        }
    });
}

#[test]
fn the_tutor_and_this_computer_depend_on_nothing_elsewhere() {
    each(|feature, now, decision| {
        if feature.group() == Group::Tutor || now.place == Place::Device {
            let mut other = now.clone();
            other.cloud = Cloud { on: !now.cloud.on, key: !now.cloud.key, agreed: !now.cloud.agreed };
            other.school = School { on: !now.school.on, address: false, model: true, vision: Some(false) };
            other.network = if now.network == Network::Up { Network::Down } else { Network::Up };
            assert_eq!(decide(feature, &other), decision, "{feature:?} in {now:?}");
        }
    });
}

#[test]
fn doing_what_unlocks_a_feature_changes_the_decision() {
    each(|feature, now, decision| {
        let Decision::Unavailable { unlock, .. } = &decision else { return };
        let mut then = now.clone();
        match unlock {
            Unlock::InstallModel | Unlock::Retry => then.on_device = OnDevice::Ready { demo: false },
            Unlock::EnterKey => then.cloud.key = true,
            Unlock::Agree => then.cloud.agreed = true,
            Unlock::EnterServer => then.school.address = true,
            Unlock::ChooseServerModel => (then.school.model, then.school.vision) = (true, Some(true)),
            Unlock::Connect => then.network = Network::Up,
            Unlock::ChooseEngine => match now.place {
                Place::Device => then.place = Place::School,
                Place::Cloud => then.cloud.on = true,
                Place::School => then.school.on = true,
            },
            Unlock::AskAnAdult => then.person = Person::Adult,
        }
        assert_ne!(decide(feature, &then), decision, "{feature:?} in {now:?}");
    });
}
