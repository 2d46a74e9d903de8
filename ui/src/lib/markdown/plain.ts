/** Markdown as words to be read aloud: no markers, formulas in a readable line. */
import { lex, type MathToken, type Token } from "./tokens";

export function plainText(markdown: string): string {
  return lex(markdown).map(spoken).join(" ").replace(/\s+/g, " ").trim();
}

function spoken(token: Token): string {
  switch (token.type) {
    case "space":
    case "hr":
      return "";
    case "mathInline":
    case "mathBlock":
      return spokenTex((token as unknown as MathToken).tex);
    case "list":
      return (token.items as Token[]).map(spoken).join(". ");
    case "table": {
      const cell = (one: { tokens: Token[] }) => one.tokens.map(spoken).join("");
      return [token.header, ...token.rows].map((row: { tokens: Token[] }[]) => row.map(cell).join(", ")).join(". ");
    }
    case "br":
      return " ";
    case "image":
      return token.text as string;
    default:
      if ("tokens" in token && token.tokens) return token.tokens.map(spoken).join("");
      return "text" in token && typeof token.text === "string" ? token.text : "";
  }
}

const SIGNS: [RegExp, string][] = [
  [/\\(?:times|cdot)\b/g, " × "],
  [/\\div\b/g, " ÷ "],
  [/\\(?:leq?|leqslant)\b/g, " ≤ "],
  [/\\(?:geq?|geqslant)\b/g, " ≥ "],
  [/\\neq?\b/g, " ≠ "],
  [/\\pm\b/g, " ± "],
  [/\\(?:to|rightarrow|Rightarrow)\b/g, " → "],
  [/\\pi\b/g, "π"],
  [/\\(?:left|right|displaystyle|,|;|!|quad|qquad)/g, " "],
  [/\\\\/g, ", "],
  [/\\text(?:bf|it|rm)?\{([^{}]*)\}/g, "$1"],
];

/** A formula in one line: `\frac{1}{4}` is `1/4`. */
export function spokenTex(tex: string): string {
  let line = tex;
  for (let depth = 0; depth < 4; depth++) {
    line = line.replace(/\\[dt]?frac\{([^{}]*)\}\{([^{}]*)\}/g, (_, top: string, bottom: string) => `${group(top)}/${group(bottom)}`);
    line = line.replace(/\\sqrt\{([^{}]*)\}/g, (_, inside: string) => `√${group(inside)}`);
  }
  for (const [sign, word] of SIGNS) line = line.replace(sign, word);
  return line.replace(/\\([a-zA-Z]+)/g, "$1").replace(/[{}&]/g, "").replace(/\s+/g, " ").trim();
}

function group(part: string): string {
  return /^[\p{L}\p{N}.,]*$/u.test(part.trim()) ? part.trim() : `(${part.trim()})`;
}
