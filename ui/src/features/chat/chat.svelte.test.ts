import { beforeEach, describe, expect, it, vi } from "vitest";
import { FakeBackend } from "../../testing/fake-backend";
import { message } from "../../testing/samples";
import { Chat } from "./chat.svelte";

/** Delivers text at once. */
const clock = {
  now: () => 0,
  schedule(run: () => void) {
    run();
    return () => undefined;
  },
};
const settled = () => new Promise((resolve) => setTimeout(resolve, 0));

let backend: FakeBackend;
let chat: Chat;
const onSummary = vi.fn();

beforeEach(() => {
  backend = new FakeBackend();
  onSummary.mockClear();
  chat = new Chat(backend, { onSummary }, clock);
});

const texts = () => chat.turns.map(({ text }) => text);
const last = () => {
  const running = backend.answering.at(-1);
  if (!running) throw new Error("nothing is being answered");
  return running;
};

describe("asking", () => {
  it("shows the question at once, the answer as it comes, and what was saved", async () => {
    chat.draft = "  ¿2 + 2?  ";
    expect(chat.send()).toBe(true);
    expect(chat.draft).toBe("");
    expect(texts()).toEqual(["¿2 + 2?", ""]);
    expect(chat.busy).toBe(true);
    await settled();
    last().send({ event: "token", text: "Son" });
    expect(chat.live).toMatchObject({ phase: "writing", text: "Son" });
    last().finish("Son 4.");
    expect(chat.busy).toBe(false);
    expect(texts()).toEqual(["¿2 + 2?", "Son 4."]);
    expect(onSummary).toHaveBeenCalledWith(expect.objectContaining({ title: "¿2 + 2?" }));
  });

  it("goes on in the same conversation", async () => {
    chat.send("uno");
    await settled();
    last().finish("1");
    chat.send("dos");
    await settled();
    last().finish("2");
    expect(texts()).toEqual(["uno", "1", "dos", "2"]);
    expect(backend.all.size).toBe(1);
  });

  it("sends neither nothing nor a second question meanwhile", async () => {
    expect(chat.send("   ")).toBe(false);
    chat.send("uno");
    chat.draft = "dos";
    expect(chat.send()).toBe(false);
    expect(chat.draft).toBe("dos");
    await settled();
    expect(backend.answering).toHaveLength(1);
  });

  it("takes an answer that ends before its ticket arrives", async () => {
    backend.holdTickets = true;
    chat.send("uno");
    last().send({ event: "token", text: "1" });
    last().finish("1.");
    expect(chat.busy).toBe(true);
    backend.release();
    await settled();
    expect(chat.busy).toBe(false);
    expect(texts()).toEqual(["uno", "1."]);
  });

  it("keeps a question that was refused, and puts it again", async () => {
    backend.failNext.ask = "queue_full";
    chat.send("uno");
    await settled();
    expect(chat.busy).toBe(false);
    expect(chat.refusal?.error.code).toBe("queue_full");
    expect(texts()).toEqual(["uno"]);
    chat.refusal?.again();
    await settled();
    expect(chat.refusal).toBeNull();
    last().finish("1");
    expect(texts()).toEqual(["uno", "1"]);
  });

  it("keeps what was written when the engine stops, with the reason", async () => {
    chat.send("uno");
    await settled();
    const { answerId } = last();
    const error = { code: "worker_crashed" as const, message: "", hint: null, requestId: null };
    last().send({ event: "failed", error, message: message({ id: answerId, speaker: "tutor", text: "1 y", state: "interrupted" }) });
    expect(texts()).toEqual(["uno", "1 y"]);
    expect(chat.failures[answerId]).toEqual(error);
    expect(chat.busy).toBe(false);
  });
});

