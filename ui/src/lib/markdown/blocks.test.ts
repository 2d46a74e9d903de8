import { describe, expect, it } from "vitest";
import { BlockSplitter, wholeWords } from "./blocks";
import { lexBlocks } from "./tokens";

const SAMPLES = [
  "Hola.\n\nPrimero **sumamos** los de arriba.\n\n- uno\n- dos\n\n  sigue dos\n\nFin.",
  "1. uno\n\n2. dos\n\n3. tres\n\ntexto",
  "| a | b |\n|---|--:|\n| 1 | 2 |\n| 3 | 4 |\n\nDespués de la tabla.",
  "Código:\n\n```python\nprint(1)\n\nprint(2)\n```\n\nFin de `código`.",
  "Antes\n$$\n\\frac{1}{4}\n\n+ 1\n$$\nDespués\n\n\\[ x^2 \\]\n\ny $a_1 + b$.",
  "> cita\n> sigue\n\n> otra\n\n---\n\n## Título\ntexto",
  "Cuesta $5 y $6.\n\n* a\n* b\n\n    código\n\n    más\n\nfin",
];

/** Sources of a text split in one go. */
const whole = (text: string) => new BlockSplitter().update(text, false).map((block) => block.source.trimEnd());

describe("a text that grows letter by letter", () => {
  it.each(SAMPLES)("ends in the blocks of the whole text: %j", (text) => {
    const splitter = new BlockSplitter();
    for (let end = 1; end <= text.length; end++) splitter.update(text.slice(0, end), true);
    const grown = splitter.update(text, false).map((block) => block.source.trimEnd());
    expect(grown).toEqual(whole(text));
  });

  it.each(SAMPLES)("keeps closed blocks as they are: %j", (text) => {
    const splitter = new BlockSplitter();
    const closed = new Map<number, unknown>();
    for (let end = 1; end <= text.length; end++) {
      for (const block of splitter.update(text.slice(0, end), true)) {
        if (closed.has(block.key)) expect(block).toBe(closed.get(block.key));
        if (!block.open) closed.set(block.key, block);
      }
    }
    expect(closed.size).toBeGreaterThan(0);
  });

  it("has one open block at the end", () => {
    const blocks = new BlockSplitter().update("Uno.\n\nDos.\n\nTre", true);
    expect(blocks.map((block) => block.open)).toEqual([false, false, true]);
  });

  it("keeps the same block when nothing in it has changed", () => {
    const splitter = new BlockSplitter();
    const [before] = splitter.update("Hola ", true);
    const [after] = splitter.update("Hola  ", true);
    expect(after).toBe(before);
  });

  it("begins anew when the text is another one", () => {
    const splitter = new BlockSplitter();
    splitter.update("Uno.\n\nDos.\n\nTres", true);
    expect(splitter.update("Otra cosa.", true).map((block) => block.source)).toEqual(["Otra cosa."]);
  });

  it("keeps the place of an unfinished block formula free", () => {
    const blocks = new BlockSplitter().update("Así:\n\n$$\\frac{1}{4}\n\n+", true);
    expect(blocks.at(-1)).toMatchObject({ pending: true, open: true });
    expect(blocks).toHaveLength(2);
  });

  it("shows an unfinished block formula as text when the answer ends there", () => {
    expect(new BlockSplitter().update("$$\\frac{1}{4}", false)[0]).toMatchObject({ pending: false, source: "$$\\frac{1}{4}" });
  });
});

it("loses no letter of the text", () => {
  for (const text of SAMPLES) {
    const raw = lexBlocks(text, false).map((token) => token.raw);
    expect(raw.join("")).toBe(text);
  }
});

describe("wholeWords", () => {
  it.each([
    ["Primero junta", "Primero "],
    ["Primero junta ", "Primero junta "],
    ["", ""],
    ["https://una-palabra-muy-larga-sin-final", "https://una-palabra-muy-larga-sin-final"],
  ])("%j shows %j", (text, shown) => expect(wholeWords(text)).toBe(shown));
});
