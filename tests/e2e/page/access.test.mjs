/** axe on every page, in every theme and language; and the smallest window. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { violations } from "../lib/axe.mjs";
import { answered, ask, at, close, Host, lastAnswer, launch, open, picture, setTheme } from "../lib/page.mjs";
import { answerWith, BADGE, failedAnswer, wholeAnswer } from "../lib/script.mjs";

const THEMES = ["light", "dark", "contrast"];
const LANGUAGES = ["es", "en", "pt"];
const RICH = "## Parts\n\nThe sum is $\\frac{1}{4} + \\frac{2}{4}$:\n\n$$\\frac{1+2}{4} = \\frac{3}{4}$$\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n- one\n- two\n\n```python\nprint(3 / 4)\n```\n\n> Well done: you found the common denominator.\n";

let host, browser;
before(async () => {
  host = await Host.start({ args: ["--scripted"] });
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await host?.stop();
});

async function chooseLanguage(page, language) {
  await at(page, "nav-settings").click();
  await at(page, "set-language").selectOption(language);
  await page.waitForFunction((language) => document.documentElement.lang === language, language);
  await at(page, "nav-chat").click();
}

/** Each state of the page that looks its own way; every one begins on the chat page. */
const VIEWS = {
  empty: (page) => at(page, "empty").waitFor(),
  answer: async (page) => {
    await answerWith(page, wholeAnswer(RICH));
    await ask(page, "1/4 + 2/4");
    await answered(page);
    await page.locator(".katex .mfrac").first().waitFor();
  },
  waiting: async (page) => {
    await answerWith(page, () => [{ event: "queued", position: 2 }]);
    await ask(page, "2 + 2");
    await at(page, "waiting").waitFor();
  },
  writing: async (page) => {
    await answerWith(page, () => [{ event: "started", badge: BADGE }, { event: "token", text: "One half, and then " }]);
    await ask(page, "1/2");
    await at(page, "answer").waitFor();
  },
  failure: async (page) => {
    await answerWith(page, failedAnswer("worker_crashed", "So far "));
    await ask(page, "3 + 3");
    await answered(page);
  },
  dialog: async (page) => {
    await answerWith(page, wholeAnswer("4.", { ...BADGE, kind: "demo" }));
    await ask(page, "2 + 2");
    await answered(page);
    await lastAnswer(page).getByTestId("badge").first().click();
    await at(page, "engine-dialog").waitFor();
  },
  ...Object.fromEntries(
    ["profile", "reading", "who", "models", "network", "about"].map((section) => [
      `settings-${section}`,
      async (page) => {
        await at(page, "nav-settings").click();
        await at(page, `section-${section}`).click();
        if (section === "who") await at(page, "set-advanced").locator("summary").click();
        if (section === "models") await at(page, "offer").first().waitFor();
        if (section === "profile") await at(page, "pin-set").click();
      },
    ]),
  ),
};

for (const language of LANGUAGES) {
  test(`axe finds nothing: ${language}`, async (t) => {
    for (const theme of THEMES) {
      for (const [name, show] of Object.entries(VIEWS)) {
        await t.test(`${theme}, ${name}`, async () => {
          const page = await open(browser, host);
          await chooseLanguage(page, language);
          await setTheme(page, theme);
          await show(page);
          assert.deepEqual(await violations(page), []);
          if (language === "es") await picture(page, `${name}-${theme}`);
          await close(page);
        });
      }
    }
  });
}

test("at 900 × 600 nothing is cut off, and the list is a drawer", async () => {
  const page = await open(browser, host, { width: 900, height: 600 });
  await chooseLanguage(page, "es");
  await setTheme(page, "light");
  for (const name of ["answer", "settings-who", "settings-models"]) {
    await VIEWS[name](page);
    const moved = await page.evaluate(() => {
      scrollTo(1000, 1000);
      return [scrollX, scrollY];
    });
    assert.deepEqual(moved, [0, 0], "the whole page scrolls");
    await picture(page, `${name}-900x600`);
  }
  await at(page, "nav-chat").click();
  for (const name of ["composer-input", "send", "conversation-title"]) {
    const box = await at(page, name).boundingBox();
    assert.ok(box.x >= 0 && box.y >= 0 && box.x + box.width <= 900 && box.y + box.height <= 600, `${name}: ${JSON.stringify(box)}`);
  }
  await at(page, "open-list").click();
  await at(page, "conversation-list").waitFor();
  assert.deepEqual(await violations(page), []);
  await page.keyboard.press("Escape");
  await at(page, "conversation-list").waitFor({ state: "detached" });
  await close(page);
});
