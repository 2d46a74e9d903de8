import { describe, expect, it } from "vitest";
import type { BadgeKind } from "$lib/backend";
import { message } from "../../testing/samples";
import { changedTo } from "./change";

/** Questions and answers in turn; the answers by these engines, null by nobody. */
function turns(kinds: (BadgeKind | null)[]) {
  return kinds.flatMap((kind, at) => [
    message({ id: `q${at}`, speaker: "student" }),
    message({ id: `a${at}`, speaker: "tutor", badge: kind && { kind, model: "m", device: "d" } }),
  ]);
}
const changes = (kinds: (BadgeKind | null)[]) => kinds.map((_, at) => changedTo(turns(kinds), 2 * at + 1));

describe("where another engine answers", () => {
  it("there is a line, and after it another where it goes back", () => {
    expect(changes(["local", "local", "school", "local"])).toEqual([null, null, "school", "local"]);
  });

  it("one that nobody wrote is passed over", () => {
    expect(changes(["local", null, "local", "cloud", null, "cloud"])).toEqual([null, null, null, "cloud", null, null]);
  });

  it("the first answer has one only where it came from elsewhere", () => {
    expect([changes(["demo"]), changes(["cloud"])]).toEqual([[null], ["cloud"]]);
  });

  it("counts who is writing now", () => {
    const live = { kind: "school", model: "m", device: "d" } as const;
    expect(changedTo(turns(["local", null]), 3, live)).toBe("school");
  });
});
