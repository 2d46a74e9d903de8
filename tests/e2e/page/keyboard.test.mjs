/** Everything without a mouse: where the focus goes, and that nothing is out of reach. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { answered, ask, at, close, Host, launch, lastAnswer, open } from "../lib/page.mjs";
import { answerWith, wholeAnswer } from "../lib/script.mjs";

let host, browser;
before(async () => {
  host = await Host.start({ args: ["--scripted"] });
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await host?.stop();
});

const focused = (page) =>
  page.evaluate(() => {
    const element = document.activeElement;
    const name = element.getAttribute("aria-label") ?? element.textContent.trim();
    return { test: element.dataset.testid ?? null, name, tag: element.tagName };
  });

/** Presses Tab until `found` accepts the focused element. */
async function tabTo(page, what, found, key = "Tab") {
  const seen = [];
  for (let press = 0; press < 40; press += 1) {
    const now = await focused(page);
    if (found(now)) return now;
    seen.push(now.test ?? now.name);
    await page.keyboard.press(key);
  }
  assert.fail(`${what} was not reached by ${key}: ${seen.join(" → ")}`);
}

test("from the question to the answer's buttons and back", async () => {
  const page = await open(browser, host);
  assert.equal((await focused(page)).test, "composer-input");
  await answerWith(page, wholeAnswer("Twelve."));
  await page.keyboard.type("What is 5 + 7?");
  await page.keyboard.press("Enter");
  await answered(page);
  // The writer stays where the writing goes on.
  assert.equal((await focused(page)).test, "composer-input");
  for (const name of ["copy", "regenerate", "badge", "edit"]) {
    await tabTo(page, name, ({ test }) => test === name, "Shift+Tab");
  }
  await page.keyboard.press("Enter");
  await at(page, "edit-input").waitFor();
  assert.equal((await focused(page)).test, "edit-input");
  await page.keyboard.press("Escape");
  assert.equal((await focused(page)).test, "edit");
  await close(page);
});

test("the badge opens a dialog that keeps the focus and gives it back", async () => {
  const page = await open(browser, host);
  await answerWith(page, wholeAnswer("Yes."));
  await ask(page, "Who writes?");
  await answered(page);
  await lastAnswer(page).getByTestId("badge").first().focus();
  await page.keyboard.press("Enter");
  await at(page, "engine-dialog").waitFor();
  for (let press = 0; press < 6; press += 1) {
    await page.keyboard.press("Tab");
    // The page itself may have the focus between two rounds, but nothing behind the dialog.
    const inside = await page.evaluate(() => document.activeElement === document.body || document.activeElement.closest("dialog") !== null);
    assert.ok(inside, JSON.stringify(await focused(page)));
  }
  await page.keyboard.press("Escape");
  await at(page, "engine-dialog").waitFor({ state: "detached" });
  assert.equal((await focused(page)).test, "badge");
  await close(page);
});

test("a conversation is renamed, deleted and brought back", async () => {
  const page = await open(browser, host);
  await ask(page, "Hello keyboard");
  await answered(page);
  // Its buttons come out when the focus is on the title.
  await tabTo(page, "the title", ({ name }) => name === "Hello keyboard", "Shift+Tab");
  await tabTo(page, "rename", ({ test }) => test === "rename");
  await page.keyboard.press("Enter");
  await at(page, "rename-input").waitFor();
  await page.keyboard.press("ControlOrMeta+a");
  await page.keyboard.type("Keys");
  await page.keyboard.press("Enter");
  await at(page, "conversation-row").filter({ hasText: "Keys" }).waitFor();
  await tabTo(page, "delete", ({ test }) => test === "delete");
  await page.keyboard.press("Enter");
  await tabTo(page, "undo", ({ test }) => test === "undo");
  await page.keyboard.press("Enter");
  await at(page, "conversation-row").filter({ hasText: "Keys" }).waitFor();
  await close(page);
});

test("skipping to the content, and the settings by arrow keys", async () => {
  const page = await open(browser, host);
  await tabTo(page, "the way past the rail", ({ name }) => name === "Skip to content", "Shift+Tab");
  await page.keyboard.press("Enter");
  assert.equal(await page.evaluate(() => document.activeElement.id), "content");
  await tabTo(page, "settings", ({ test }) => test === "nav-settings", "Shift+Tab");
  await page.keyboard.press("Enter");
  await tabTo(page, "the colours", ({ test }) => test?.startsWith("set-theme-"));
  const before = await page.evaluate(() => document.documentElement.dataset.theme);
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("ArrowRight");
  const chosen = (await focused(page)).test;
  assert.match(chosen, /^set-theme-/);
  await page.waitForFunction((theme) => document.documentElement.dataset.theme === theme || theme === "system", chosen.replace("set-theme-", ""));
  assert.ok(before);
  await close(page);
});

test("whoever listens hears each sentence", async () => {
  const page = await open(browser, host);
  await answerWith(page, wholeAnswer("First sentence. Second sentence."));
  await ask(page, "Read to me");
  await answered(page);
  await at(page, "announcements").getByText("Second sentence.").waitFor();
  await close(page);
});
