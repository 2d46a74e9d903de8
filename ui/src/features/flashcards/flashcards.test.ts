import { describe, expect, it } from "vitest";
import type { Flashcards, Work } from "$lib/backend";
import { atEnd, itemAt, piles, restart, sort } from "./flashcards";

const cards: Flashcards = { title: { text: "t" }, cards: [1, 2, 3].map((n) => ({ front: { text: `f${n}` }, back: { text: `b${n}` } })) };
const fresh: Work = { items: [], at: 0 };
const play = (...known: boolean[]) => known.reduce((work, is) => sort(cards, work, is), fresh);

describe("flashcards", () => {
  it("end when every card is known", () => {
    const end = play(true, true, true);
    expect(atEnd(cards, end)).toBe(true);
    expect(piles(cards, end)).toEqual({ known: 3, again: 0, unseen: 0, atOnce: 3 });
    expect(sort(cards, end, true)).toBe(end);
  });

  it("bring back what is not known yet, after the others", () => {
    const once = play(false, true);
    expect(once.at).toBe(2);
    expect(piles(cards, once)).toEqual({ known: 1, again: 1, unseen: 1, atOnce: 1 });
    const round = sort(cards, once, true);
    expect(round.at).toBe(0);
    const end = sort(cards, round, true);
    expect(itemAt(end, 0)).toEqual({ tries: ["again", "known"], done: true, right: false });
    expect(atEnd(cards, end)).toBe(true);
    expect(piles(cards, end).atOnce).toBe(2);
  });

  it("ask the last open card until it is known", () => {
    const stuck = play(true, true, false, false);
    expect(stuck.at).toBe(2);
    expect(atEnd(cards, sort(cards, stuck, true))).toBe(true);
  });

  it("begin again without a trace", () => {
    expect(piles(cards, restart(cards))).toEqual({ known: 0, again: 0, unseen: 3, atOnce: 0 });
  });
});
