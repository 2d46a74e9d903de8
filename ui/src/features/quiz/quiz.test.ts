import { describe, expect, it } from "vitest";
import type { Quiz, Work } from "$lib/backend";
import { again, atEnd, check, itemAt, next, outcome, score, triesOf, wasMissed } from "./quiz";

const text = (words: string) => ({ text: words });
/** Three questions; the right answers are 0, 1, 2. */
const quiz: Quiz = {
  title: text("t"),
  questions: [0, 1, 2].map((answer) => ({ prompt: text("p"), options: ["a", "b", "c", "d"].map(text), hint: text("h"), explanation: text("e"), answer })),
};
const fresh: Work = { items: [], at: 0 };
const play = (work: Work, ...options: number[]) => options.reduce((before, option) => check(quiz, before, option), work);

describe("a question", () => {
  it("is right at the first try", () => {
    const item = itemAt(play(fresh, 0), 0);
    expect(item).toEqual({ tries: ["0"], done: true, right: true });
    expect(outcome(item)).toBe("first");
    expect(wasMissed(item)).toBe(false);
  });

  it("gives one more try after a wrong one, and then shows the answer", () => {
    const once = play(fresh, 3);
    expect(itemAt(once, 0)).toEqual({ tries: ["3"], done: false, right: null });
    expect(outcome(itemAt(play(once, 0), 0))).toBe("second");
    expect(itemAt(play(once, 2), 0)).toEqual({ tries: ["3", "2"], done: true, right: false });
    expect(outcome(itemAt(play(once, 2), 0))).toBe("missed");
  });

  it("takes no option twice, none that is not there, and nothing after its end", () => {
    const once = play(fresh, 3);
    expect(play(once, 3)).toBe(once);
    expect(play(fresh, 4)).toBe(fresh);
    expect(play(fresh, -1)).toBe(fresh);
    const done = play(fresh, 0);
    expect(play(done, 1)).toBe(done);
  });
});

describe("a quiz", () => {
  const toEnd = (work: Work): Work => {
    // First at once, second with the second try, third missed.
    const one = next(quiz, play(work, 0));
    const two = next(quiz, play(one, 3, 1));
    return next(quiz, play(two, 0, 1));
  };

  it("goes from question to question to its end", () => {
    expect(next(quiz, play(fresh, 0)).at).toBe(1);
    const end = toEnd(fresh);
    expect(atEnd(quiz, end)).toBe(true);
    expect(score(quiz, end)).toEqual({ open: 0, first: 1, second: 1, later: 0, missed: 1 });
  });

  it("opens again only what was wrong, and keeps every try", () => {
    const round = again(quiz, toEnd(fresh));
    expect(round.at).toBe(1);
    expect(itemAt(round, 0).done).toBe(true);
    expect(itemAt(round, 1)).toEqual({ tries: ["3", "1"], done: false, right: null });
    expect(triesOf(itemAt(round, 1))).toEqual([]);
    // What was tried in the round before may be chosen again.
    const second = play(round, 1);
    expect(outcome(itemAt(second, 1))).toBe("later");
    const third = next(quiz, second);
    expect(third.at).toBe(2);
    const end = next(quiz, play(third, 3, 2));
    expect(atEnd(quiz, end)).toBe(true);
    expect(score(quiz, end)).toEqual({ open: 0, first: 1, second: 0, later: 2, missed: 0 });
    // The third needed its second try once more, so it alone comes again.
    expect(again(quiz, end).at).toBe(2);
    expect(itemAt(again(quiz, end), 1).done).toBe(true);
  });

  it("stays at its end where nothing was wrong", () => {
    const all = [0, 1, 2].reduce((work, option) => next(quiz, play(work, option)), fresh);
    expect(again(quiz, all)).toBe(all);
  });

  it("is the same after a reload in the middle of a second try", () => {
    const kept = JSON.parse(JSON.stringify(play(next(quiz, play(fresh, 0)), 3))) as Work;
    expect(kept.at).toBe(1);
    expect(triesOf(itemAt(kept, 1))).toEqual([3]);
    expect(outcome(itemAt(play(kept, 1), 1))).toBe("second");
  });
});
