import { beforeEach, describe, expect, it } from "vitest";
import { i18n } from "$lib/i18n/index.svelte";
import { FakeBackend } from "../../testing/fake-backend";
import { applyRememberedLooks, choices, SettingsStore } from "./settings.svelte";

let backend: FakeBackend;
let store: SettingsStore;
const root = document.documentElement;

beforeEach(() => {
  localStorage.clear();
  backend = new FakeBackend();
  store = new SettingsStore(backend);
});

describe("settings", () => {
  it("apply at once and are saved", async () => {
    await store.load();
    const saving = store.change({ language: "pt", theme: "dark", textSize: "l", reduceMotion: true });
    expect(i18n.t.chat.send).toBe("Enviar");
    expect(i18n.t.chat.you).toBe("Você");
    expect(root.lang).toBe("pt");
    expect({ ...root.dataset }).toMatchObject({ theme: "dark", size: "l", motion: "none" });
    await saving;
    expect(backend.stored.language).toBe("pt");
    expect(store.saving).toBe("saved");
  });

  it("go back when they cannot be saved", async () => {
    await store.load();
    backend.failNext.saveSettings = "disk_full";
    await store.change({ theme: "contrast" });
    expect(root.dataset.theme).toBe("light");
    expect(store.saving).toBe("failed");
  });

  it("suggest the system's language in the first run, once", async () => {
    await store.load();
    expect(store.value?.language).not.toBe("en");
    await store.suggestLanguage();
    expect(store.value?.language).toBe("en"); // what jsdom's navigator says
    await store.change({ language: "pt" });
    const next = new SettingsStore(backend);
    await next.load();
    await next.suggestLanguage();
    expect(next.value?.language).toBe("pt");
  });

  it("keep the reply cap below the context length", async () => {
    await store.load();
    await store.change({ contextLen: 1024 });
    expect(backend.stored).toMatchObject({ contextLen: 1024, maxReplyTokens: 512 });
  });

  it("look right before they have come", async () => {
    await store.load();
    await store.change({ theme: "contrast", language: "en" });
    root.dataset.theme = "light";
    i18n.language = "es";
    applyRememberedLooks();
    expect(root.dataset.theme).toBe("contrast");
    expect(i18n.language).toBe("en");
  });

  it("survive unreadable looks", () => {
    localStorage.setItem("aula.looks", "{");
    expect(() => applyRememberedLooks()).not.toThrow();
  });
});

it("choices hold the value in force", () => {
  expect(choices([1024, 4096], 3000)).toEqual([1024, 3000, 4096]);
  expect(choices([1024, 4096], 4096)).toEqual([1024, 4096]);
});
