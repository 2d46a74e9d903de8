/**
 * Markdown as the tutor writes it: GitHub's dialect plus mathematics, without HTML, references and navigation.
 *
 * Mathematics: `$…$`, `$$…$$`, `\(…\)`, `\[…\]`. A dollar is an amount of money unless no space follows the
 * opening one, no space stands before the closing one, and no digit follows it ("$5 and $6" is not mathematics).
 */
import { Marked, Lexer, type Token, type Tokens, type TokenizerExtension } from "marked";

export interface MathToken {
  type: "mathInline" | "mathBlock";
  raw: string;
  tex: string;
  display: boolean;
  /** The closing delimiter has not arrived yet. */
  open: boolean;
}

/** An unclosed block formula longer than this is taken for ordinary text. */
const OPEN_LIMIT = 600;

/** Set while a text that still grows is being split: an unclosed block formula then keeps what follows together. */
let growing = false;

const BLOCK = /^ {0,3}(?:\$\$([\s\S]+?)\$\$|\\\[([\s\S]+?)\\\])[ \t]*(?:\n|$)/;
const OPEN_BLOCK = /^ {0,3}(?:\$\$|\\\[)([\s\S]*)$/;

const mathBlock: TokenizerExtension = {
  name: "mathBlock",
  level: "block",
  start: (src) => src.match(/(?:^|\n) {0,3}(?:\$\$|\\\[)/)?.index,
  tokenizer(src): MathToken | undefined {
    const closed = BLOCK.exec(src);
    if (closed) {
      const tex = (closed[1] ?? closed[2] ?? "").trim();
      return { type: "mathBlock", raw: closed[0], tex, display: true, open: false };
    }
    const open = growing ? OPEN_BLOCK.exec(src) : null;
    // A closing delimiter in mid-line means that the formula belongs to a paragraph.
    if (!open || src.length > OPEN_LIMIT || /\$\$|\\\]/.test(open[1] ?? "")) return undefined;
    return { type: "mathBlock", raw: src, tex: "", display: true, open: true };
  },
};

/** The inline formula at the start of `src`, if one is complete there. */
export function inlineMath(src: string): { raw: string; tex: string; display: boolean } | null {
  const display = /^(?:\$\$([^$]+?)\$\$|\\\[([\s\S]+?)\\\])/.exec(src);
  if (display) return { raw: display[0], tex: (display[1] ?? display[2] ?? "").trim(), display: true };
  const inline = /^\$(?!\s)((?:\\[\s\S]|[^$\\\n])+?)(?<!\s)\$(?!\d)/.exec(src) ?? /^\\\(([\s\S]+?)\\\)/.exec(src);
  if (inline) return { raw: inline[0], tex: (inline[1] ?? "").trim(), display: false };
  return null;
}

const mathInline: TokenizerExtension = {
  name: "mathInline",
  level: "inline",
  start: (src) => src.match(/\$|\\[([]/)?.index,
  tokenizer(src): MathToken | undefined {
    const found = inlineMath(src);
    return found ? { type: "mathInline", ...found, open: false } : undefined;
  },
};

export const md = new Marked({
  gfm: true,
  breaks: true,
  extensions: [mathBlock, mathInline],
  tokenizer: {
    // No HTML: a tag is text like any other.
    html: () => undefined,
    tag: () => undefined,
    // "text\n---" is a rule under a paragraph; as a heading the text would jump when the dashes arrive.
    lheading: () => undefined,
    def: () => undefined,
    // "4." is an answer, not an empty list.
    list: (src) => (/^ {0,3}\d{1,9}[.)][ \t]*(?:\n|$)/.test(src) ? undefined : false),
    // `3*4*5` and `2**3` are products and powers, not stress.
    emStrong(src, _masked, previous) {
      const stars = /^\*+(?=[\p{L}\p{N}(])/u.exec(src)?.[0];
      if (!stars || !/[\p{L}\p{N})\]]/u.test(previous ?? "")) return false;
      return { type: "text", raw: stars, text: stars } as unknown as Tokens.Em;
    },
  },
});

/** The blocks of `text`, without looking inside them. */
export function lexBlocks(text: string, textGrows: boolean): Token[] {
  growing = textGrows;
  try {
    return new Lexer(md.defaults).blockTokens(text, []);
  } finally {
    growing = false;
  }
}

/** The whole of `text` as tokens. */
export function lex(text: string): Token[] {
  return new Lexer(md.defaults).lex(text);
}

export type { Token, Tokens };
