import { describe, expect, it } from "vitest";
import { settleTail } from "./tail";

describe("the end of a paragraph that still grows", () => {
  it.each([
    ["text without markers", "Hola, esto", "Hola, esto"],
    ["open stress is closed", "esto es **muy", "esto es **muy**"],
    ["a half closing marker is not shown", "esto es **muy*", "esto es **muy**"],
    ["closed stress stays", "esto es **muy** claro", "esto es **muy** claro"],
    ["a lone marker is held back", "esto es **", "esto es"],
    ["a product is not stress", "3*4", "3*4"],
    ["open code is closed", "usa `print", "usa `print`"],
    ["a lone backtick is held back", "usa `", "usa"],
    ["an open formula is held back", "vale $\\frac{1}{4}", "vale"],
    ["a formula with spaces is held back", "vale $27 + 35", "vale"],
    ["a finished formula stays", "vale $\\frac{1}{4}$ y", "vale $\\frac{1}{4}$ y"],
    ["an amount of money is shown", "cuesta $5 por", "cuesta $5 por"],
    ["two amounts are shown", "de $5 a $6 hay", "de $5 a $6 hay"],
    ["an open \\( is held back", "vale \\(x + 1", "vale"],
    ["an open \\[ is held back", "vale \\[x", "vale"],
    ["a lone backslash is held back", "vale \\", "vale"],
    ["the address of a link is held back", "mira [aquí](https://ej", "mira aquí"],
    ["an interval is not a link", "en [1, 2", "en [1, 2"],
    ["stress before a held formula is closed", "**vale $x", "**vale**"],
  ])("%s", (_, raw, settled) => expect(settleTail(raw, "paragraph")).toBe(settled));

  it.each(["-", "- ", "1.", "12)", "#", "### ", ">", "*", "``", "```", "$", "--", "> -", "- #"])("a last line of only %j is held back", (marker) => {
    expect(settleTail(`antes\n${marker}`, "paragraph")).toBe("antes");
  });

  it("a number that is part of a sentence stays", () => {
    expect(settleTail("Son 62", "paragraph")).toBe("Son 62");
    expect(settleTail("27 + 35 =\n62", "paragraph")).toBe("27 + 35 =\n62");
  });

  it("a table is held back until its second row is complete", () => {
    expect(settleTail("Mira:\n| a | b |", "paragraph")).toBe("Mira:");
    expect(settleTail("Mira:\n| a | b |\n", "paragraph")).toBe("Mira:");
    expect(settleTail("Mira:\n| a | b |\n|---|-", "paragraph")).toBe("Mira:");
  });
});

it("half of a closing fence is not code", () => {
  expect(settleTail("```js\nlet x\n``", "code")).toBe("```js\nlet x");
  expect(settleTail("```js\nlet x\n```", "code")).toBe("```js\nlet x\n```");
});

it("a row that has only begun is not shown", () => {
  expect(settleTail("| a |\n|---|\n|", "table")).toBe("| a |\n|---|");
});
