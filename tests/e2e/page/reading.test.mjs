/** Handwriting and photos: drawing, what is sent, reading, the question that must be answered before anything is solved. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { violations } from "../lib/axe.mjs";
import { error, openWith, PIXEL, READY, SCHOOL } from "../lib/engines.mjs";
import { at, close, Host, launch, open, picture } from "../lib/page.mjs";
import { until } from "../lib/wait.mjs";

const AT_SCHOOL = { adult: false, school: READY, places: { reading: "school" } };

let host, browser;
before(async () => {
  host = await Host.start({ args: ["--scripted"] });
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await host?.stop();
});

async function reading(given = AT_SCHOOL, more) {
  const { page, engines } = await openWith(open, browser, host, given, more);
  await at(page, "open-reading").click();
  await at(page, "reading").waitFor();
  return { page, engines };
}

/** Draws a line through these points, given as parts of the board's width and height. */
async function draw(page, ...points) {
  const box = await at(page, "board").boundingBox();
  const [first, ...rest] = points.map(([x, y]) => [box.x + x * box.width, box.y + y * box.height]);
  await page.mouse.move(...first);
  await page.mouse.down();
  for (const point of rest) await page.mouse.move(...point, { steps: 5 });
  await page.mouse.up();
}

const strokes = (page) => at(page, "board").getAttribute("data-strokes").then(Number);

/** How much ink lies at this part of the board, 0 to 255. */
const inkAt = (page, x, y) =>
  at(page, "board").evaluate((canvas, [x, y]) => canvas.getContext("2d").getImageData(Math.round(x * canvas.width), Math.round(y * canvas.height), 1, 1).data[3], [x, y]);

/** The tests read the canvas; the page itself never does. */
const READS = { expected: [/willReadFrequently/] };

/** As far as the picture that would be sent. */
async function drawn(page) {
  await draw(page, [0.2, 0.3], [0.5, 0.3]);
  await at(page, "board-next").click();
  await at(page, "picture").waitFor();
}

test("one draws, rubs, undoes, redoes and clears, and undo brings everything back", async () => {
  const { page } = await reading();
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
  const { page } = await reading();
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
  const { page, engines } = await reading(AT_SCHOOL, { theme: "dark" });
  await drawn(page);
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

test("the picture as it is sent, who gets it, and nothing is asked before the press", async () => {
  const { page, engines } = await reading();
  await drawn(page);
  assert.equal(await at(page, "read").getByTestId("badge").getAttribute("data-kind"), "school");
  await at(page, "see-sent").click();
  await at(page, "sent").waitFor();
  assert.equal(await at(page, "sent").getAttribute("data-host"), SCHOOL.device);
  await at(page, "sent").locator("img").waitFor();
  await page.keyboard.press("Escape");
  assert.equal(engines.count("tool_start"), 0);
  await at(page, "look-back").click();
  assert.equal(await strokes(page), 1);
  await close(page);
});

test("what was read is confirmed, corrected, and becomes a question that the person sends", async () => {
  const { page, engines } = await reading();
  engines.unsure = true;
  await drawn(page);
  await at(page, "read").click();
  await at(page, "confirm").getByRole("heading", { name: "I read this. Is it right?" }).waitFor();
  await at(page, "unsure").waitFor();
  await at(page, "read-text").locator(".katex").first().waitFor();
  assert.equal(await at(page, "read-field").count(), 0);
  await at(page, "read-correct").click();
  await at(page, "read-field").fill("$2x + 3 = 13$");
  await until("the formula to follow", async () => (await at(page, "read-text").textContent()).includes("13"));
  await picture(page, "reading-confirm");
  assert.equal(await at(page, "tutor-turn").count(), 0);
  await at(page, "read-yes").click();
  assert.equal(await at(page, "composer-input").inputValue(), "$2x + 3 = 13$");
  // Nothing has been asked yet.
  assert.equal(await at(page, "tutor-turn").count(), 0);
  await at(page, "composer-input").press("Enter");
  await at(page, "tutor-turn").waitFor();
  await page.locator('[data-testid="student-turn"]').getByText("13").first().waitFor();
  await close(page);
});

test("once more goes back to the drawing; a text is confirmed only by its button", async () => {
  const { page, engines } = await reading();
  await drawn(page);
  await at(page, "read").click();
  await at(page, "read-again").click();
  assert.equal(await strokes(page), 1);
  assert.equal(await page.evaluate(() => document.querySelector('[data-testid="reading"]').dataset.step), "make");
  await at(page, "nav-chat").click();
  assert.equal(await at(page, "composer-input").inputValue(), "");
  // The drawing is still there after another page was looked at.
  await at(page, "open-reading").click();
  await until("the drawing", async () => (await strokes(page)) === 1);
  assert.equal(engines.count("tool_start"), 1);
  await close(page);
});

test("an empty board is not sent, and nothing read is said", async () => {
  const { page, engines } = await reading();
  await at(page, "board-next").click({ force: true });
  await page.getByText("Write something first").waitFor();
  assert.equal(engines.count("image_take"), 0);
  engines.lines = [];
  await drawn(page);
  await at(page, "read").click();
  await at(page, "confirm").getByText("I found nothing written in the picture.").waitFor();
  assert.equal(await at(page, "read-yes").count(), 0);
  await close(page);
});

test("a photo from the system's dialog; closing the dialog changes nothing", async () => {
  const { page, engines } = await reading();
  await at(page, "source-photo").click();
  await at(page, "photo-pick").click();
  await until("the dialog", () => engines.count("image_pick") === 1);
  await at(page, "photo-drop").waitFor();
  engines.picked = engines.image();
  await at(page, "photo-pick").click();
  await at(page, "picture").waitFor();
  await at(page, "read").click();
  await at(page, "read-yes").waitFor();
  assert.deepEqual(engines.calls.findLast(([name]) => name === "tool_start")[1].input, { tool: "reading", imageId: "image-1", handwriting: false });
  await close(page);
});

test("a photo is pasted or dropped, and a file that is none says so", async () => {
  const { page, engines } = await reading();
  await at(page, "source-photo").click();
  const give = (type) =>
    page.evaluate(
      ([type, base64]) => {
        const data = new DataTransfer();
        data.items.add(new File([Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0))], "photo.png", { type: "image/png" }));
        const target = type === "paste" ? window : document.querySelector('[data-testid="photo-drop"]');
        const made = { bubbles: true, cancelable: true };
        target.dispatchEvent(type === "paste" ? new ClipboardEvent(type, { clipboardData: data, ...made }) : new DragEvent(type, { dataTransfer: data, ...made }));
      },
      [type, PIXEL.split(",")[1]],
    );
  for (const type of ["paste", "drop"]) {
    await give(type);
    await at(page, "picture").waitFor();
    await at(page, "look-back").click();
  }
  const taken = engines.calls.filter(([name]) => name === "image_take").map(([, { base64 }]) => base64);
  assert.deepEqual(taken, [PIXEL.split(",")[1], PIXEL.split(",")[1]]);
  engines.failNext.image_take = "image_unreadable";
  await give("drop");
  await page.locator('[data-testid="error-block"][data-code="image_unreadable"]').waitFor();
  await close(page, { expected: [/status of 500/] });
});

