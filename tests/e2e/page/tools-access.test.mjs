/** axe on every page of the tools, in every theme and language; the smallest window, large text, keyboard alone. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { violations } from "../lib/axe.mjs";
import { at, close, Host, launch, openAgain, picture } from "../lib/page.mjs";
import { CARDS, failed, ILLUSTRATION, LOCAL, MAP, PRACTICE, QUIZ, SHEET, Workshop } from "../lib/tools.mjs";

let host, browser;
before(async () => {
  host = await Host.start({ args: ["--scripted"] });
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await host?.stop();
});

const tries = (...all) => all.map((each) => ({ tries: each, done: each.length > 0, right: each.length === 1 ? true : each.length === 0 ? null : false }));
const creation = (content, work) => async (page, shop) => {
  const { summary } = shop.add(content, { work });
  await at(page, "nav-create").click();
  await page.locator(`[data-id="${summary.id}"] .open`).click();
};
const form = (tool) => async (page) => {
  await at(page, "nav-create").click();
  await at(page, `tool-${tool}`).click();
  await at(page, "tool-topic").waitFor();
};
const start = (script) => async (page, shop) => {
  shop.script = script;
  await form("quiz")(page);
  await at(page, "tool-topic").fill("water");
  await at(page, "tool-start").click();
};

/** Each page that looks its own way; every one begins in the chat. */
const PAGES = {
  home: async (page, shop) => {
    shop.features.quiz = { badge: null, reason: "offline", unlock: "connect", instead: LOCAL };
    shop.add(QUIZ);
    await at(page, "nav-create").click();
    await at(page, "creation-row").waitFor();
    await at(page, "tool-practice").waitFor();
  },
  form: form("quiz"),
  "form-sheet": form("sheet"),
  making: async (page, shop) => {
    await start(() => [{ event: "started", badge: LOCAL }, { event: "writing", characters: 9, items: 1, of: 5 }])(page, shop);
    await at(page, "making-state").waitFor();
  },
  failure: async (page, shop) => {
    await start(() => failed("server_silent", LOCAL))(page, shop);
    await at(page, "error-block").waitFor();
  },
  quiz: async (page, shop) => {
    await creation(QUIZ, { items: [{ tries: ["1"], done: true, right: true }, { tries: ["1"], done: false, right: null }], at: 1 })(page, shop);
    await page.keyboard.press("c");
    await at(page, "verdict").waitFor();
  },
  "quiz-answer": async (page, shop) => {
    await creation(QUIZ, { items: tries(["1"], ["0", "2"]), at: 1 })(page, shop);
    await at(page, "verdict").waitFor();
  },
  "quiz-end": async (page, shop) => {
    await creation(QUIZ, { items: tries(["1"], ["0", "2"], ["1", "2"]), at: 3 })(page, shop);
    await at(page, "quiz-end").waitFor();
  },
  practice: async (page, shop) => {
    await creation(PRACTICE, { items: [{ tries: ["4/10"], done: false, right: null }], at: 0 })(page, shop);
    await at(page, "hint").waitFor();
  },
  "practice-judge": async (page, shop) => {
    await creation(PRACTICE, { items: [{ tries: ["4/10", "1"], done: false, right: null }], at: 0 })(page, shop);
    await at(page, "judge").waitFor();
  },
  "practice-end": async (page, shop) => {
    await creation(PRACTICE, { items: tries(["11/12"], ["3/4"], ["1", "2"]), at: 3 })(page, shop);
    await at(page, "practice-end").waitFor();
  },
  cards: async (page, shop) => {
    await creation(CARDS, { items: [{ tries: ["again"], done: false, right: null }], at: 0 })(page, shop);
    await at(page, "flip").click();
    await at(page, "known").waitFor();
  },
  "cards-end": async (page, shop) => {
    await creation(CARDS, { items: tries(["known"], ["again", "known"], ["known"]), at: 3 })(page, shop);
    await at(page, "cards-end").waitFor();
  },
  map: async (page, shop) => {
    await creation(MAP)(page, shop);
    await at(page, "canvas").focus();
    for (const key of ["Home", "ArrowRight", "ArrowRight"]) await page.keyboard.press(key);
    await at(page, "selection-bar").waitFor();
  },
  "map-menu": async (page, shop) => {
    await creation(MAP)(page, shop);
    await at(page, "download").click();
    await at(page, "save-png").waitFor();
  },
  illustration: async (page, shop) => {
    await creation(ILLUSTRATION)(page, shop);
    await at(page, "canvas").waitFor();
  },
  sheet: async (page, shop) => {
    await creation(SHEET)(page, shop);
    await at(page, "set-sheet-teacher").check({ force: true });
    await at(page, "sheet-answer").first().waitFor();
  },
};

