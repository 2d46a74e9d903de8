/** The page as a person uses it, with a program behind it that does what the test says. */
import { flushSync, mount, tick, unmount } from "svelte";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { announcer } from "$lib/shared/announcer.svelte";
import AppPage from "./App.svelte";
import { App } from "./app.svelte";
import { FakeBackend } from "./testing/fake-backend";
import { message } from "./testing/samples";

let backend: FakeBackend;
let app: App;
let mounted: Record<string, unknown>;

const settled = async () => {
  await new Promise((resolve) => setTimeout(resolve, 0));
  flushSync();
};
/** Text is handed on with one of the next frames. */
const written = () =>
  vi.waitFor(() => {
    flushSync();
    expect(app.chat.live?.phase).toBe("writing");
  });
function at<T extends HTMLElement = HTMLElement>(id: string): T {
  const found = document.querySelector<T>(`[data-testid="${id}"]`);
  if (!found) throw new Error(`there is no ${id}`);
  return found;
}
const has = (id: string) => document.querySelector(`[data-testid="${id}"]`) !== null;

function type(field: HTMLTextAreaElement | HTMLInputElement, text: string) {
  field.value = text;
  field.dispatchEvent(new Event("input", { bubbles: true }));
  flushSync();
}
function press(field: HTMLElement, key: string, more: KeyboardEventInit = {}) {
  const event = new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true, ...more });
  field.dispatchEvent(event);
  flushSync();
  return event;
}
const composer = () => at<HTMLTextAreaElement>("composer-input");
const running = () => {
  const last = backend.answering.at(-1);
  if (!last) throw new Error("nothing is being answered");
  return last;
};

beforeEach(async () => {
  announcer.lines = [];
  backend = new FakeBackend();
  for (const id of ["c-one", "c-two"]) {
    backend.all.set(id, { summary: { id, title: `Título ${id}`, updatedAt: 1 }, messages: [message({ id: `${id}-q`, speaker: "student", text: "hola" }), message({ id: `${id}-a`, speaker: "tutor", text: "Hola, **tú**." })] });
  }
  app = new App(backend);
  mounted = mount(AppPage, { target: document.body, props: { app } });
  await settled();
});
afterEach(async () => {
  await unmount(mounted);
  document.body.replaceChildren();
  localStorage.clear();
});

describe("the composer", () => {
  it("sends with Enter and breaks the line with Shift and Enter", async () => {
    type(composer(), "¿2 + 2?");
    expect(press(composer(), "Enter", { shiftKey: true }).defaultPrevented).toBe(false);
    expect(backend.answering).toHaveLength(0);
    expect(press(composer(), "Enter").defaultPrevented).toBe(true);
    await settled();
    expect(backend.answering).toHaveLength(1);
    expect(composer().value).toBe("");
    expect(at("student-turn").textContent).toContain("¿2 + 2?");
  });

  it("does not send while an accent is being composed", () => {
    type(composer(), "cami");
    press(composer(), "Enter", { isComposing: true });
    expect(backend.answering).toHaveLength(0);
  });

  it("is never blocked; Stop stands where Send stood", async () => {
    type(composer(), "uno");
    press(composer(), "Enter");
    await settled();
    expect(has("send")).toBe(false);
    expect(composer().disabled || composer().readOnly).toBe(false);
    type(composer(), "dos");
    press(composer(), "Enter");
    expect(backend.answering).toHaveLength(1);
    expect(composer().value).toBe("dos");
    expect(at("composer-hint").textContent).toContain("Tu texto queda aquí");
    at("stop").click();
    expect(backend.cancelled).toEqual([running().requestId]);
    running().finish("1 y", "stopped");
    await settled();
    expect(has("send")).toBe(true);
    expect(at("mark").textContent).toBe("detenida");
  });

  it("says so when a question is too long, and keeps it", () => {
    type(composer(), "a".repeat(20_003));
    press(composer(), "Enter");
    expect(backend.answering).toHaveLength(0);
    expect(at("composer-hint").textContent).toContain("Sobran 3 letras");
  });

  it("takes a question while the model is opening", async () => {
    backend.status({ state: "loading" });
    flushSync();
    expect(at("composer-hint").textContent).toContain("Puedes ir escribiendo");
    type(composer(), "uno");
    press(composer(), "Enter");
    await settled();
    expect(at("waiting").textContent).toContain("el tutor está abriendo");
  });
});

