import { beforeEach, describe, expect, it } from "vitest";
import type { Badge, PreparedImage } from "$lib/backend";
import { FakeBackend } from "../../testing/fake-backend";
import { Reading, readingOf } from "./reading.svelte";

const PHOTO: PreparedImage = { id: "photo", width: 4, height: 3, bytes: 12, preview: "data:image/png;base64,AAAA" };
const SCHOOL: Badge = { kind: "school", model: "gemma", device: "aula.local" };

let backend: FakeBackend;
let reading: Reading;
beforeEach(() => {
  backend = new FakeBackend();
  reading = new Reading(backend);
});

/** As far as the first events of a reading. */
async function begun() {
  await reading.take("AAAA");
  await reading.read();
  const making = backend.making.at(-1);
  if (!making) throw new Error("nothing was begun");
  return making;
}

describe("a picture on its way", () => {
  it("is shown before anything is asked of an engine", async () => {
    backend.pickedImage = PHOTO;
    reading.choose("photo");
    await reading.pick();
    expect([reading.step, reading.image?.id, backend.making.length]).toEqual(["look", "photo", 0]);
    expect(reading.input).toEqual({ tool: "reading", imageId: "photo", handwriting: false });
  });

  it("may not be picked after all", async () => {
    await reading.pick();
    expect([reading.step, reading.image, reading.error]).toEqual(["make", null, null]);
  });

  it("that cannot be opened says so and leaves the drawing alone", async () => {
    reading.board.begin("pen", 3, { x: 1, y: 1, pressure: 0.5 });
    reading.board.end();
    backend.failNext.imageTake = "image_unreadable";
    await reading.take("AAAA");
    expect([reading.step, reading.error?.code, reading.board.strokes.length]).toEqual(["make", "image_unreadable", 1]);
  });

  it("that is no camera's is not even read", async () => {
    await reading.takeFile({ size: 50e6 } as Blob);
    expect([reading.error?.code, backend.images.size]).toEqual(["image_unreadable", 0]);
  });

  it("is taken from a file without the address before it", async () => {
    await reading.takeFile(new Blob([new Uint8Array([0, 0, 0])]));
    expect(reading.image?.preview).toMatch(/base64,AAAA$/);
  });
});

describe("reading", () => {
  it("goes on through its phases to a text that waits for a yes", async () => {
    const making = await begun();
    expect(making.input).toEqual({ tool: "reading", imageId: reading.image?.id, handwriting: true });
    expect(making.engine).toBeNull();
    making.send({ event: "queued", position: 2 });
    expect([reading.progress.phase, reading.progress.position]).toEqual(["queued", 2]);
    making.send({ event: "started", badge: SCHOOL });
    expect([reading.progress.phase, reading.badge]).toEqual(["reading", SCHOOL]);
    making.send({ event: "waiting", seconds: 7, reason: "busy" });
    making.send({ event: "waiting", seconds: 7, reason: "quota" });
    expect(reading.progress).toMatchObject({ phase: "waiting", seconds: 7, reason: "quota", waits: 2 });
    making.send({ event: "writing", characters: 9, items: 1, of: null });
    making.finish({ tool: "reading", lines: [{ text: "$x = 1$" }, { text: "$y = 2$" }], unsure: true });
    expect([reading.step, reading.text, reading.unsure]).toEqual(["confirm", "$x = 1$\n\n$y = 2$", true]);
  });

  it("that fails keeps the picture and can be tried again", async () => {
    const making = await begun();
    making.send({ event: "failed", error: { code: "server_silent", message: "m", hint: null, requestId: null }, instead: null });
    expect([reading.step, reading.error?.code, reading.image !== null]).toEqual(["look", "server_silent", true]);
    await reading.read();
    expect([backend.making.length, reading.error]).toEqual([2, null]);
  });

  it("that is refused says why", async () => {
    await reading.take("AAAA");
    backend.failNext.toolStart = "engine_off";
    await reading.read();
    expect([reading.step, reading.error?.code]).toEqual(["look", "engine_off"]);
  });

  it("is stopped, and what comes late means nothing", async () => {
    const making = await begun();
    reading.stop();
    expect([reading.step, backend.cancelled]).toEqual(["look", [making.requestId]]);
    making.finish({ tool: "reading", lines: [{ text: "late" }], unsure: false });
    expect([reading.step, reading.text]).toEqual(["look", ""]);
  });

  it("is one at a time", async () => {
    await begun();
    await reading.read();
    expect(backend.making).toHaveLength(1);
  });

  it("begins with an empty board after its text was handed over, which undo still brings back", async () => {
    reading.board.begin("pen", 3, { x: 1, y: 1, pressure: 0.5 });
    reading.board.end();
    (await begun()).finish({ tool: "reading", lines: [{ text: "a" }], unsure: false });
    reading.finish();
    expect([reading.step, reading.text, reading.image, reading.board.empty]).toEqual(["make", "", null, true]);
    reading.board.undo();
    expect(reading.board.empty).toBe(false);
  });

  it("stays the same one while other pages are looked at", () => {
    expect(readingOf(backend)).toBe(readingOf(backend));
    expect(readingOf(new FakeBackend())).not.toBe(readingOf(backend));
  });
});
