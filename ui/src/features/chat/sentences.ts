/** Finds the sentences of a growing text that are complete, so that a screen reader hears each one once. */
import { plainText } from "$lib/markdown/plain";

/** A sentence ends before a space, or with its line; `3.5` and `1.` at the start of an item do not end one. */
const END = /(?:(?<!(?:^|\n)\s*\d{1,3})[.!?…:]["»”')\]]*(?=\s))|\n/g;

export class SentenceReader {
  private readTo = 0;

  /** The sentences of `text` that were not given before; with `all`, the unfinished rest too. */
  read(text: string, all = false): string[] {
    const rest = text.slice(this.readTo);
    let end = all ? rest.length : 0;
    if (!all) for (const found of rest.matchAll(END)) end = found.index + found[0].length;
    if (!all && insideBlock(text.slice(0, this.readTo + end))) return [];
    const piece = rest.slice(0, end);
    this.readTo += end;
    const spoken = plainText(piece);
    return spoken === "" ? [] : [spoken];
  }
}

/** Inside an unclosed fence or block formula: its pieces mean nothing alone. */
function insideBlock(text: string): boolean {
  const fences = text.match(/^ {0,3}(?:`{3}|~{3})/gm)?.length ?? 0;
  const dollars = text.match(/\$\$/g)?.length ?? 0;
  return fences % 2 === 1 || dollars % 2 === 1;
}
