/**
 * A quiz as a person goes through it: pure functions from what was done to what is shown.
 *
 * Each question has two tries; after a first wrong one there is a hint. When all are done, those whose first try was
 * wrong can be gone through again. All tries are kept, in order: a round that ended wrong at first has two of them, so an
 * even number on an open question means that a new round begins.
 */
import type { ItemWork, Quiz, Work } from "$lib/backend";

const UNTOUCHED: ItemWork = { tries: [], done: false, right: null };
export const LETTERS = ["A", "B", "C", "D"] as const;

/** How a question went. */
export type Outcome = "open" | "first" | "second" | "later" | "missed";

export function itemAt(work: Work, at: number): ItemWork {
  return work.items[at] ?? UNTOUCHED;
}

/** The tries of the present round, as places of options. */
export function triesOf({ tries, done }: ItemWork): number[] {
  const shown = tries.length % 2 === 1 ? tries.slice(-1) : done ? tries.slice(-2) : [];
  return shown.map(Number);
}

export function outcome(item: ItemWork): Outcome {
  if (!item.done) return "open";
  if (item.right !== true) return "missed";
  if (item.tries.length === 1) return "first";
  return item.tries.length === 2 ? "second" : "later";
}

/** Whether the first try of all was wrong: what the review is about. */
export function wasMissed(item: ItemWork): boolean {
  return item.tries.length > 1;
}

/** What checking `option` at the present question makes of `work`. What is done stays as it is, and no option is tried twice. */
export function check(quiz: Quiz, work: Work, option: number): Work {
  const at = work.at;
  const question = quiz.questions[at];
  const item = itemAt(work, at);
  const before = triesOf(item);
  if (!question || item.done || before.includes(option) || !(option in question.options)) return work;
  const right = option === question.answer;
  const done = right || before.length === 1;
  return withItem(quiz, work, at, { tries: [...item.tries, String(option)], done, right: done ? right : null });
}

/** The question after this one that is still open; behind the last one lies the end. */
export function next(quiz: Quiz, work: Work): Work {
  const open = quiz.questions.map((_, at) => at).filter((at) => !itemAt(work, at).done);
  return { ...work, at: open.find((at) => at > work.at) ?? open[0] ?? quiz.questions.length };
}

export function atEnd(quiz: Quiz, work: Work): boolean {
  return work.at >= quiz.questions.length;
}

/** Opens the questions again whose last round began with a wrong answer. */
export function again(quiz: Quiz, work: Work): Work {
  const items = quiz.questions.map((_, at) => {
    const item = itemAt(work, at);
    return item.tries.length % 2 === 0 ? { ...item, done: false, right: null } : item;
  });
  const first = items.findIndex(({ done }) => !done);
  return first < 0 ? work : { items, at: first };
}

/** How many there are of each outcome. */
export function score(quiz: Quiz, work: Work): Record<Outcome, number> {
  const counts: Record<Outcome, number> = { open: 0, first: 0, second: 0, later: 0, missed: 0 };
  quiz.questions.forEach((_, at) => counts[outcome(itemAt(work, at))]++);
  return counts;
}

function withItem(quiz: Quiz, work: Work, at: number, item: ItemWork): Work {
  return { ...work, items: quiz.questions.map((_, each) => (each === at ? item : itemAt(work, each))) };
}
