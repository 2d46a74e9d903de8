/**
 * A growing text as a list of blocks of which only the last one still changes.
 *
 * A block is closed when another one follows it. Closed blocks keep their identity from one update to the next, so that
 * the page leaves their nodes alone; the text before them is not read again.
 */
import { lexBlocks, type Token } from "./tokens";
import { settleTail } from "./tail";

export interface Block {
  /** Where it begins in the text: stable for as long as the text only grows. */
  readonly key: number;
  /** Its Markdown, with unfinished constructs settled while it is open. */
  readonly source: string;
  /** It may still change. */
  readonly open: boolean;
  /** A block formula whose end has not arrived: its place is kept free. */
  readonly pending: boolean;
}

/** A last line that the next letters may turn into an item of the list before it. */
const MAY_JOIN_LIST = /^\s*(?:\d{1,9}[.)]?|[-*+])\s*$/;

export class BlockSplitter {
  private closed: Block[] = [];
  /** The text up to here is in `closed`. */
  private upTo = 0;
  private before = "";
  private last: Block | null = null;

  /** The blocks of `text`. `grows` says that more will follow: then the last block is open. */
  update(text: string, grows: boolean): Block[] {
    if (!text.startsWith(this.before.slice(0, this.upTo))) this.reset();
    this.before = text;

    const tokens = withOffsets(lexBlocks(text.slice(this.upTo), grows), this.upTo);
    const firstOpen = grows ? openFrom(tokens) : tokens.length;
    const fresh = tokens.map(({ token, offset }, at) => this.block(token, offset, grows && at >= firstOpen, grows && at === tokens.length - 1));

    if (grows) {
      for (let at = 0; at < firstOpen; at++) {
        const [token, block] = [tokens[at], fresh[at]];
        if (!token || !block) break;
        this.closed.push(block);
        this.upTo = token.end;
      }
      this.last = fresh.at(-1) ?? null;
      return [...this.closed, ...fresh.slice(firstOpen)].filter(hasSomething);
    }
    this.last = null;
    return [...this.closed, ...fresh].filter(hasSomething);
  }

  private block(token: Token, key: number, open: boolean, isTail: boolean): Block {
    const pending = token.type === "mathBlock" && token.open === true;
    const source = isTail && !pending ? settleTail(token.raw, token.type) : token.raw;
    const same = this.last;
    if (same && same.key === key && same.source === source && same.open === open && same.pending === pending) return same;
    return { key, source, open, pending };
  }

  private reset(): void {
    this.closed = [];
    this.upTo = 0;
    this.last = null;
  }
}

interface Placed {
  token: Token;
  offset: number;
  /** Where the next block begins: blank lines belong to the block before them. */
  end: number;
}

function withOffsets(tokens: Token[], from: number): Placed[] {
  const placed: Placed[] = [];
  let offset = from;
  for (const token of tokens) {
    const end = offset + token.raw.length;
    const previous = placed.at(-1);
    if (token.type === "space") {
      if (previous) previous.end = end;
    } else {
      placed.push({ token, offset, end });
    }
    offset = end;
  }
  return placed;
}

/** Index of the first block that later text may still change. */
function openFrom(tokens: Placed[]): number {
  const last = tokens.at(-1);
  const joins = last && MAY_JOIN_LIST.test(last.token.raw) && tokens.at(-2)?.token.type === "list";
  return Math.max(0, tokens.length - (joins ? 2 : 1));
}

function hasSomething(block: Block): boolean {
  return block.pending || block.source.trim() !== "";
}

/** `text` up to its last whole word; a very long word is shown as it comes. */
export function wholeWords(text: string): string {
  const tail = /\S+$/.exec(text)?.[0] ?? "";
  return tail.length > 24 ? text : text.slice(0, text.length - tail.length);
}
