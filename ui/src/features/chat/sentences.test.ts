import { describe, expect, it } from "vitest";
import { spokenTex } from "$lib/markdown/plain";
import { SentenceReader } from "./sentences";

/** What is read aloud while `text` grows letter by letter. */
function heard(text: string): string[] {
  const reader = new SentenceReader();
  const all: string[] = [];
  for (let end = 1; end <= text.length; end++) all.push(...reader.read(text.slice(0, end)));
  return [...all, ...reader.read(text, true)];
}

describe("sentences for screen readers", () => {
  it("come once each, in order, when they are complete", () => {
    expect(heard("Hola. ¿Cuánto es 2 + 2? Son 4.")).toEqual(["Hola.", "¿Cuánto es 2 + 2?", "Son 4."]);
  });

  it("do not break at a decimal point or at the number of an item", () => {
    expect(heard("Son 3.5 metros. Fin.")).toEqual(["Son 3.5 metros.", "Fin."]);
    expect(heard("1. Suma.\n2. Resta.").join(" ")).toBe("Suma. Resta.");
  });

  it("carry no markers", () => {
    expect(heard("Es **muy** fácil, `así`.")).toEqual(["Es muy fácil, así."]);
  });

  it("say formulas in a line", () => {
    expect(heard("Queda $\\frac{1}{4}$. Fin.")).toEqual(["Queda 1/4.", "Fin."]);
  });

  it("give code in one piece", () => {
    expect(heard("```js\nlet x.\nlet y.\n```\nFin.")).toEqual(["let x. let y.", "Fin."]);
  });
});

describe("spokenTex", () => {
  it.each([
    ["\\frac{1}{4}", "1/4"],
    ["\\frac{1+2}{4}", "(1+2)/4"],
    ["3 \\times 4 \\cdot 5", "3 × 4 × 5"],
    ["\\sqrt{16}", "√16"],
    ["\\frac{\\frac{1}{2}}{3}", "(1/2)/3"],
    ["x \\leq 2", "x ≤ 2"],
    ["\\text{área} = \\pi r^2", "área = π r^2"],
  ])("%s is %s", (tex, spoken) => expect(spokenTex(tex)).toBe(spoken));
});
