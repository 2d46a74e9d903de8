import { describe, expect, it } from "vitest";
import type { ChoiceReport, IpcError, ModelSource, ModelStatus, Profile, SourceModel, Transfer } from "$lib/backend";
import { percent, span } from "$lib/i18n/format";
import { CATALOGUES } from "$lib/i18n/index.svelte";
import { firstStep, wayOf } from "$features/setup/steps";
import { rejectedLines, rejectedSentence, sizeOf, speedSentence } from "./choice";
import { digitsOnly, isPin } from "./pin";
import { best, found } from "./sources.svelte";
import { outrunsReading, wordsPerSecond } from "./speed";
import { arriving, awaited, part, partOfAll } from "./transfers";

const { es } = CATALOGUES;
const failure = (code: IpcError["code"]): IpcError => ({ code, message: "", hint: null, requestId: null });

function transfer(more: Partial<Transfer>): Transfer {
  return { id: "t", kind: "import", model: "Gemma 4 E2B", state: { state: "running" }, doneBytes: 1, totalBytes: 4, partsDone: 1, parts: 4, bytesPerSecond: null, secondsLeft: null, modelId: null, ...more };
}

function choice(more: Partial<ChoiceReport> = {}): ChoiceReport {
  return { modelId: "e2b", model: "Gemma 4 E2B", device: "cpu", deviceName: "CPU", cores: 4, tokensPerSecond: 10.4, neededBytes: 2e9, usableBytes: 3e9, reason: "largestThatFits", rejected: [], ...more };
}

describe("speed", () => {
  it("counts three words for four tokens", () => {
    expect([12, 10.4, 1.3, 0.8, 0.01].map(wordsPerSecond)).toEqual([9, 8, 1, 0.6, 0.1]);
  });
  it("is compared with reading", () => {
    expect([5, 6, 12].map(outrunsReading)).toEqual([false, true, true]);
  });
});

describe("spans and parts", () => {
  it("are rounded for a person", () => {
    const words = (value: number) => span("es", value, es.span);
    expect([20, 61, 1500, 9000].map(words)).toEqual(["menos de 1 min", "unos 2 min", "unos 25 min", "unas 2,5 h"]);
  });
  it("reads 100 % only at the end", () => {
    expect([0, 0.999, 1].map((value) => percent("en", value))).toEqual(["0%", "99%", "100%"]);
  });
});

describe("transfers", () => {
  it("add up what moves", () => {
    const moving = [transfer({ doneBytes: 1 }), transfer({ doneBytes: 3, totalBytes: 4 }), transfer({ state: { state: "paused" }, doneBytes: 0 })];
    expect(partOfAll(moving)).toBe(0.5);
    expect(partOfAll([transfer({ state: { state: "done" } })])).toBeNull();
    expect(part(transfer({ totalBytes: 0 }))).toBe(0);
    expect(part(transfer({ state: { state: "done" }, doneBytes: 0 }))).toBe(1);
  });
  it("tell what they wait for", () => {
    const waiting = (code: IpcError["code"], kind: Transfer["kind"]) => awaited(transfer({ kind, state: { state: "waiting", error: failure(code) } }));
    expect([waiting("source_gone", "import"), waiting("offline", "download"), waiting("io", "download"), waiting("io", "import"), awaited(transfer({}))]).toEqual(["stick", "net", "net", "other", null]);
  });
  it("show the one that moves, then the one that failed, and no copy that leaves", () => {
    const failed = transfer({ id: "f", state: { state: "failed", error: failure("io") } });
    const done = transfer({ id: "d", state: { state: "done" } });
    expect(arriving([transfer({ id: "r" }), failed, done])?.id).toBe("r");
    expect(arriving([failed, done])?.id).toBe("f");
    expect(arriving([transfer({ kind: "export" })])).toBeNull();
  });
});