describe("stopping and leaving", () => {
  it("stops the request and waits for its end", async () => {
    chat.send("uno");
    await settled();
    chat.stop();
    expect(backend.cancelled).toEqual([last().requestId]);
    expect(chat.busy).toBe(true);
    last().finish("1 y", "stopped");
    expect(chat.turns.at(-1)).toMatchObject({ text: "1 y", state: "stopped" });
  });

  it("stops a request whose ticket is still on its way", async () => {
    backend.holdTickets = true;
    chat.send("uno");
    chat.stop();
    expect(backend.cancelled).toEqual([]);
    backend.release();
    await settled();
    expect(backend.cancelled).toEqual([last().requestId]);
  });

  it.each(["with its ticket", "before its ticket"])("gives up the request of a conversation that is left, %s", async (when) => {
    backend.all.set("other", { summary: { id: "other", title: "Otra", updatedAt: 0 }, messages: [message({ id: "o", speaker: "student", text: "otra" })] });
    backend.holdTickets = when === "before its ticket";
    chat.send("uno");
    const left = last();
    if (!backend.holdTickets) await settled();
    await chat.open("other");
    backend.release();
    await settled();
    expect(backend.cancelled).toEqual([left.requestId]);
    left.send({ event: "token", text: "tarde" });
    left.finish("tarde");
    expect(texts()).toEqual(["otra"]);
    expect(chat.busy).toBe(false);
  });

  it("shows the conversation opened last, whatever arrives first", async () => {
    for (const id of ["x", "y"]) backend.all.set(id, { summary: { id, title: id, updatedAt: 0 }, messages: [] });
    const slow = backend.conversation.bind(backend);
    let release = () => undefined as void;
    backend.conversation = async (id) => {
      if (id === "x") await new Promise<void>((resolve) => (release = resolve));
      return slow(id);
    };
    void chat.open("x");
    await chat.open("y");
    release();
    await settled();
    expect(chat.conversation?.summary.id).toBe("y");
  });

  it("says why a conversation could not be opened", async () => {
    await chat.open("none");
    expect(chat.openError?.code).toBe("not_found");
    expect(chat.opening).toBe(false);
  });

  it("keeps what was being typed with its conversation", async () => {
    for (const id of ["x", "y"]) backend.all.set(id, { summary: { id, title: id, updatedAt: 0 }, messages: [] });
    await chat.open("x");
    chat.draft = "a medias";
    await chat.open("y");
    expect(chat.draft).toBe("");
    await chat.open("x");
    expect(chat.draft).toBe("a medias");
  });
});

it("gives a refused question back when its conversation is opened again", async () => {
  for (const id of ["x", "y"]) backend.all.set(id, { summary: { id, title: id, updatedAt: 0 }, messages: [] });
  await chat.open("x");
  backend.failNext.ask = "model_missing";
  chat.send("uno");
  await settled();
  await chat.open("y");
  expect(chat.draft).toBe("");
  await chat.open("x");
  expect(chat.draft).toBe("uno");
});

describe("versions", () => {
  beforeEach(async () => {
    chat.send("uno");
    await settled();
    last().finish("1");
  });
  const id = (at: number) => chat.turns[at]?.id ?? "";

  it("answers again in the place of the answer", async () => {
    const before = id(1);
    chat.regenerate(before);
    expect(texts()).toEqual(["uno", ""]);
    await settled();
    last().finish("uno solo");
    expect(texts()).toEqual(["uno", "uno solo"]);
    expect(chat.turns[1]?.versionIds).toEqual([before, id(1)]);
  });

  it("brings the answer back when answering again is refused", async () => {
    backend.failNext.regenerate = "queue_full";
    chat.regenerate(id(1));
    await settled();
    expect(texts()).toEqual(["uno", "1"]);
    expect(chat.refusal?.question).toBeNull();
  });

  it("asks an edited question in the place of the earlier one", async () => {
    chat.edit(id(0), "dos");
    expect(texts()).toEqual(["dos", ""]);
    await settled();
    last().finish("2");
    expect(texts()).toEqual(["dos", "2"]);
    expect(chat.turns[0]?.versionIds).toHaveLength(2);
  });

  const SCHOOL = { kind: "school", model: "gemma", device: "aula.local" } as const;

  it("asks a larger model for another one, and shows who was asked from the first moment", async () => {
    const before = id(1);
    chat.second(before, SCHOOL);
    expect([texts(), chat.asked]).toEqual([["uno", ""], SCHOOL]);
    await settled();
    last().finish("uno, de otro");
    expect(chat.turns[1]?.versionIds).toEqual([before, id(1)]);
    expect(chat.seconds.has(id(1))).toBe(true);
    chat.regenerate(id(1));
    expect(chat.asked).toBeNull();
  });

  it("brings the answer back when the larger model is refused, and asks it again", async () => {
    backend.failNext.secondAnswer = "server_busy";
    chat.second(id(1), SCHOOL);
    await settled();
    expect([texts(), chat.refusal?.error.code]).toEqual([["uno", "1"], "server_busy"]);
    chat.refusal?.again();
    expect(chat.asked).toEqual(SCHOOL);
    await settled();
    last().finish("ahora sí");
    expect(texts()).toEqual(["uno", "ahora sí"]);
  });

  it("shows another version", async () => {
    chat.regenerate(id(1));
    await settled();
    last().finish("otra");
    const [first] = chat.turns[1]?.versionIds ?? [];
    await chat.showVersion(first ?? "");
    expect(id(1)).toBe(first);
  });
});
