/** Which screen of the first run is due. The program knows how far everything is; the page only reads it. */
import type { ModelStatus, ModelSummary, Profile, Transfer } from "$lib/backend";
import { arriving, hasRealModel, isActive } from "$lib/shared/transfers";

export type Step = "who" | "source" | "way";

interface Known {
  profile: Profile;
  transfers: readonly Transfer[];
  models: readonly ModelSummary[];
  status: ModelStatus;
}

/**
 * The screen to begin with, at the first load and after any other: what moves comes before what was filled in.
 * A transfer that was put aside is offered on the second screen; a profile without name, PIN or change of kind
 * looks like none, and is asked for again.
 */
export function firstStep({ profile, transfers, models, status }: Known): Step {
  const coming = arriving(transfers);
  if (coming && (isActive(coming) || coming.state.state === "failed" || coming.state.state === "done")) return "way";
  const known = profile.name !== "" || profile.hasPin || profile.kind === "adult";
  if (!known) return "who";
  return hasRealModel(status) || models.some(({ demo }) => !demo) ? "way" : "source";
}

/** What the last screen is about. */
export type Way = "moving" | "waiting" | "verifying" | "paused" | "failed" | "opening" | "trying" | "ready" | "demoOnly" | "notReady";

export function wayOf(transfer: Transfer | null, status: ModelStatus): Way {
  switch (transfer?.state.state) {
    case "running":
      return "moving";
    case "waiting":
    case "verifying":
    case "paused":
    case "failed":
      return transfer.state.state;
  }
  switch (status.state) {
    case "trying":
      return "trying";
    case "failed":
      return "notReady";
    case "ready":
    case "resting":
      if (status.badge.kind === "local") return "ready";
      // The demo answers although a model is here: either it was passed over, or it is about to be opened.
      return status.state === "ready" && status.choice?.reason === "nothingElseFits" ? "demoOnly" : "opening";
    default:
      return "opening";
  }
}
