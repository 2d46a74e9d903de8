/**
 * One block of Markdown as nodes.
 *
 * Three steps, in this order: our renderer writes HTML in which every piece of model text is escaped; DOMPurify lets a
 * small set of tags through; then formulas and the frames around code and tables are built as nodes by us. KaTeX comes
 * last because its layout needs `style`, which DOMPurify removes from everything before it.
 */
import DOMPurify from "dompurify";
import { Parser, type Renderer, type RendererObject } from "marked";
import { renderMath } from "./math.svelte";
import { lex, md, type MathToken, type Token, type Tokens } from "./tokens";

export interface Words {
  copyCode: string;
  code: string;
}

const PURIFY = {
  ALLOWED_TAGS: ["p", "br", "strong", "em", "del", "h2", "ul", "ol", "li", "blockquote", "hr", "pre", "code", "table", "thead", "tbody", "tr", "th", "td", "span", "div"],
  ALLOWED_ATTR: ["align", "start", "data-math", "data-display", "data-lang", "data-address"],
  ALLOW_DATA_ATTR: false,
  ALLOW_ARIA_ATTR: false,
  KEEP_CONTENT: true,
  RETURN_DOM_FRAGMENT: true,
} as const;

function escape(text: string): string {
  return text.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
}

const renderer: RendererObject = {
  heading({ tokens, depth }: Tokens.Heading) {
    // The page's own h1 is above; a model skips levels as it likes, an outline may not.
    const text = this.parser.parseInline(tokens);
    return depth <= 3 ? `<h2>${text}</h2>` : `<p><strong>${text}</strong></p>`;
  },
  code({ text, lang, raw }: Tokens.Code) {
    const language = /^\s*(?:`{3,}|~{3,})[^\n]*\n/.test(raw) ? (lang ?? "").split(/\s/)[0] : "";
    return `<pre data-lang="${escape(language ?? "")}"><code>${escape(text)}</code></pre>`;
  },
  codespan({ text }: Tokens.Codespan) {
    return `<code>${escape(text)}</code>`;
  },
  html({ text }: Tokens.HTML | Tokens.Tag) {
    return escape(text);
  },
  // A link leads nowhere: its text, and its address to read where that says more.
  link({ href, tokens }: Tokens.Link) {
    const text = this.parser.parseInline(tokens);
    const readable = /^(?:https?:\/\/|mailto:)/i.test(href) && !text.includes(escape(href)) && !escape(href).includes(text);
    return readable ? `${text} <span data-address="1">(${escape(href)})</span>` : text;
  },
  image({ text }: Tokens.Image) {
    return escape(text);
  },
  checkbox({ checked }: Tokens.Checkbox) {
    return checked ? "☑ " : "☐ ";
  },
};

md.use({
  renderer,
  extensions: [
    { name: "mathInline", renderer: (token) => place(token as unknown as MathToken, "span") },
    { name: "mathBlock", renderer: (token) => place(token as unknown as MathToken, "div") },
  ],
});

function place({ tex, display }: MathToken, tag: "span" | "div"): string {
  return `<${tag} data-math="${escape(tex)}"${display ? ' data-display="1"' : ""}></${tag}>`;
}

/** `source` as nodes, ready to stand on the page. */
export function renderBlock(source: string, words: Words): DocumentFragment {
  const html = Parser.parse(lex(source), md.defaults as { renderer: Renderer });
  const fragment = DOMPurify.sanitize(html, PURIFY as unknown as { RETURN_DOM_FRAGMENT: true });
  for (const host of fragment.querySelectorAll<HTMLElement>("[data-math]")) drawFormula(host);
  for (const pre of fragment.querySelectorAll<HTMLElement>("pre")) frameCode(pre, words);
  for (const table of fragment.querySelectorAll<HTMLElement>("table")) frameTable(table);
  for (const address of fragment.querySelectorAll<HTMLElement>("[data-address]")) address.className = "address";
  return fragment;
}

/** An empty squared sheet: the place of a formula whose end has not arrived. */
export function pendingFormula(): DocumentFragment {
  const fragment = document.createDocumentFragment();
  const sheet = document.createElement("div");
  sheet.className = "squared";
  fragment.append(sheet);
  return fragment;
}

function drawFormula(host: HTMLElement): void {
  const tex = host.dataset.math ?? "";
  const display = host.dataset.display !== undefined;
  if (display && host.tagName === "DIV") host.className = "squared";
  renderMath(host, tex, display);
}

function frameCode(pre: HTMLElement, words: Words): void {
  const frame = document.createElement("div");
  frame.className = "codeblock";
  const bar = document.createElement("div");
  bar.className = "codebar";
  const label = document.createElement("span");
  label.textContent = pre.dataset.lang || words.code;
  const copy = document.createElement("button");
  copy.type = "button";
  copy.className = "btn plain small";
  copy.dataset.copy = "code";
  copy.textContent = words.copyCode;
  bar.append(label, copy);
  pre.replaceWith(frame);
  frame.append(bar, pre);
}

function frameTable(table: HTMLElement): void {
  const frame = document.createElement("div");
  frame.className = "table wide-table";
  table.replaceWith(frame);
  frame.append(table);
}

/** Whether drawing `source` again after KaTeX has come would change anything. */
export function hasMath(source: string): boolean {
  return /\$|\\[([]/.test(source);
}

export type { Token };
