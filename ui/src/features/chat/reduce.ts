/** One answer while it is being made: a pure function from events to what the page shows. */
import type { Badge, ChatEvent, IpcError, Message, WaitReason } from "$lib/backend";

export type Phase =
  /** The command has not come back yet. */
  | "sending"
  /** Others are ahead. */
  | "queued"
  /** An engine reads the question (prefill). */
  | "reading"
  /** A server asked to wait. */
  | "waiting"
  /** Text arrives (decode). */
  | "writing"
  /** Over; `message` is the answer as saved. */
  | "done";

export interface Live {
  readonly phase: Phase;
  /** Questions ahead, while queued. */
  readonly position: number;
  /** Seconds to wait, while a server asks for it. */
  readonly seconds: number;
  /** Why it asks, and how often it has asked. */
  readonly reason: WaitReason;
  readonly waits: number;
  readonly tokensRead: number;
  readonly tokensToRead: number;
  readonly badge: Badge | null;
  readonly text: string;
  /** Token events so far, and when the first came (milliseconds of a steady clock): the speed while writing. */
  readonly tokens: number;
  readonly firstTokenAt: number | null;
  readonly message: Message | null;
  readonly error: IpcError | null;
}

export const STARTING: Live = {
  phase: "sending",
  position: 0,
  seconds: 0,
  reason: "busy",
  waits: 0,
  tokensRead: 0,
  tokensToRead: 0,
  badge: null,
  text: "",
  tokens: 0,
  firstTokenAt: null,
  message: null,
  error: null,
};

/** What `event`, seen at `now` (milliseconds), makes of `live`. An answer that is over stays as it is. */
export function reduce(live: Live, event: ChatEvent, now: number): Live {
  if (live.phase === "done") return live;
  switch (event.event) {
    case "queued":
      return { ...live, phase: "queued", position: event.position };
    case "started":
      return { ...live, phase: "reading", badge: event.badge };
    case "waiting":
      return { ...live, phase: live.text === "" ? "waiting" : live.phase, seconds: event.seconds, reason: event.reason, waits: live.waits + 1 };
    case "prefill":
      return { ...live, phase: live.text === "" ? "reading" : live.phase, tokensRead: event.done, tokensToRead: event.total };
    case "token":
      return {
        ...live,
        phase: "writing",
        text: live.text + event.text,
        tokens: live.tokens + 1,
        firstTokenAt: live.firstTokenAt ?? now,
      };
    case "finished":
      return { ...live, phase: "done", text: event.message.text, message: event.message };
    case "failed":
      return { ...live, phase: "done", text: event.message.text, message: event.message, error: event.error };
  }
}

/** Tokens a second so far; `null` until there is enough to say. */
export function speed(live: Live, now: number): number | null {
  if (live.firstTokenAt === null || live.tokens < 4) return null;
  const elapsed = (now - live.firstTokenAt) / 1000;
  return elapsed > 0.3 ? (live.tokens - 1) / elapsed : null;
}
