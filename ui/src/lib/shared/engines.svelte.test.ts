import { beforeEach, describe, expect, it } from "vitest";
import { FakeBackend } from "../../testing/fake-backend";
import { failure } from "../../testing/samples";
import { Engines } from "./engines.svelte";

let backend: FakeBackend;
let engines: Engines;
let changes: number;
beforeEach(async () => {
  backend = new FakeBackend();
  changes = 0;
  engines = new Engines(backend, () => changes++);
  await engines.load();
});

describe("who answers", () => {
  it("is switched on one at a time, and everybody hears of it", async () => {
    await engines.turn("school", true);
    expect([engines.state?.school.on, engines.state?.cloud.on, changes]).toEqual([true, false, 1]);
    await engines.turn("cloud", true);
    expect([engines.state?.school.on, engines.state?.cloud.on, changes]).toEqual([true, true, 2]);
  });

  it("is chosen for one group and leaves the others", async () => {
    await engines.place("reading", "school");
    await engines.place("questions", "cloud");
    expect(engines.state?.places).toEqual({ questions: "cloud", drawings: "device", reading: "school", secondAnswer: "device" });
  });

  it("a change that fails leaves what is in force and says why", async () => {
    backend.failNext.enginesSet = "adult_only";
    expect(await engines.turn("cloud", true)).toBe(false);
    expect([engines.state?.cloud.on, engines.errors.cloud?.code, changes, engines.doing.cloud]).toEqual([false, "adult_only", 0, null]);
    await engines.turn("cloud", true);
    expect(engines.errors.cloud).toBeNull();
  });

  it("hands a key over and keeps nothing of it", async () => {
    await engines.setKey("canary-key");
    expect(engines.state?.cloud.key).toBe("keychain");
    expect(JSON.stringify(engines)).not.toContain("canary-key");
    await engines.removeKey();
    expect([engines.state?.cloud.key, engines.state?.cloud.agreedAt]).toEqual(["none", null]);
  });

  it("an agreement can be withdrawn", async () => {
    await engines.agree(true);
    expect(engines.state?.cloud.agreedAt).not.toBeNull();
    await engines.agree(false);
    expect(engines.state?.cloud.agreedAt).toBeNull();
  });

  it("a test shows its steps, what it found, and only one runs", async () => {
    await engines.setSchool({ address: "aula.local:8000", token: "t" });
    const first = engines.test("school");
    expect(engines.doing.school).toBe("testing");
    await Promise.all([first, engines.test("school")]);
    expect(engines.reports.school?.steps.map(({ step }) => step)).toEqual(["models", "reply", "structure"]);
    expect([engines.state?.school.model, engines.doing.school]).toEqual(["gemma-4-26b-a4b-it", null]);
  });

  it("a step that fails is in the report; a test that could not be made is an error", async () => {
    backend.testSteps = [{ step: "models", milliseconds: 3, error: failure("key_rejected").ipc }];
    await engines.test("cloud");
    expect([engines.reports.cloud?.failed, engines.errors.cloud]).toEqual(["key_rejected", null]);
    backend.failNext.cloudTest = "consent_needed";
    await engines.test("cloud");
    expect([engines.reports.cloud, engines.errors.cloud?.code]).toEqual([null, "consent_needed"]);
  });

  it("the result of a test goes when something about that engine changes", async () => {
    await engines.test("school");
    await engines.setModel("gemma-4-26b-a4b-it");
    expect(engines.reports.school).toBeNull();
  });
});
