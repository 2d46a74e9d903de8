import { flushSync } from "svelte";
import { beforeEach, describe, expect, it, vi } from "vitest";
import type { Content } from "$lib/backend";
import { announcer } from "$lib/shared/announcer.svelte";
import { FakeBackend } from "../../testing/fake-backend";
import { BADGE } from "../../testing/samples";
import { Create } from "./create.svelte";
import { emptyForm, formOf, inputOf, problem } from "./forms";
import { part, reduce, secondsLeft, STARTING } from "./making";

const text = (words: string) => ({ text: words });
const QUIZ: Content = { tool: "quiz", title: text("Plantas"), questions: [{ prompt: text("p"), options: ["a", "b", "c", "d"].map(text), hint: text("h"), explanation: text("e"), answer: 1 }] };
const INPUT = { tool: "quiz", topic: "plantas", count: 3, level: "easy" } as const;
const settled = () => new Promise((resolve) => setTimeout(resolve, 0));

let backend: FakeBackend;
let create: Create;
const hooks = { onShow: vi.fn(), onFailure: vi.fn() };
const making = () => {
  const last = backend.making.at(-1);
  if (!last) throw new Error("nothing is being made");
  return last;
};

beforeEach(() => {
  announcer.lines = [];
  vi.clearAllMocks();
  backend = new FakeBackend();
  create = new Create(backend, hooks, () => 1000);
});

describe("a tool at work", () => {
  it("goes from asking to what was made, and shows nothing of it before", async () => {
    void create.start(INPUT);
    expect(create.screen).toBe("making");
    expect(create.making?.phase).toBe("asking");
    await settled();
    making().send({ event: "queued", position: 2 });
    expect(create.making).toMatchObject({ phase: "queued", position: 2 });
    making().send({ event: "started", badge: BADGE });
    making().send({ event: "prefill", done: 5, total: 10 });
    making().send({ event: "writing", characters: 200, items: 2, of: 3 });
    expect(create.making).toMatchObject({ phase: "writing", items: 2, of: 3, badge: BADGE });
    expect(create.creation).toBeNull();
    making().finish(QUIZ, "Plantas");
    await settled();
    expect(create).toMatchObject({ screen: "open", making: null });
    expect(create.creation?.summary.title).toBe("Plantas");
    expect(create.creations.rows.map(({ summary }) => summary.title)).toEqual(["Plantas"]);
    expect(announcer.lines.map((line) => line.text)).toContain("2 de 3 preguntas");
    expect(hooks.onShow).toHaveBeenCalledTimes(1);
  });

  it("is asked of the engine that was offered, and of no other by itself", async () => {
    await create.start(INPUT);
    expect(making().engine).toBeNull();
    making().send({ event: "failed", error: { code: "server_silent", message: "m", hint: null, requestId: null }, instead: { ...BADGE, kind: "local" } });
    expect(create.failure).toMatchObject({ input: INPUT, instead: { kind: "local" } });
    expect(create.creation).toBeNull();
    expect(backend.making).toHaveLength(1);
    expect(hooks.onFailure).toHaveBeenCalled();
    create.retry("local");
    await settled();
    expect(backend.making).toHaveLength(2);
    expect(making()).toMatchObject({ engine: "local", input: INPUT });
    expect(create.failure).toBeNull();
  });

  it("is cancelled, also before its ticket, and the form is as it was", async () => {
    let give: () => void = () => undefined;
    const start = backend.toolStart.bind(backend);
    backend.toolStart = async (...asked) => {
      const ticket = await start(...asked);
      await new Promise<void>((resolve) => (give = resolve));
      return ticket;
    };
    void create.start(INPUT);
    await settled();
    create.cancel();
    expect(create).toMatchObject({ screen: "form", tool: "quiz", making: null });
    expect(create.forms.quiz).toMatchObject({ topic: "plantas", count: 3, level: "easy" });
    expect(backend.cancelled).toEqual([]);
    give();
    await settled();
    expect(backend.cancelled).toEqual([making().requestId]);
    // What still comes of it finds nobody.
    making().finish(QUIZ);
    await settled();
    expect(create.creation).toBeNull();
    expect(create.screen).toBe("form");
  });

  it("that is cancelled at once is never begun", async () => {
    void create.start(INPUT);
    create.cancel();
    await settled();
    expect(backend.making).toHaveLength(0);
    await create.start(INPUT);
    expect(backend.making).toHaveLength(1);
  });

  it("waits until the one before has stopped", async () => {
    backend.toolCancel = async (requestId) => void backend.cancelled.push(requestId);
    await create.start(INPUT);
    const first = making();
    create.cancel();
    void create.start({ ...INPUT, topic: "otro" });
    await settled();
    expect(backend.making).toHaveLength(1);
    expect(create.making?.phase).toBe("asking");
    first.send({ event: "cancelled" });
    await settled();
    expect(backend.making).toHaveLength(2);
    expect(making().input).toMatchObject({ topic: "otro" });
  });

  it("that is refused says why", async () => {
    backend.failNext.toolStart = "queue_full";
    await create.start(INPUT);
    expect(create.failure?.error.code).toBe("queue_full");
    expect(create.busy).toBe(false);
  });

  it("is one at a time", async () => {
    await create.start(INPUT);
    await create.start({ ...INPUT, topic: "otro" });
    expect(backend.making).toHaveLength(1);
  });

  it("does not tear a person away from something else", async () => {
    await create.start(INPUT);
    create.home();
    making().finish(QUIZ);
    await settled();
    expect(create.screen).toBe("home");
    expect(create.creations.rows).toHaveLength(1);
  });
});

