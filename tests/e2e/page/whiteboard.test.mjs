/** The whiteboard: drawing, rubbing, undoing, what becomes a picture; with mouse, finger and keyboard. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { draw, inkAt, READS, strokes } from "../lib/board.mjs";
import { openWith, READY } from "../lib/engines.mjs";
import { at, close, Host, launch, open, picture } from "../lib/page.mjs";

let host, browser;
before(async () => {
  host = await Host.start({ args: ["--scripted"] });
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await host?.stop();
});

async function board(more) {
  const { page, engines } = await openWith(open, browser, host, { adult: false, school: READY, places: { reading: "school" } }, more);
  await at(page, "open-reading").click();
  await at(page, "board").waitFor();
  return { page, engines };
}

test("one draws, rubs, undoes, redoes and clears, and undo brings everything back", async () => {
  const { page } = await board();
  await draw(page, [0.1, 0.5], [0.9, 0.5]);
  assert.ok((await inkAt(page, 0.5, 0.5)) > 200, "no ink");
  await at(page, "tool-eraser").click();
  await draw(page, [0.5, 0.4], [0.5, 0.6]);
  assert.equal(await inkAt(page, 0.5, 0.5), 0);
  assert.ok((await inkAt(page, 0.3, 0.5)) > 200, "everything is gone");
  await at(page, "board-undo").click();
  assert.ok((await inkAt(page, 0.5, 0.5)) > 200, "the eraser was not undone");
  await at(page, "board-redo").click();
  assert.equal(await inkAt(page, 0.5, 0.5), 0);
  await at(page, "board-clear").click();
  assert.deepEqual([await strokes(page), await inkAt(page, 0.3, 0.5)], [0, 0]);
  await page.keyboard.press("Control+z");
  assert.deepEqual([await strokes(page), (await inkAt(page, 0.3, 0.5)) > 200], [2, true]);
  await page.keyboard.press("Control+Shift+Z");
  assert.equal(await strokes(page), 0);
  await close(page, READS);
});

test("thick is thicker than thin, and a finger that goes elsewhere leaves nothing", async () => {
  const { page } = await board();
  const width = (y) => at(page, "board").evaluate((canvas, y) => {
    const column = canvas.getContext("2d").getImageData(canvas.width / 2, (y - 0.05) * canvas.height, 1, 0.1 * canvas.height).data;
    return column.filter((value, at) => at % 4 === 3 && value > 128).length;
  }, y);
  await draw(page, [0.2, 0.3], [0.8, 0.3]);
  await at(page, "tool-thick").click();
  await draw(page, [0.2, 0.6], [0.8, 0.6]);
  assert.ok((await width(0.6)) > 1.8 * (await width(0.3)), "not thicker");
  const box = await at(page, "board").boundingBox();
  await at(page, "board").evaluate((canvas, { x, y }) => {
    for (const type of ["pointerdown", "pointermove", "pointercancel"]) canvas.dispatchEvent(new PointerEvent(type, { pointerId: 7, pointerType: "touch", clientX: x + 40, clientY: y + 40, bubbles: true }));
  }, box);
  assert.equal(await strokes(page), 2);
  await close(page, READS);
});

test("what was drawn goes as black on white, whatever the theme, and only what was drawn", async () => {
  const { page, engines } = await board({ theme: "dark" });
  await draw(page, [0.2, 0.3], [0.5, 0.3]);
  await at(page, "board-next").click();
  await at(page, "picture").waitFor();
  const { base64 } = engines.calls.find(([name]) => name === "image_take")[1];
  const image = await page.evaluate(async (base64) => {
    const picture = new Image();
    picture.src = `data:image/png;base64,${base64}`;
    await picture.decode();
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [picture.width, picture.height];
    const context = canvas.getContext("2d");
    context.drawImage(picture, 0, 0);
    const pixel = (x, y) => [...context.getImageData(x, y, 1, 1).data];
    return { width: picture.width, height: picture.height, corner: pixel(0, 0), middle: pixel(picture.width / 2, picture.height / 2) };
  }, base64);
  assert.deepEqual(image.corner, [255, 255, 255, 255]);
  assert.ok(image.middle[0] < 60 && image.middle[3] === 255, `${image.middle}`);
  assert.ok(image.width > 600 && image.width < 800 && image.height < 140, `${image.width} × ${image.height}`);
  await close(page, READS);
});

test("at 900 × 600 the board and its buttons are in sight, and the keyboard reaches them", async () => {
  const { page } = await board({ width: 900, height: 600 });
  for (const name of ["board", "tool-eraser", "board-undo", "board-clear", "board-next"]) {
    const box = await at(page, name).boundingBox();
    assert.ok(box.x >= 0 && box.y >= 0 && box.x + box.width <= 900 && box.y + box.height <= 600, `${name}: ${JSON.stringify(box)}`);
  }
  await draw(page, [0.2, 0.3], [0.5, 0.3]);
  await at(page, "source-board").focus();
  const reached = [];
  for (let i = 0; i < 9; i++) {
    await page.keyboard.press("Tab");
    reached.push(await page.evaluate(() => document.activeElement?.dataset.testid));
  }
  assert.deepEqual(reached.slice(0, 8), ["source-photo", "tool-thin", "tool-thick", "tool-eraser", "board-undo", "board-redo", "board-clear", "board-next"]);
  await page.emulateMedia({ forcedColors: "active", reducedMotion: "reduce" });
  await picture(page, "reading-forced");
  await close(page);
});
