import { flushSync } from "svelte";
import { beforeEach, describe, expect, it, vi } from "vitest";
import type { FeatureState } from "$lib/backend";
import { FakeBackend } from "../../testing/fake-backend";
import { available } from "../../testing/samples";
import { Features } from "./features.svelte";

let backend: FakeBackend;
let features: Features;
beforeEach(() => {
  backend = new FakeBackend();
  features = new Features(backend);
});

describe("what runs where", () => {
  it("is not known before it was asked for", async () => {
    expect([features.loaded, features.of("quiz")]).toEqual([false, null]);
    await features.load();
    expect([features.loaded, features.badge("quiz")?.kind]).toEqual([true, "demo"]);
  });

  it("hides what does not exist for this profile and keeps what is only unavailable", async () => {
    await features.load();
    expect(features.of("sheet")).toBeNull();
    expect(features.of("photo")).toMatchObject({ badge: null, reason: "engine_off", unlock: "askAnAdult" });
    expect(features.badge("photo")).toBeNull();
  });

  it("keeps what was known when asking fails", async () => {
    await features.load();
    backend.failNext.features = "locked";
    await features.load();
    expect(features.of("quiz")).not.toBeNull();
  });

  it("drops an answer that a later question overtook", async () => {
    const waiting: ((list: FeatureState[]) => void)[] = [];
    vi.spyOn(backend, "features").mockImplementation(() => new Promise((resolve) => waiting.push(resolve)));
    const both = [features.load(), features.load()];
    waiting[1]?.([available("quiz", { kind: "school", model: "m", device: "d" })]);
    waiting[0]?.([available("quiz")]);
    await Promise.all(both);
    expect(features.badge("quiz")?.kind).toBe("school");
  });

  it("asks again when what it depends on changes or a network comes, until it is stopped", () => {
    const asked = vi.spyOn(backend, "features");
    let state = $state("loading");
    const stop = features.follow(() => [state]);
    flushSync();
    expect(asked).toHaveBeenCalledTimes(1);
    state = "ready";
    flushSync();
    expect(asked).toHaveBeenCalledTimes(2);
    window.dispatchEvent(new Event("online"));
    expect(asked).toHaveBeenCalledTimes(3);
    stop();
    state = "failed";
    flushSync();
    window.dispatchEvent(new Event("offline"));
    expect(asked).toHaveBeenCalledTimes(3);
  });
});
