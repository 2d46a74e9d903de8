import { describe, expect, it } from "vitest";
import { bytes, languageOf, localeFor, plural, rate, seconds } from "./format";
import { CATALOGUES } from "./index.svelte";

/** Every path to a text, with how many parameters it takes. */
function paths(value: unknown, at = ""): string[] {
  if (typeof value === "string") return [at];
  if (typeof value === "function") return [`${at}(${value.length})`];
  return Object.entries(value as object).flatMap(([key, inner]) => paths(inner, `${at}.${key}`));
}

function texts(value: unknown): string[] {
  if (typeof value === "string") return [value];
  if (typeof value === "function") {
    const given = [0, 1, 2].flatMap((count) => [(value as (...args: unknown[]) => string)(count, 3)]);
    return given;
  }
  return Object.values(value as object).flatMap(texts);
}

describe("the catalogue", () => {
  it.each(["en", "pt"] as const)("%s has every text of Spanish and no other", (language) => {
    expect(paths(CATALOGUES[language]).sort()).toEqual(paths(CATALOGUES.es).sort());
  });

  it.each(["es", "en", "pt"] as const)("%s has no empty text and no unfilled place", (language) => {
    for (const text of texts(CATALOGUES[language])) {
      expect(text.trim()).not.toBe("");
      expect(text).not.toMatch(/undefined|\[object|#/);
    }
  });

  it.each(["es", "en", "pt"] as const)("%s keeps the voice: no exclamation marks", (language) => {
    for (const text of texts(CATALOGUES[language])) expect(text).not.toMatch(/[!¡]/);
  });
});

describe("formats", () => {
  it("counts as each language does", () => {
    const { es, en, pt } = CATALOGUES;
    expect([0, 1, 2].map(en.chat.queued)).toEqual(["Yours is next.", "1 question is ahead of yours.", "2 questions are ahead of yours."]);
    expect([0, 1, 2].map(es.chat.queued)).toEqual(["La tuya es la siguiente.", "Hay 1 pregunta antes que la tuya.", "Hay 2 preguntas antes que la tuya."]);
    expect([1, 2].map(pt.chat.queued)).toEqual(["Há 1 pergunta antes da sua.", "Há 2 perguntas antes da sua."]);
    expect([es, en, pt].map((words) => words.app.connections(0))).toEqual(["0 conexiones.", "0 connections.", "0 conexões."]);
  });

  it("writes numbers by the locale", () => {
    expect(seconds("es", 6.34)).toBe("6,3 s");
    expect(seconds("en", 6.34)).toBe("6.3 s");
    expect(seconds("en", 12.6)).toBe("13 s");
    expect(rate("pt-BR", 8.25)).toBe("8,3 tok/s");
    expect(bytes("es", 3.1e9)).toBe("3,1 GB");
    expect(bytes("en", 7.9e6)).toBe("7.9 MB");
    expect(plural("en", 1234, { one: "# a", other: "# b" })).toBe("1,234 b");
  });

  it("takes the system's region where it speaks the language", () => {
    expect(localeFor("es", ["en-US", "es-MX"])).toBe("es-MX");
    expect(localeFor("pt", ["es-CO"])).toBe("pt-BR");
  });

  it("finds the system's language", () => {
    expect(languageOf(["fr-FR", "pt-PT", "en"])).toBe("pt");
    expect(languageOf(["fr"], "en")).toBe("en");
    expect(languageOf([])).toBe("es");
  });
});
