/**
 * Settles the end of a text that still grows, so that nothing already shown has to move when the rest arrives:
 * what would change its meaning is held back, what is merely unclosed is closed.
 */
import { inlineMath } from "./tokens";

/** A formula held back for longer than this is shown as it stands. */
const HOLD_LIMIT = 200;

export function settleTail(raw: string, type: string): string {
  if (type === "code") return settleFence(raw);
  const lines = raw.trimEnd().split("\n");
  holdTable(lines, type);
  const last = lines.pop();
  if (last === undefined) return "";
  if (isBareMarker(last)) return lines.join("\n");
  lines.push(settleLine(last));
  return lines.join("\n").trimEnd();
}

/** Half of a closing fence is not a line of the code. */
function settleFence(raw: string): string {
  return raw.includes("\n") ? raw.replace(/\n {0,3}(?:`{1,2}|~{1,2})$/, "") : raw.replace(/[^`~\s].*$/, "");
}

/** A header row alone would be a line of text first and a table afterwards. */
function holdTable(lines: string[], type: string): void {
  if (type === "table") {
    if (/^\s*\|?\s*$/.test(lines.at(-1) ?? "")) lines.pop();
    return;
  }
  if (type !== "paragraph") return;
  let first = lines.length;
  while (first > 0 && lines[first - 1]?.trimStart().startsWith("|")) first--;
  const rows = lines.slice(first);
  const header = rows.length === 1 || (rows.length === 2 && /^[\s|:-]*$/.test(rows[1] ?? ""));
  if (header) lines.length = first;
}

/** A list marker, hashes, a quote sign, the beginning of a fence, a rule: nothing to read yet. */
function isBareMarker(line: string): boolean {
  return /^\s*(?:(?:[-*+]|\d{1,3}[.)]|>)\s+)*(?:#{1,6}|[-*_=]{1,3}|`{1,3}|~{1,3}|\$|\\|\d{1,3}[.)]|[-*+>])\s*$/.test(line);
}

const WORD = /[\p{L}\p{N}]/u;

/** Holds back an unfinished formula or link and closes code and stress. */
function settleLine(line: string): string {
  const open: string[] = [];
  let at = 0;
  while (at < line.length) {
    const rest = line.slice(at);
    const char = rest[0] ?? "";
    if (char === "$" || /^\\[([]/.test(rest)) {
      const formula = inlineMath(rest);
      if (formula) {
        at += formula.raw.length;
        continue;
      }
      if (mayBecomeMath(rest)) return close(line.slice(0, at), open);
      at += char === "\\" ? 2 : rest.startsWith("$$") ? 2 : 1;
    } else if (char === "\\") {
      if (rest.length === 1) return close(line.slice(0, at), open);
      at += 2;
    } else if (char === "`") {
      const run = /^`+/.exec(rest)?.[0] ?? "`";
      const end = rest.slice(run.length).search(new RegExp(`(?<!\`)${run}(?!\`)`));
      if (end < 0) {
        const inside = rest.slice(run.length).replace(/`+$/, "");
        return inside.trim() === "" ? close(line.slice(0, at), open) : close(`${line.slice(0, at)}${run}${inside}${run}`, open);
      }
      at += end + 2 * run.length;
    } else if (char === "[" || rest.startsWith("![")) {
      const link = /^!?\[([^[\]]*)\](?:\([^()]*)?$/.exec(rest);
      if (link && rest.includes("](")) return close(line.slice(0, at) + (link[1] ?? ""), open);
      at += 1;
    } else if (char === "*") {
      at += stress(line, at, open);
    } else {
      at += 1;
    }
  }
  return close(line, open);
}

/** Notes a run of asterisks at `at` as opening or closing; returns its length. */
function stress(line: string, at: number, open: string[]): number {
  const run = /^\*+/.exec(line.slice(at))?.[0] ?? "*";
  const previous = line[at - 1] ?? " ";
  const next = line[at + run.length] ?? " ";
  if (run.length > 2 || (WORD.test(previous) && WORD.test(next))) return run.length;
  if (open.at(-1) === run && !/\s/.test(previous)) open.pop();
  else if (open.at(-1) !== run && !/\s/.test(next)) open.push(run);
  return run.length;
}

/** `text` without dangling asterisks, with every open run closed. */
function close(text: string, open: string[]): string {
  let settled = text.replace(/(^|\s)\*{1,2}$/, "$1");
  if (open.length > 0) settled = settled.replace(/\*+$/, "").trimEnd();
  for (const run of [...open].reverse()) settled = settled.endsWith(run) ? settled.slice(0, -run.length) : settled + run;
  return settled;
}

/** Whether an unclosed formula may begin here; an amount of money ("$5 por") may not. */
function mayBecomeMath(rest: string): boolean {
  if (rest.length > HOLD_LIMIT) return false;
  if (rest.startsWith("\\")) return true;
  if (rest.startsWith("$$")) return !rest.slice(2).includes("$$");
  if (/^\$\s/.test(rest)) return false;
  // A second dollar that did not close it: two amounts.
  if (/^\$[^$]*\$./.test(rest)) return false;
  return !/^\$[\d.,]+(?:[.,;:)]?\s+\p{L}{2,}|[.,;:)]\s)/u.test(rest);
}
