/**
 * Practice as a person goes through it: pure functions.
 *
 * An answer that is the same as the one given counts as right. One that differs is never called wrong, because nothing
 * here can prove that: after the first there is a hint, after the second the steps, and the person says whether theirs
 * means the same.
 */
import type { ItemWork, Level, Practice, Work } from "$lib/backend";
import { spokenTex } from "$lib/markdown/plain";

const UNTOUCHED: ItemWork = { tries: [], done: false, right: null };
/** As many statements of earlier exercises as a model is told. */
const MOST_USED = 12;

/** Where a person stands with an exercise. */
export type Step =
  | "try" // nothing typed yet
  | "hint" // one answer that differs
  | "judge" // two, or the steps were asked for: does theirs mean the same?
  | "done";

export function itemAt(work: Work, at: number): ItemWork {
  return work.items[at] ?? UNTOUCHED;
}

export function stepOf(item: ItemWork): Step {
  if (item.done) return "done";
  return item.tries.length === 0 ? "try" : item.tries.length === 1 ? "hint" : "judge";
}

/** What typing `answer` makes of `work`. */
export function attempt(practice: Practice, work: Work, answer: string): Work {
  const exercise = practice.exercises[work.at];
  const item = itemAt(work, work.at);
  const typed = answer.trim();
  if (!exercise || typed === "" || stepOf(item) === "judge" || item.done) return work;
  const same = sameAnswer(typed, exercise.answer.text);
  return withItem(practice, work, { tries: [...item.tries, typed], done: same, right: same ? true : null });
}

/** Shows the steps after one answer: the exercise is done, and counts as one to be met again. */
export function giveUp(practice: Practice, work: Work): Work {
  const item = itemAt(work, work.at);
  return stepOf(item) === "hint" ? withItem(practice, work, { ...item, done: true, right: false }) : work;
}

/** The person says whether their last answer means the same as the one given. */
export function judge(practice: Practice, work: Work, means: boolean): Work {
  const item = itemAt(work, work.at);
  return stepOf(item) === "judge" ? withItem(practice, work, { ...item, done: true, right: means }) : work;
}

export function next(practice: Practice, work: Work): Work {
  const open = practice.exercises.map((_, at) => at).filter((at) => !itemAt(work, at).done);
  return { ...work, at: open.find((at) => at > work.at) ?? open[0] ?? practice.exercises.length };
}

export function atEnd(practice: Practice, work: Work): boolean {
  return work.at >= practice.exercises.length;
}

/** The level that suits: all right goes up a step, two that were not go down one. */
export function nextLevel(level: Level, practice: Practice, work: Work): Level {
  const steps: Level[] = ["easy", "medium", "hard"];
  const items = practice.exercises.map((_, at) => itemAt(work, at));
  const right = items.filter((item) => item.right === true).length;
  const not = items.filter((item) => item.right === false).length;
  const step = right >= 3 ? 1 : not >= 2 ? -1 : 0;
  return steps[Math.min(2, Math.max(0, steps.indexOf(level) + step))] ?? level;
}

/** The statements that the next exercises may not repeat. */
export function usedAfter(used: readonly string[], practice: Practice): string[] {
  return [...used, ...practice.exercises.map(({ prompt }) => prompt.text)].slice(-MOST_USED);
}

/** Whether two answers are the same beyond doubt: in letters, or as a number. */
export function sameAnswer(typed: string, expected: string): boolean {
  const [one, other] = [plain(typed), plain(expected)];
  if (one === "") return false;
  if (one === other || bare(one) === bare(other)) return true;
  const [a, b] = [numberOf(bare(one)), numberOf(bare(other))];
  return a !== null && b !== null && Math.abs(a - b) <= 1e-9 * Math.max(1, Math.abs(a), Math.abs(b));
}

/** Without capitals, formula marks, spaces and the full stop at the end. */
function plain(text: string): string {
  return spokenTex(text.normalize("NFKC").replace(/\$/g, " "))
    .toLowerCase()
    .replace(/[−–]/g, "-")
    .replace(/\s+/g, "")
    .replace(/[.;]+$/, "");
}

/** "x=3" says what "3" says. */
function bare(text: string): string {
  return text.replace(/^[a-z]=/, "");
}

/** `3/4`, `0,75`, `0.75`, `75%`; `null` for anything else. "1.234" is left alone: some write thousands so. */
function numberOf(text: string): number | null {
  const found = /^(-?)(\d+)(?:([.,])(\d+))?(?:\/(\d+))?(%?)$/.exec(text);
  if (!found) return null;
  const [, sign, whole, mark, digits, under, percent] = found;
  if (mark !== undefined && (under !== undefined || (digits?.length === 3 && whole !== "0"))) return null;
  const value = Number(`${whole}.${digits ?? "0"}`) / (under === undefined ? 1 : Number(under)) / (percent ? 100 : 1);
  return Number.isFinite(value) ? (sign ? -value : value) : null;
}

function withItem(practice: Practice, work: Work, item: ItemWork): Work {
  return { ...work, items: practice.exercises.map((_, at) => (at === work.at ? item : itemAt(work, at))) };
}