describe("an answer", () => {
  beforeEach(async () => {
    type(composer(), "uno");
    press(composer(), "Enter");
    await settled();
  });
  const turn = () => at("tutor-turn");

  it("has its badge before the first word, and goes through its states", async () => {
    expect(turn().querySelector("[data-testid=badge]")?.getAttribute("data-kind")).toBe("demo");
    running().send({ event: "queued", position: 2 });
    await settled();
    expect(turn().textContent).toContain("Hay 2 preguntas antes que la tuya.");
    running().send({ event: "started", badge: { kind: "local", model: "Gemma 4 E2B", device: "CPU" } });
    await settled();
    expect(turn().textContent).toContain("Leyendo tu pregunta");
    expect(turn().querySelector("[data-testid=badge]")?.getAttribute("data-kind")).toBe("local");
    running().send({ event: "token", text: "Son **62** " });
    await written();
    expect(turn().dataset.phase).toBe("writing");
    expect(turn().querySelector("strong")?.textContent).toBe("62");
    expect(turn().querySelectorAll(".caret")).toHaveLength(1);
    running().finish("Son **62**.");
    await settled();
    expect(turn().dataset).toMatchObject({ state: "complete", phase: "done" });
    expect(turn().querySelectorAll(".caret")).toHaveLength(0);
    expect(at("facts").textContent).toBe("Demo · 10 tok/s · 2 s");
  });

  it("is read aloud a sentence at a time", async () => {
    running().send({ event: "token", text: "Son 62. Porque " });
    await written();
    const heard = () => [...at("announcements").querySelectorAll("p")].map((line) => line.textContent);
    expect(heard()).toContain("Son 62.");
    running().finish("Son 62. Porque sí.");
    await settled();
    expect(heard().filter((line) => line === "Son 62.")).toHaveLength(1);
    expect(heard()).toContain("Porque sí.");
    expect(at("announcements").getAttribute("aria-live")).toBe("polite");
  });

  it("shows a failure in its place, with what was kept and a way out", async () => {
    const { answerId } = running();
    const error = { code: "worker_crashed" as const, message: "signal 9", hint: "Try again", requestId: "r" };
    running().send({ event: "failed", error, message: message({ id: answerId, speaker: "tutor", text: "Son", state: "interrupted" }) });
    await settled();
    expect(at("error-block").textContent).toContain("El tutor se detuvo y ya está de vuelta");
    expect(turn().textContent).toContain("Son");
    at("retry").click();
    await settled();
    expect(backend.answering).toHaveLength(2);
    expect(has("error-block")).toBe(false);
  });
});

describe("conversations", () => {
  const row = (id: string) => {
    const found = document.querySelector<HTMLElement>(`[data-id="${id}"]`);
    if (!found) throw new Error(`there is no row ${id}`);
    return found;
  };
  const inRow = (id: string, what: string) => {
    const found = row(id).querySelector<HTMLElement>(what);
    if (!found) throw new Error(`there is no ${what} in ${id}`);
    return found;
  };

  it("open, and leaving one gives its answer up", async () => {
    type(composer(), "uno");
    press(composer(), "Enter");
    await settled();
    inRow("c-one", ".open").click();
    await settled();
    expect(backend.cancelled).toEqual([running().requestId]);
    expect(at("conversation-title").textContent).toBe("Título c-one");
    expect(at("answer").querySelector("strong")?.textContent).toBe("tú");
    expect(inRow("c-one", ".open").getAttribute("aria-current")).toBe("page");
  });

  it("are renamed in place", async () => {
    inRow("c-one", "[data-testid=rename]").click();
    await tick();
    const field = at<HTMLInputElement>("rename-input");
    type(field, "Balanza");
    field.form?.requestSubmit();
    await settled();
    expect(inRow("c-one", ".open").textContent).toBe("Balanza");
    expect(document.activeElement).toBe(inRow("c-one", ".open"));
  });

  it("keep their name on Escape", async () => {
    inRow("c-one", "[data-testid=rename]").click();
    await tick();
    type(at<HTMLInputElement>("rename-input"), "Balanza");
    press(at("rename-input"), "Escape");
    await settled();
    expect(inRow("c-one", ".open").textContent).toBe("Título c-one");
  });

  it("are deleted in place, with the way back under the finger", async () => {
    inRow("c-one", "[data-testid=delete]").click();
    await settled();
    expect(document.activeElement).toBe(inRow("c-one", "[data-testid=undo]"));
    at("undo").click();
    await settled();
    expect(inRow("c-one", ".open").textContent).toBe("Título c-one");
  });
});

describe("the page", () => {
  it("names every button", () => {
    app.open("c-one");
    flushSync();
    for (const button of document.querySelectorAll("button")) {
      const name = button.getAttribute("aria-label") ?? button.textContent?.trim();
      expect(name, button.outerHTML).toBeTruthy();
    }
  });

  it("changes its language at once", async () => {
    at("nav-settings").click();
    flushSync();
    const select = at<HTMLSelectElement>("set-language");
    select.value = "en";
    select.dispatchEvent(new Event("change", { bubbles: true }));
    await settled();
    expect(at("settings").querySelector("h1")?.textContent).toBe("Reading and accessibility");
    expect(document.documentElement.lang).toBe("en");
    expect(document.title).toBe("Settings – Aula");
  });

  it("goes on answering while Settings are open", async () => {
    type(composer(), "uno");
    press(composer(), "Enter");
    await settled();
    at("nav-settings").click();
    flushSync();
    expect(backend.cancelled).toEqual([]);
    running().finish("1.");
    at("nav-chat").click();
    await settled();
    expect(at("answer").textContent?.trim()).toBe("1.");
  });

  it("sends an example with one press", async () => {
    const example = at("example");
    const question = example.textContent ?? "";
    example.click();
    await settled();
    expect(at("student-turn").textContent).toContain(question);
  });

  it("tells of a clipboard that refuses", async () => {
    const refuse = vi.fn(() => Promise.reject(new Error("no")));
    Object.defineProperty(navigator, "clipboard", { value: { writeText: refuse }, configurable: true });
    document.execCommand = () => false;
    app.open("c-one");
    await settled();
    at("copy").click();
    await settled();
    expect(refuse).toHaveBeenCalledWith("Hola, **tú**.");
    expect(at("announcements").textContent).toContain("No se pudo copiar");
  });
});
