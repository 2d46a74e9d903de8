/** What the page concludes from the transfers that the program reports. */
import type { IpcError, ModelStatus, Transfer } from "$lib/backend";

/** It goes on by itself. */
export function isActive({ state }: Transfer): boolean {
  return state.state === "running" || state.state === "waiting" || state.state === "verifying";
}

/** It came part of the way and waits for a person. */
export function isResumable({ state }: Transfer): boolean {
  return state.state === "paused" || state.state === "failed";
}

/** It brings a model into this computer. */
export function isArriving({ kind }: Transfer): boolean {
  return kind !== "export";
}

/** How much is there, 0 to 1. */
export function part({ doneBytes, totalBytes, state }: Transfer): number {
  if (state.state === "done") return 1;
  return totalBytes > 0 ? Math.min(1, Math.max(0, doneBytes / totalBytes)) : 0;
}

/** How far all that is under way is, 0 to 1; `null` where nothing is. */
export function partOfAll(transfers: readonly Transfer[]): number | null {
  const active = transfers.filter(isActive);
  if (active.length === 0) return null;
  const total = active.reduce((sum, one) => sum + one.totalBytes, 0);
  return total > 0 ? active.reduce((sum, one) => sum + Math.min(one.doneBytes, one.totalBytes), 0) / total : 0;
}

/** What a waiting transfer waits for. */
export function awaited({ kind, state }: Transfer): "net" | "stick" | "other" | null {
  if (state.state !== "waiting") return null;
  const codes: Partial<Record<IpcError["code"], "net" | "stick">> = { offline: "net", server_refused: "net", source_gone: "stick" };
  return codes[state.error.code] ?? (kind === "download" ? "net" : "other");
}

/** The transfer that the first run shows: the latest that brings a model and was not put aside. */
export function arriving(transfers: readonly Transfer[]): Transfer | null {
  const candidates = transfers.filter(isArriving);
  return candidates.findLast(isActive) ?? candidates.findLast(({ state }) => state.state === "failed") ?? candidates.at(-1) ?? null;
}

/** A model that is no demo answers, opens or is tried. */
export function hasRealModel(status: ModelStatus): boolean {
  switch (status.state) {
    case "trying":
      return true;
    case "ready":
    case "resting":
      return status.badge.kind === "local";
    default:
      return false;
  }
}
