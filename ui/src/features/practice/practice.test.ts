import { describe, expect, it } from "vitest";
import type { Practice, Work } from "$lib/backend";
import { attempt, atEnd, giveUp, itemAt, judge, next, nextLevel, sameAnswer, stepOf, usedAfter } from "./practice";

const text = (words: string) => ({ text: words });
const practice: Practice = {
  title: text("t"),
  exercises: ["3/4", "12 cm", "x = 5"].map((answer, at) => ({ prompt: text(`p${at}`), hint: text("h"), steps: [text("s")], answer: text(answer) })),
};
const fresh: Work = { items: [], at: 0 };

describe("an answer is the same", () => {
  it.each([
    ["3/4", "$\\frac{3}{4}$"],
    ["0,75", "3/4"],
    ["0.75", "0,75"],
    ["75 %", "0.75"],
    [" 12  CM. ", "12 cm"],
    ["x=5", "5"],
    ["5", "$x = 5$"],
    ["−3", "-3"],
    ["1/2", "2/4"],
    ["París", "parís"],
  ])("%s and %s", (typed, expected) => expect(sameAnswer(typed, expected)).toBe(true));

  it.each([
    ["3/5", "3/4"],
    ["12", "12 cm"],
    ["", "3"],
    ["$ $", ""],
    ["1.234", "1,234"],
    ["1/0", "2/0"],
    ["paris", "parís"],
    ["-3", "3"],
  ])("and %s and %s are not, beyond doubt", (typed, expected) => expect(sameAnswer(typed, expected)).toBe(false));
});

describe("an exercise", () => {
  it("is right when the answer is the same", () => {
    expect(itemAt(attempt(practice, fresh, "0,75"), 0)).toEqual({ tries: ["0,75"], done: true, right: true });
  });

  it("is never called wrong: hint, then steps, then the person says", () => {
    const once = attempt(practice, fresh, "4/10");
    expect(stepOf(itemAt(once, 0))).toBe("hint");
    const twice = attempt(practice, once, "6/8 litros");
    expect(itemAt(twice, 0)).toEqual({ tries: ["4/10", "6/8 litros"], done: false, right: null });
    expect(stepOf(itemAt(twice, 0))).toBe("judge");
    expect(itemAt(judge(practice, twice, true), 0)).toMatchObject({ done: true, right: true });
    expect(itemAt(judge(practice, twice, false), 0)).toMatchObject({ done: true, right: false });
    // A third answer is not asked for.
    expect(attempt(practice, twice, "3/4")).toBe(twice);
  });

  it("shows its steps to whoever tried once, and to nobody before", () => {
    expect(giveUp(practice, fresh)).toBe(fresh);
    expect(itemAt(giveUp(practice, attempt(practice, fresh, "1")), 0)).toEqual({ tries: ["1"], done: true, right: false });
  });

  it("takes nothing for an answer that is empty", () => {
    expect(attempt(practice, fresh, "   ")).toBe(fresh);
    expect(judge(practice, fresh, true)).toBe(fresh);
  });
});

describe("practice", () => {
  const play = (...right: boolean[]) => right.reduce<Work>((work, is) => next(practice, is ? attempt(practice, work, practice.exercises[work.at]?.answer.text ?? "") : giveUp(practice, attempt(practice, work, "?"))), fresh);

  it("gets harder after three that were right, easier after two that were not", () => {
    expect(atEnd(practice, play(true, true, true))).toBe(true);
    expect(nextLevel("easy", practice, play(true, true, true))).toBe("medium");
    expect(nextLevel("hard", practice, play(true, true, true))).toBe("hard");
    expect(nextLevel("hard", practice, play(true, false, false))).toBe("medium");
    expect(nextLevel("easy", practice, play(false, false, false))).toBe("easy");
    expect(nextLevel("medium", practice, play(true, true, false))).toBe("medium");
  });

  it("tells the next ones what was asked, at most twelve, the latest last", () => {
    expect(usedAfter([], practice)).toEqual(["p0", "p1", "p2"]);
    const many = usedAfter(Array.from({ length: 12 }, (_, at) => `old ${at}`), practice);
    expect(many).toHaveLength(12);
    expect(many.slice(-4)).toEqual(["old 11", "p0", "p1", "p2"]);
  });
});