describe("what was made", () => {
  beforeEach(async () => {
    await create.start(INPUT);
    making().finish(QUIZ, "Plantas");
    await settled();
  });
  const id = () => create.creations.rows[0]?.summary.id ?? "";

  it("keeps each step, and says when one could not be kept", async () => {
    const step = { items: [{ tries: ["0"], done: false, right: null }], at: 0 };
    create.work(step);
    expect(create.creation?.work).toEqual(step);
    await settled();
    expect(backend.creations.get(id())?.work).toEqual(step);
    backend.failNext.creationWork = "disk_full";
    create.work({ ...step, at: 1 });
    await settled();
    expect(create.saveError?.code).toBe("disk_full");
    create.work({ ...step, at: 1, items: [] });
    await settled();
    expect(create.saveError).toBeNull();
    create.home();
    await create.open(id());
    expect(create.creation?.work.at).toBe(1);
  });

  it("is deleted with the way back", async () => {
    await create.creations.remove(id());
    expect(create.creations.rows[0]?.removed).toBe(true);
    await create.creations.undo(create.creations.rows[0]?.summary.id ?? "");
    expect(create.creations.rows[0]?.removed).toBe(false);
    expect(backend.creations.size).toBe(1);
  });

  it("says so when it is gone", async () => {
    await create.open("nobody");
    expect(create.openError?.code).toBe("not_found");
    create.home();
    expect(create.openError).toBeNull();
  });

  it("shows the one that was asked for last", async () => {
    const slow = create.open(id());
    create.home();
    await slow;
    flushSync();
    expect(create.screen).toBe("home");
    expect(create.creation).toBeNull();
  });
});

describe("forms", () => {
  it("know when they can be sent", () => {
    expect(problem({ ...emptyForm("quiz"), topic: " a " })).toBe("short");
    expect(problem({ ...emptyForm("quiz"), topic: "pi" })).toBeNull();
    expect(problem({ ...emptyForm("quiz"), topic: "a".repeat(201) })).toBe("long");
    expect(problem({ ...emptyForm("quiz"), topic: "😀".repeat(200) })).toBeNull();
  });

  it("become what is asked of a tool, and back", () => {
    const form = { ...emptyForm("sheet"), topic: " agua ", grade: 4, count: 7, form: "open" as const };
    expect(inputOf("sheet", form)).toEqual({ tool: "sheet", topic: "agua", grade: 4, count: 7, form: "open" });
    for (const tool of ["quiz", "practice", "flashcards", "sheet", "mindMap", "illustration"] as const) {
      const input = inputOf(tool, { ...emptyForm(tool), topic: "agua" });
      expect(formOf(input)).toMatchObject({ tool, form: { topic: "agua" } });
    }
    expect(formOf({ tool: "mindMap", about: { kind: "answer", messageId: "m" } })).toBeNull();
    expect(formOf({ tool: "reading", imageId: "i", handwriting: true })).toBeNull();
  });
});

describe("how far it is", () => {
  it("is known while reading and where the number of items is", () => {
    expect(part(STARTING)).toBeNull();
    expect(part(reduce(STARTING, { event: "prefill", done: 1, total: 4 }, 0))).toBe(0.25);
    expect(part(reduce(STARTING, { event: "writing", characters: 1, items: 2, of: null }, 0))).toBeNull();
    expect(part(reduce(STARTING, { event: "writing", characters: 1, items: 2, of: 5 }, 0))).toBe(0.4);
  });

  it("counts a server's wait down to zero", () => {
    const waits = reduce(STARTING, { event: "waiting", seconds: 20, reason: "quota" }, 1000);
    expect(secondsLeft(waits, 1000)).toBe(20);
    expect(secondsLeft(waits, 15_400)).toBe(6);
    expect(secondsLeft(waits, 99_000)).toBe(0);
  });
});
