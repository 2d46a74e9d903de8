import { describe, expect, it } from "vitest";
import type { Badge, ChatEvent, Message } from "$lib/backend";
import { reduce, speed, STARTING } from "./reduce";

const badge: Badge = { kind: "demo", model: "Demo", device: "CPU" };
const message: Message = { id: "a", speaker: "tutor", text: "Son 62.", state: "complete", badge, tokensPerSecond: 10, seconds: 1, createdAt: 0, versionIds: ["a"] };

const play = (events: ChatEvent[]) => events.reduce((live, event, at) => reduce(live, event, at * 100), STARTING);

describe("an answer from asking to its end", () => {
  it("waits, reads, writes, ends", () => {
    const steps: ChatEvent[] = [
      { event: "queued", position: 2 },
      { event: "started", badge },
      { event: "prefill", done: 5, total: 10 },
      { event: "token", text: "Son" },
      { event: "token", text: " 62." },
      { event: "finished", message },
    ];
    const phases = steps.map((_, at) => play(steps.slice(0, at + 1)).phase);
    expect(phases).toEqual(["queued", "reading", "reading", "writing", "writing", "done"]);
    expect(play(steps.slice(0, 3))).toMatchObject({ badge, position: 2, tokensRead: 5, tokensToRead: 10 });
    expect(play(steps.slice(0, 5)).text).toBe("Son 62.");
    expect(play(steps).message).toBe(message);
  });

  it("takes the text as saved, not as it was heard", () => {
    const end = { ...message, text: "Son 62" };
    expect(play([{ event: "token", text: "Son 6" }, { event: "finished", message: end }]).text).toBe("Son 62");
  });

  it("keeps the failure and what was written", () => {
    const error = { code: "worker_crashed" as const, message: "signal 9", hint: null, requestId: null };
    const live = play([{ event: "token", text: "Son" }, { event: "failed", error, message: { ...message, text: "Son", state: "interrupted" } }]);
    expect(live).toMatchObject({ phase: "done", text: "Son", error });
  });

  it("ignores what comes after the end", () => {
    const live = play([{ event: "finished", message }]);
    expect(reduce(live, { event: "token", text: "más" }, 0)).toBe(live);
  });

  it("does not change the state it was given", () => {
    const before = Object.freeze({ ...STARTING });
    expect(reduce(before, { event: "token", text: "a" }, 0).text).toBe("a");
    expect(before.text).toBe("");
  });
});

describe("speed", () => {
  const tokens = (count: number): ChatEvent[] => Array.from({ length: count }, () => ({ event: "token", text: "a" }));

  it("says nothing before there is enough to say", () => expect(speed(play(tokens(3)), 10_000)).toBeNull());
  it("counts the tokens after the first", () => expect(speed(play(tokens(11)), 1000)).toBeCloseTo(10));
});
