import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { FakeBackend } from "../../testing/fake-backend";
import { ageOf, Conversations, UNDO_MS } from "./conversations.svelte";

let backend: FakeBackend;
let store: Conversations;
const hooks = { onRename: vi.fn(), onRemove: vi.fn() };

beforeEach(async () => {
  vi.useFakeTimers();
  backend = new FakeBackend();
  for (const [at, title] of ["Fracciones", "Área del triángulo", "Ecuaciones"].entries()) {
    backend.all.set(title, { summary: { id: title, title, updatedAt: at }, messages: [] });
  }
  store = new Conversations(backend, hooks);
  await store.load();
});
afterEach(() => {
  vi.useRealTimers();
  vi.clearAllMocks();
});

const titles = () => store.rows.map(({ summary, removed }) => (removed ? `(${summary.title})` : summary.title));

describe("the list", () => {
  it("has the latest first", () => expect(titles()).toEqual(["Ecuaciones", "Área del triángulo", "Fracciones"]));

  it("is searched without accents and capitals", () => {
    store.query = "AREA";
    expect(titles()).toEqual(["Área del triángulo"]);
    store.query = "nada";
    expect(titles()).toEqual([]);
  });

  it("takes a changed conversation in", () => {
    store.upsert({ id: "Fracciones", title: "Fracciones", updatedAt: 9 });
    expect(titles()).toEqual(["Fracciones", "Ecuaciones", "Área del triángulo"]);
  });

  it("says when it could not be read", async () => {
    backend.conversations = () => Promise.reject(new Error("disk"));
    await store.load();
    expect(store.failed).toBe(true);
  });
});

describe("deleting", () => {
  it("keeps the place for ten seconds and then closes it", async () => {
    await store.remove("Área del triángulo");
    expect(titles()).toEqual(["Ecuaciones", "(Área del triángulo)", "Fracciones"]);
    expect(hooks.onRemove).toHaveBeenCalledWith("Área del triángulo");
    expect(backend.all.has("Área del triángulo")).toBe(false);
    vi.advanceTimersByTime(UNDO_MS);
    expect(titles()).toEqual(["Ecuaciones", "Fracciones"]);
  });

  it("is undone in place", async () => {
    await store.remove("Área del triángulo");
    vi.advanceTimersByTime(UNDO_MS - 1);
    await store.undo("Área del triángulo");
    vi.advanceTimersByTime(UNDO_MS);
    expect(titles()).toEqual(["Ecuaciones", "Área del triángulo", "Fracciones"]);
    expect(backend.all.has("Área del triángulo")).toBe(true);
  });

  it("survives the list being read again meanwhile", async () => {
    await store.remove("Área del triángulo");
    await store.load();
    expect(titles()).toContain("(Área del triángulo)");
    await store.undo("Área del triángulo");
    expect(titles()).toContain("Área del triángulo");
  });

  it("is taken back when it fails", async () => {
    backend.failNext.remove = "io";
    await store.remove("Fracciones");
    expect(titles()).toContain("Fracciones");
  });
});

describe("renaming", () => {
  it("shows the new name at once and tells the open conversation", async () => {
    const saving = store.rename("Ecuaciones", "  Balanza ");
    expect(titles()[0]).toBe("Balanza");
    await saving;
    expect(hooks.onRename).toHaveBeenLastCalledWith(expect.objectContaining({ title: "Balanza" }));
  });

  it("goes back when it cannot be saved", async () => {
    backend.failNext.rename = "disk_full";
    await store.rename("Ecuaciones", "Balanza");
    expect(titles()[0]).toBe("Ecuaciones");
  });

  it("an empty name changes nothing", async () => {
    await store.rename("Ecuaciones", "   ");
    expect(titles()[0]).toBe("Ecuaciones");
  });
});

it("counts days by the calendar", () => {
  const now = new Date(2026, 2, 1, 0, 30).getTime();
  expect(ageOf(new Date(2026, 2, 1, 0, 1).getTime(), now)).toBe("today");
  expect(ageOf(new Date(2026, 1, 28, 23, 59).getTime(), now)).toBe("yesterday");
  expect(ageOf(new Date(2026, 1, 27, 23, 59).getTime(), now)).toBe("earlier");
});
