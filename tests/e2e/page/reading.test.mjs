/** Handwriting and photos: what is sent, reading, the question that must be answered before anything is solved. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { violations } from "../lib/axe.mjs";
import { draw, strokes } from "../lib/board.mjs";
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

/** As far as the picture that would be sent. */
async function drawn(page) {
  await draw(page, [0.2, 0.3], [0.5, 0.3]);
  await at(page, "board-next").click();
  await at(page, "picture").waitFor();
}

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