test("a failure keeps the picture, says why, and is tried again", async () => {
  const { page, engines } = await reading();
  const well = engines.reading;
  engines.reading = () => [{ event: "started", badge: SCHOOL }, { event: "failed", error: error("server_silent"), instead: null }];
  await drawn(page);
  await at(page, "read").click();
  await page.locator('[data-testid="error-block"][data-code="server_silent"]').waitFor();
  await at(page, "picture").waitFor();
  engines.reading = well;
  await at(page, "retry").click();
  await at(page, "read-yes").waitFor();
  await close(page);
});

test("a server that asks to wait is counted down, and reading can be stopped", async () => {
  const { page, engines } = await reading();
  engines.reading = () => [{ event: "started", badge: SCHOOL }, { event: "waiting", seconds: 90, reason: "busy" }];
  await drawn(page);
  await at(page, "read").click();
  await at(page, "countdown").getByText(/The server has a lot to do\. Going on in (90|8\d) seconds\./).waitFor();
  await at(page, "countdown").getByText(/in 8\d seconds/).waitFor();
  await at(page, "reading-stop").click();
  await at(page, "read").waitFor();
  assert.equal(engines.count("tool_cancel"), 1);
  await close(page);
});

test("where nothing reads pictures it says what would, and the button leads there", async () => {
  const learner = await reading({ adult: false });
  await at(learner.page, "unavailable").getByText("needs the school server or Cloud Boost").waitFor();
  await at(learner.page, "unavailable").getByText("An adult can switch it on").waitFor();
  assert.deepEqual([await at(learner.page, "unlock").count(), await at(learner.page, "board").count()], [0, 0]);
  await at(learner.page, "write-instead").click();
  await at(learner.page, "composer-input").waitFor();
  await close(learner.page);

  for (const [given, unlock] of [
    [{}, "chooseEngine"],
    [{ places: { reading: "cloud" }, cloud: { on: true } }, "enterKey"],
    [{ places: { reading: "school" }, school: { on: true } }, "enterServer"],
    [{ places: { reading: "school" }, school: { ...READY, vision: false } }, "chooseServerModel"],
  ]) {
    const { page } = await reading(given);
    await page.locator(`[data-testid="unavailable"][data-unlock="${unlock}"]`).waitFor();
    await at(page, "unlock").click();
    await page.locator('[data-testid="settings"][data-section="who"]').waitFor();
    await close(page);
  }
});

test("where only the permission is missing an adult gives it on the spot", async () => {
  const { page, engines } = await reading({ places: { reading: "cloud" }, cloud: { on: true, key: "keychain" } });
  await at(page, "unlock").click();
  await at(page, "consent-read").check();
  await at(page, "consent-agree").click();
  await at(page, "board").waitFor();
  assert.equal(engines.count("cloud_agree"), 1);
  await drawn(page);
  assert.equal(await at(page, "read").getByTestId("badge").getAttribute("data-kind"), "cloud");
  await close(page);
});

for (const language of ["es", "en", "pt"]) {
  test(`axe finds nothing: ${language}`, async (t) => {
    for (const theme of ["light", "dark", "contrast"]) {
      await t.test(theme, async () => {
        const { page, engines } = await reading(AT_SCHOOL, { language, theme });
        const clean = async (name) => {
          assert.deepEqual(await violations(page), [], name);
          if (language === "es") await picture(page, `reading-${name}-${theme}`);
        };
        await clean("board");
        await at(page, "source-photo").click();
        await clean("photo");
        await at(page, "source-board").click();
        await drawn(page);
        await clean("look");
        engines.unsure = true;
        await at(page, "read").click();
        await at(page, "read-correct").click();
        await clean("confirm");
        await close(page);
        const off = await reading({ adult: true }, { language, theme });
        assert.deepEqual(await violations(off.page), []);
        await close(off.page);
      });
    }
  });
}

test("at 900 × 600 the board and its buttons are in sight, and the keyboard reaches them", async () => {
  const { page } = await reading(AT_SCHOOL, { width: 900, height: 600 });
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
