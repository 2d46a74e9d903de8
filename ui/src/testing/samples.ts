/** What the program behind the page says in tests: messages, failures, features and engines. */
import { BackendError, type Badge, type EnginesState, type ErrorCode, type Feature, type FeatureState, type Message } from "$lib/backend";

export const BADGE: Badge = { kind: "demo", model: "Demo", device: "CPU" };

export function message(part: Partial<Message> & Pick<Message, "id" | "speaker">): Message {
  const tutor = part.speaker === "tutor";
  return {
    text: "",
    state: "complete",
    badge: tutor ? BADGE : null,
    tokensPerSecond: tutor ? 10 : null,
    seconds: tutor ? 2 : null,
    createdAt: 0,
    versionIds: [part.id],
    ...part,
  };
}

export function failure(code: ErrorCode): BackendError {
  return new BackendError({ code, message: `test: ${code}`, hint: null, requestId: null });
}

const FEATURES: Feature[] = ["chat", "secondAnswer", "quiz", "practice", "flashcards", "sheet", "mindMap", "illustration", "photo", "handwriting"];

/** A feature that this computer does. */
export function available(feature: Feature, badge: Badge = BADGE): FeatureState {
  return { feature, badge, reason: null, unlock: null, instead: null, hidden: false };
}

/** The features of a learner's computer with the demo model and nothing else set up. */
export function featuresOffline(): FeatureState[] {
  return FEATURES.map((feature) => {
    if (feature === "secondAnswer" || feature === "sheet") return { ...available(feature), badge: null, hidden: true };
    if (feature === "photo" || feature === "handwriting") return { ...available(feature), badge: null, reason: "engine_off", unlock: "askAnAdult" };
    return available(feature);
  });
}

export function enginesOff(): EnginesState {
  return {
    editable: true,
    places: { questions: "device", drawings: "device", reading: "device", secondAnswer: "device" },
    cloud: { on: false, key: "none", agreedAt: null, model: "gemma-4-26b-a4b-it", host: "generativelanguage.googleapis.com" },
    school: { on: false, address: "", token: "none", kind: null, models: [], model: null, vision: null, managed: false },
  };
}
