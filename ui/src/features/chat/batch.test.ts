import { describe, expect, it } from "vitest";
import type { ChatEvent } from "$lib/backend";
import { EventBatch, INTERVAL_MS, type Clock } from "./batch";

/** A clock that stands still until it is moved. */
class HandClock implements Clock {
  time = 1000;
  private planned: { at: number; run: () => void }[] = [];
  now = () => this.time;
  schedule(run: () => void, delay: number) {
    const plan = { at: this.time + Math.max(0, delay), run };
    this.planned.push(plan);
    return () => (this.planned = this.planned.filter((one) => one !== plan));
  }
  advance(by: number) {
    this.time += by;
    const due = this.planned.filter(({ at }) => at <= this.time);
    this.planned = this.planned.filter(({ at }) => at > this.time);
    for (const { run } of due) run();
  }
}

function setup() {
  const clock = new HandClock();
  const groups: string[] = [];
  const batch = new EventBatch((events) => groups.push(events.map((event) => (event.event === "token" ? event.text : event.event)).join("")), clock);
  const token = (text: string) => batch.push({ event: "token", text });
  return { clock, groups, batch, token };
}

describe("EventBatch", () => {
  it("hands text on at most once an interval", () => {
    const { clock, groups, token } = setup();
    token("a");
    token("b");
    expect(groups).toEqual([]);
    clock.advance(0);
    expect(groups).toEqual(["ab"]);
    token("c");
    clock.advance(INTERVAL_MS - 1);
    token("d");
    expect(groups).toEqual(["ab"]);
    clock.advance(1);
    expect(groups).toEqual(["ab", "cd"]);
  });

  it("hands everything else on at once, after the text before it", () => {
    const { groups, batch, token } = setup();
    token("a");
    batch.push({ event: "queued", position: 1 });
    expect(groups).toEqual(["aqueued"]);
  });

  it("loses nothing and keeps the order", () => {
    const { clock, groups, token } = setup();
    const text = "El agua sube como vapor y vuelve como lluvia.";
    for (const letter of text) {
      token(letter);
      clock.advance(7);
    }
    clock.advance(INTERVAL_MS);
    expect(groups.join("")).toBe(text);
    expect(groups.length).toBeLessThanOrEqual(Math.ceil((text.length * 7) / INTERVAL_MS) + 1);
  });

  it("forgets what waits when it is dropped", () => {
    const { clock, groups, batch, token } = setup();
    token("a");
    batch.drop();
    clock.advance(1000);
    expect(groups).toEqual([]);
  });

  it("delivers each event once", () => {
    const { clock, groups, batch } = setup();
    const event: ChatEvent = { event: "token", text: "a" };
    batch.push(event);
    batch.flush();
    clock.advance(1000);
    expect(groups).toEqual(["a"]);
  });
});