/** The parts of the page that hold more than their width shows; names of the rail fly out beside it and do not count. */
function tooWide(page) {
  return page.evaluate(() =>
    [document.documentElement, ...document.querySelectorAll("main, main > *, aside, aside > *")]
      .filter((element) => element.scrollWidth > element.clientWidth + 1 && element.clientWidth > 1 && !["inline", "inline-block"].includes(getComputedStyle(element).display))
      .map((element) => `${element.tagName}.${element.className}: ${element.scrollWidth} > ${element.clientWidth}`),
  );
}

async function shown(name, more = {}) {
  const shop = new Workshop();
  const page = await openAgain(browser, host, { ...more, prepare: (page) => shop.serve(page) });
  await PAGES[name](page, shop);
  return page;
}

for (const language of ["es", "en", "pt"]) {
  test(`axe finds nothing: ${language}`, async (t) => {
    for (const theme of ["light", "dark", "contrast"]) {
      await host.set({ language, theme, textSize: "s" });
      for (const name of Object.keys(PAGES)) {
        await t.test(`${theme}, ${name}`, async () => {
          const page = await shown(name);
          assert.deepEqual(await violations(page), []);
          if (language === "es") await picture(page, `tools-${name}-${theme}`);
          await close(page);
        });
      }
    }
  });
}

for (const [width, height, textSize] of [[900, 600, "s"], [900, 600, "l"], [1366, 768, "l"], [1920, 1080, "m"]]) {
  test(`nothing is cut off: ${width} by ${height}, text ${textSize}`, async (t) => {
    await host.set({ language: "es", theme: "light", textSize });
    for (const name of Object.keys(PAGES)) {
      await t.test(name, async () => {
        const page = await shown(name, { width, height });
        assert.deepEqual(await tooWide(page), []);
        assert.deepEqual(await violations(page), []);
        await picture(page, `tools-${name}-${width}-${textSize}`);
        await close(page);
      });
    }
  });
}

test("without movement, and with the system's own colours, everything is there", async () => {
  await host.set({ language: "en", theme: "system", textSize: "s" });
  for (const name of ["quiz-answer", "cards", "map"]) {
    const page = await shown(name, { reducedMotion: "reduce", forcedColors: "active" });
    const moving = await page.evaluate(() => document.getAnimations().filter((animation) => (animation.effect?.getTiming().duration ?? 0) > 1).length);
    assert.equal(moving, 0, name);
    await picture(page, `tools-${name}-forced`);
    await close(page);
  }
});

test("the keyboard goes through a page in the order in which it is read", async () => {
  await host.set({ language: "en", theme: "light", textSize: "s" });
  const page = await shown("home");
  await page.locator("#content").focus();
  const order = [];
  for (let press = 0; press < 8; press++) {
    await page.keyboard.press("Tab");
    order.push(await page.evaluate(() => document.activeElement?.dataset.testid ?? document.activeElement?.className ?? ""));
  }
  const tools = order.filter((name) => name.startsWith("tool-"));
  assert.deepEqual(tools, ["tool-practice", "tool-flashcards", "tool-mindMap", "tool-illustration", "tool-sheet"]);
  assert.ok(order.includes("unlock") && order.includes("instead"), order.join(", "));
  await close(page);
});
