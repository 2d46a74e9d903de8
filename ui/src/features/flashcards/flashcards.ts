/** Flashcards as a person goes through them: pure functions. What is not known yet comes again after the others. */
import type { Flashcards, ItemWork, Work } from "$lib/backend";

const UNTOUCHED: ItemWork = { tries: [], done: false, right: null };

export function itemAt(work: Work, at: number): ItemWork {
  return work.items[at] ?? UNTOUCHED;
}

/** Puts the card that lies open away as known, or back for later, and takes the next. */
export function sort(cards: Flashcards, work: Work, known: boolean): Work {
  const at = work.at;
  if (atEnd(cards, work)) return work;
  const before = itemAt(work, at);
  const item: ItemWork = { tries: [...before.tries, known ? "known" : "again"], done: known, right: known ? before.tries.length === 0 : null };
  const items = cards.cards.map((_, each) => (each === at ? item : itemAt(work, each)));
  const open = items.flatMap(({ done }, each) => (done ? [] : [each]));
  return { items, at: open.find((each) => each > at) ?? open[0] ?? cards.cards.length };
}

export function atEnd(cards: Flashcards, work: Work): boolean {
  return work.at >= cards.cards.length;
}

export interface Piles {
  /** Known. */
  known: number;
  /** Seen, and to come again. */
  again: number;
  /** Not seen yet. */
  unseen: number;
  /** Known at the first sight. */
  atOnce: number;
}

export function piles(cards: Flashcards, work: Work): Piles {
  const items = cards.cards.map((_, at) => itemAt(work, at));
  return {
    known: items.filter(({ done }) => done).length,
    again: items.filter(({ done, tries }) => !done && tries.length > 0).length,
    unseen: items.filter(({ done, tries }) => !done && tries.length === 0).length,
    atOnce: items.filter(({ right }) => right === true).length,
  };
}

/** All cards from the beginning. */
export function restart(cards: Flashcards): Work {
  return { items: cards.cards.map(() => UNTOUCHED), at: 0 };
}
