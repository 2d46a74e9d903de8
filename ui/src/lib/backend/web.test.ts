import { describe, expect, it } from "vitest";
import { BackendError } from "./backend";
import type { ChatEvent } from "./types";
import { webBackend } from "./web";

/** A body that arrives in the given pieces. */
function body(...pieces: string[]): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  return new ReadableStream({
    start(controller) {
      for (const piece of pieces) controller.enqueue(encoder.encode(piece));
      controller.close();
    },
  });
}

function backendAnswering(response: Response) {
  const calls: { url: string; args: unknown }[] = [];
  const backend = webBackend(async (url, init) => {
    calls.push({ url, args: JSON.parse(String(init.body)) });
    return response;
  });
  return { backend, calls };
}

const error = { code: "queue_full", message: "32 requests are waiting", hint: null, requestId: null };

describe("the commands over HTTP", () => {
  it("posts the arguments and reads the result", async () => {
    const { backend, calls } = backendAnswering(Response.json({ id: "c", title: "Nueva", updatedAt: 1 }));
    expect(await backend.rename("c", "Nueva")).toEqual({ id: "c", title: "Nueva", updatedAt: 1 });
    expect(calls).toEqual([{ url: "/ipc/conversation_rename", args: { id: "c", title: "Nueva" } }]);
  });

  it("takes an empty answer for a command without a result", async () => {
    await expect(backendAnswering(new Response("")).backend.cancel("r")).resolves.toBeNull();
  });

  it("gives the ticket first and then the events, wherever the pieces are cut", async () => {
    const ticket = { requestId: "r", answerId: "a", conversation: { summary: { id: "c", title: "", updatedAt: 0 }, messages: [] } };
    const events: ChatEvent[] = [
      { event: "queued", position: 1 },
      { event: "token", text: "año" },
      { event: "token", text: "\n" },
    ];
    const text = [ticket, ...events].map((line) => `${JSON.stringify(line)}\n`).join("");
    const bytes = new TextEncoder().encode(text);
    const pieces = Array.from({ length: Math.ceil(bytes.length / 7) }, (_, at) => bytes.slice(at * 7, at * 7 + 7));
    const stream = new ReadableStream<Uint8Array>({
      start(controller) {
        for (const piece of pieces) controller.enqueue(piece);
        controller.close();
      },
    });
    const heard: ChatEvent[] = [];
    const all = new Promise<void>((resolve) => {
      void backendAnswering(new Response(stream)).backend.ask({ conversationId: null, text: "hola" }, (event) => {
        heard.push(event);
        if (heard.length === events.length) resolve();
      });
    });
    await all;
    expect(heard).toEqual(events);
  });

  it("rejects with the program's own error", async () => {
    const refused = backendAnswering(Response.json(error, { status: 503 })).backend;
    await expect(refused.models()).rejects.toMatchObject({ name: "BackendError", ipc: error });
    const streamed = backendAnswering(new Response(body(`${JSON.stringify(error)}\n`))).backend;
    await expect(streamed.ask({ conversationId: null, text: "a" }, () => undefined)).rejects.toMatchObject({ ipc: error });
  });

  it("makes an internal error of anything else", async () => {
    const broken = webBackend(() => Promise.reject(new TypeError("no network")));
    await expect(broken.appInfo()).rejects.toSatisfy((thrown) => thrown instanceof BackendError && thrown.ipc.code === "internal");
    await expect(backendAnswering(new Response("<h1>", { status: 500 })).backend.appInfo()).rejects.toMatchObject({ ipc: { code: "internal" } });
  });
});
