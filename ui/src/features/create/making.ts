/** A tool at work: a pure function from its events to what the page shows. Nothing of the result is in it. */
import type { Badge, ToolEvent, WaitReason } from "$lib/backend";

export interface Making {
  readonly phase:
    | "asking" // the command has not come back yet
    | "queued" // others are ahead
    | "reading" // an engine reads the task (prefill)
    | "waiting" // a server asked to wait
    | "writing"; // the result grows, unseen
  readonly badge: Badge | null;
  /** Requests ahead, while queued. */
  readonly position: number;
  readonly tokensRead: number;
  readonly tokensToRead: number;
  /** Until when a server asked to wait (milliseconds of the clock that `reduce` is given), and why. */
  readonly until: number;
  readonly reason: WaitReason;
  /** Whole items so far, and how many were asked for, where that is known. */
  readonly items: number;
  readonly of: number | null;
}

export const STARTING: Making = {
  phase: "asking",
  badge: null,
  position: 0,
  tokensRead: 0,
  tokensToRead: 0,
  until: 0,
  reason: "busy",
  items: 0,
  of: null,
};

/** What `event`, seen at `now` (milliseconds), makes of `making`. The events that end it are the caller's. */
export function reduce(making: Making, event: ToolEvent, now: number): Making {
  switch (event.event) {
    case "queued":
      return { ...making, phase: "queued", position: event.position };
    case "started":
      return { ...making, phase: "reading", badge: event.badge };
    case "prefill":
      return { ...making, phase: "reading", tokensRead: event.done, tokensToRead: event.total };
    case "waiting":
      return { ...making, phase: "waiting", until: now + event.seconds * 1000, reason: event.reason };
    case "writing":
      return { ...making, phase: "writing", items: event.items, of: event.of };
    default:
      return making;
  }
}

/** How far, 0 to 1; `null` where nobody can tell. */
export function part(making: Making): number | null {
  if (making.phase === "reading" && making.tokensToRead > 0) return Math.min(1, making.tokensRead / making.tokensToRead);
  if (making.phase === "writing" && making.of !== null && making.of > 0) return Math.min(1, making.items / making.of);
  return null;
}

/** Whole seconds until a server goes on. */
export function secondsLeft(making: Making, now: number): number {
  return Math.max(0, Math.ceil((making.until - now) / 1000));
}