describe("the first run", () => {
  const profile: Profile = { id: "p", name: "", kind: "learner", hasPin: false };
  const demo: ModelStatus = { state: "ready", badge: { kind: "demo", model: "Demo", device: "CPU" }, contextLen: 1, loadSeconds: 1, choice: null };
  const local: ModelStatus = { ...demo, badge: { kind: "local", model: "Gemma 4 E2B", device: "CPU" }, choice: choice() };
  const known = { profile, transfers: [], models: [], status: demo };

  it("begins where the program stands", () => {
    expect(firstStep(known)).toBe("who");
    expect(firstStep({ ...known, profile: { ...profile, name: "Ana" } })).toBe("source");
    expect(firstStep({ ...known, transfers: [transfer({})] })).toBe("way");
    expect(firstStep({ ...known, profile: { ...profile, hasPin: true }, transfers: [transfer({ state: { state: "paused" } })] })).toBe("source");
    expect(firstStep({ ...known, profile: { ...profile, kind: "adult" }, status: local })).toBe("way");
  });

  it("shows the transfer first, then the model", () => {
    const done = transfer({ state: { state: "done" } });
    expect(wayOf(transfer({}), local)).toBe("moving");
    expect(wayOf(transfer({ state: { state: "paused" } }), local)).toBe("paused");
    expect(wayOf(done, demo)).toBe("opening");
    expect(wayOf(done, { state: "trying", model: "Gemma 4 E2B", device: "CPU" })).toBe("trying");
    expect(wayOf(done, local)).toBe("ready");
    expect(wayOf(done, { ...demo, choice: choice({ reason: "nothingElseFits" }) })).toBe("demoOnly");
    expect(wayOf(null, { state: "failed", error: failure("io") })).toBe("notReady");
  });
});

describe("why this model", () => {
  it("is one plain sentence about speed", () => {
    expect(speedSentence(es, "es", choice())).toBe("Este equipo escribe unas 8 palabras por segundo con el modelo pequeño. Es más rápido de lo que se lee.");
    expect(speedSentence(es, "es", choice({ tokensPerSecond: 1.3, model: "Otro" }))).toBe("Este equipo escribe cerca de 1 palabra por segundo con Otro.");
    expect(speedSentence(es, "es", choice({ tokensPerSecond: null }))).toBeNull();
  });
  it("says what was passed over", () => {
    const slow = { model: "Gemma 4 E4B", device: "cpu" as const, deviceName: "CPU", reason: { kind: "tooSlow" as const, tokensPerSecond: 2 } };
    expect(rejectedSentence(es, choice({ rejected: [slow] }))).toBe("El modelo grande iba muy lento aquí: uso el modelo pequeño.");
    const sameOnCard = { ...slow, model: "Gemma 4 E2B", device: "gpu" as const, deviceName: "RTX 3050", reason: { kind: "outOfMemory" as const } };
    expect(rejectedSentence(es, choice({ rejected: [sameOnCard] }))).toBe("Gemma 4 E2B en RTX 3050 se quedó sin memoria: uso el procesador.");
    const large = { ...slow, reason: { kind: "tooLarge" as const, neededBytes: 5, usableBytes: 3, couldFit: true } };
    expect(rejectedLines(es, choice({ rejected: [large] }))).toEqual(["Gemma 4 E4B en CPU no cabe con otros programas abiertos."]);
    expect(rejectedSentence(es, choice())).toBeNull();
    expect([sizeOf("Gemma 4 E4B Q8"), sizeOf("Llama")]).toEqual(["large", null]);
  });
});

describe("sources", () => {
  const model = (id: string, more: Partial<SourceModel> = {}): SourceModel => ({ id, name: id, quantization: "Q4_0", fileBytes: 1, seconds: null, hasChecksums: true, fits: true, installed: false, details: null, problem: null, ...more });
  const source = (id: string, models: SourceModel[]): ModelSource => ({ id, label: id, kind: "removable", models });

  it("suggest what fits and is not here yet", () => {
    const all = found([source("a", [model("big", { fits: false }), model("broken", { problem: failure("model_file_damaged") })]), source("b", [model("here", { installed: true }), model("good")])], null);
    expect(best(all)?.key).toBe("b/good");
    expect(best(all.slice(0, 2))?.key).toBe("a/big");
    expect(best(all.slice(1, 3))).toBeNull();
  });
  it("put first what was picked", () => {
    expect(found([source("a", [model("x")]), source("b", [model("y")])], "b").map(({ key }) => key)).toEqual(["b/y", "a/x"]);
  });
});

it("a PIN is four to eight digits", () => {
  expect(digitsOnly("1a2 3-4567890")).toBe("12345678");
  expect(["123", "1234", "12345678", "123456789", "12a4"].map(isPin)).toEqual([false, true, true, false, false]);
});
