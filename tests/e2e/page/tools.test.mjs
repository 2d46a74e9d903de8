/** The tools as a person uses them: forms, a tool at work, its failures, and going through what was made. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { at, close, Host, launch, open } from "../lib/page.mjs";
import { CARDS, failed, LOCAL, PRACTICE, QUIZ, SCHOOL, Workshop } from "../lib/tools.mjs";

let host, browser;
before(async () => {
  host = await Host.start({ args: ["--scripted"] });
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await host?.stop();
});

/** The page of the tools, with what the test put on the list. */
async function tools(prepare = () => undefined) {
  const shop = new Workshop();
  prepare(shop);
  const page = await open(browser, host, { prepare: (page) => shop.serve(page) });
  await at(page, "nav-create").click();
  await at(page, "tool-quiz").waitFor();
  return { page, shop };
}
const row = (page, { summary }) => page.locator(`[data-testid="creation-row"][data-id="${summary.id}"]`);
const state = (page, letter) => at(page, `option-${letter}`).getAttribute("data-state");

test("a badge stands on every tool before it is pressed, and a sheet is for adults", async () => {
  const { page } = await tools((shop) => (shop.features.sheet = { hidden: true, badge: null }));
  for (const tool of ["quiz", "practice", "flashcards", "mindMap", "illustration"]) {
    assert.equal(await at(page, `tool-${tool}`).getByTestId("badge").getAttribute("data-kind"), "local", tool);
    await at(page, `tool-${tool}`).click();
    assert.equal(await at(page, "tool-start").getByTestId("badge").getAttribute("data-kind"), "local", tool);
    await at(page, "to-create").click();
  }
  assert.equal(await at(page, "tool-sheet").count(), 0);
  await close(page);
});

test("what nobody can do says why, with its way out and the engine that is offered", async () => {
  const { page, shop } = await tools((shop) => {
    shop.badge = SCHOOL;
    shop.features.quiz = { badge: null, reason: "offline", unlock: "connect", instead: LOCAL };
  });
  const card = at(page, "tool-quiz");
  await card.getByTestId("unavailable").waitFor();
  assert.equal(await card.getByTestId("unavailable").getAttribute("data-unlock"), "connect");
  await card.getByTestId("instead").click();
  assert.equal(await at(page, "tool-start").count(), 0);
  await at(page, "tool-topic").fill("plants");
  await at(page, "start-here").click();
  await at(page, "quiz").waitFor();
  assert.equal(shop.asked.find(({ command }) => command === "tool_start").engine, "local");
  await close(page, { expected: [/network|offline/i] });
});

test("a form says what is missing, and remembers what was filled in", async () => {
  const { page, shop } = await tools();
  await at(page, "tool-quiz").click();
  await at(page, "tool-topic").waitFor();
  assert.ok(await at(page, "tool-topic").evaluate((field) => field === document.activeElement));
  // It can be pressed all the same: then it says why nothing happens.
  await at(page, "tool-start").click({ force: true });
  await page.getByText("Write a topic").waitFor();
  assert.equal(shop.asked.filter(({ command }) => command === "tool_start").length, 0);
  await at(page, "tool-topic").fill("  the water cycle ");
  await at(page, "set-count-10").check({ force: true });
  await at(page, "set-level-hard").check({ force: true });
  await at(page, "to-create").click();
  await at(page, "tool-quiz").click();
  assert.equal(await at(page, "tool-topic").inputValue(), "  the water cycle ");
  await at(page, "tool-topic").press("Enter");
  await at(page, "quiz").waitFor();
  const { input, engine } = shop.asked.find(({ command }) => command === "tool_start");
  assert.deepEqual(input, { tool: "quiz", topic: "the water cycle", count: 10, level: "hard" });
  assert.equal(engine, null);
  await close(page);
});

test("what leaves the computer can be read before it does", async () => {
  const { page, shop } = await tools((shop) => (shop.badge = SCHOOL));
  await at(page, "tool-flashcards").click();
  await at(page, "tool-topic").fill("the cell");
  await at(page, "tool-preview").click();
  await at(page, "send-preview").getByText("the cell").waitFor();
  assert.equal(shop.asked.filter(({ command }) => command === "tool_start").length, 0);
  await page.keyboard.press("Escape");
  await close(page);
});

test("a tool at work says how far it is, shows nothing half-done, and is cancelled", async () => {
  const { page, shop } = await tools((shop) => {
    shop.script = () => [{ event: "queued", position: 1 }, { event: "started", badge: LOCAL }, { event: "prefill", done: 10, total: 40 }, { event: "writing", characters: 400, items: 2, of: 5 }];
  });
  await at(page, "tool-quiz").click();
  await at(page, "tool-topic").fill("plants");
  await at(page, "tool-start").click();
  await at(page, "making-state").getByText("2 of 5 questions").waitFor();
  assert.equal(await at(page, "making-state").getAttribute("data-phase"), "writing");
  assert.equal(await page.getByRole("progressbar").getAttribute("aria-valuenow"), "40");
  assert.equal(await at(page, "question").count(), 0);
  // Meanwhile everything else can be used.
  await at(page, "nav-chat").click();
  await at(page, "nav-create").click();
  await at(page, "nav-create").click();
  await at(page, "running").getByRole("button").click();
  await at(page, "tool-cancel").click();
  assert.equal(await at(page, "tool-topic").inputValue(), "plants");
  assert.equal(shop.asked.filter(({ command }) => command === "tool_cancel").length, 1);
  await close(page);
});

test("a server that asks to wait is waited for, with the seconds left", async () => {
  const { page } = await tools((shop) => {
    shop.badge = SCHOOL;
    shop.script = () => [{ event: "started", badge: SCHOOL }, { event: "waiting", seconds: 30, reason: "busy" }];
  });
  await at(page, "tool-mindMap").click();
  await at(page, "tool-topic").fill("plants");
  await at(page, "tool-start").click();
  await page.getByText(/I go on in (?:2\d|30) seconds/).waitFor();
  await at(page, "tool-cancel").click();
  await close(page);
});

test("a failure says what happened and offers another engine, which nobody takes but the person", async () => {
  const { page, shop } = await tools((shop) => {
    shop.badge = SCHOOL;
    shop.script = (_, { engine, finish }) => (engine === "local" ? [finish(QUIZ, { badge: LOCAL })] : failed("server_silent", LOCAL, SCHOOL));
  });
  await at(page, "tool-quiz").click();
  await at(page, "tool-topic").fill("plants");
  await at(page, "tool-start").click();
  assert.equal(await at(page, "error-block").getAttribute("data-code"), "server_silent");
  assert.equal(shop.asked.filter(({ command }) => command === "tool_start").length, 1);
  await at(page, "retry").click();
  await at(page, "error-block").waitFor();
  assert.equal(await at(page, "instead").getByTestId("badge").getAttribute("data-kind"), "local");
  await at(page, "instead").click();
  await at(page, "question").waitFor();
  assert.deepEqual(shop.asked.filter(({ command }) => command === "tool_start").map(({ engine }) => engine), [null, null, "local"]);
  await close(page);
});

test("a whole quiz with the keyboard: hint, second try, explanation, review, and only the missed ones again", async () => {
  const { page, shop } = await tools();
  const made = shop.add(QUIZ);
  await at(page, "nav-chat").click();
  await at(page, "nav-create").click();
  await row(page, made).locator(".open").click();
  await at(page, "question").waitFor();

  // Nothing chosen: it says so. The first question: right at once.
  await page.keyboard.press("Enter");
  await page.getByText("Choose an option").first().waitFor();
  await page.keyboard.press("b");
  await page.keyboard.press("Enter");
  assert.equal(await state(page, "B"), "answer");
  await at(page, "verdict").locator("strong").getByText("oxygen").waitFor();
  await at(page, "verdict").locator(".katex").first().waitFor();
  await page.keyboard.press("Enter");

  // The second: wrong, the hint without the answer, then right.
  await page.getByText("Question 2 of 3").waitFor();
  await at(page, "option-A").click();
  await page.keyboard.press("ArrowDown");
  await at(page, "quiz-press").click();
  assert.equal(await state(page, "B"), "tried");
  await at(page, "option-B").getByText("your first try").waitFor();
  await at(page, "verdict").getByText("What else enters through the leaves?").waitFor();
  assert.equal(await at(page, "verdict").getByText("builds wood").count(), 0);
  assert.equal(await state(page, "C"), "open");
  await page.keyboard.press("c");
  await page.keyboard.press("Enter");
  await at(page, "verdict").getByText("builds wood").waitFor();

  // The page is opened anew: exactly here it goes on.
  await page.reload();
  await at(page, "nav-create").click();
  await row(page, made).getByText("67%").waitFor();
  await row(page, made).locator(".open").click();
  await page.getByText("Question 2 of 3").waitFor();
  assert.equal(await state(page, "C"), "answer");
  await at(page, "quiz-press").click();

  // The third: both tries wrong, then the answer is shown.
  await page.getByText("Question 3 of 3").waitFor();
  for (const letter of ["d", "c"]) {
    await page.keyboard.press(letter);
    await page.keyboard.press("Enter");
  }
  await at(page, "verdict").getByText("The answer is A").waitFor();
  await at(page, "quiz-press").click();

  await at(page, "quiz-end").waitFor();
  assert.match(await at(page, "score").textContent(), /1 of 3 questions.*corrected 1.*1 is left/s);
  assert.equal(await at(page, "review").locator("li").count(), 2);
  await at(page, "repeat").click();
  await page.getByText("Question 2 of 3").waitFor();
  await page.keyboard.press("c");
  await page.keyboard.press("Enter");
  await page.keyboard.press("Enter");
  await page.getByText("Question 3 of 3").waitFor();
  await page.keyboard.press("a");
  await page.keyboard.press("Enter");
  await page.keyboard.press("Enter");
  await at(page, "quiz-end").waitFor();
  assert.equal(await at(page, "repeat").count(), 0);
  const kept = shop.creations.get(made.summary.id).work;
  assert.deepEqual(kept.items.map(({ tries }) => tries), [["1"], ["1", "2", "2"], ["3", "2", "0"]]);
  await close(page);
});

test("a step that cannot be saved is not lost", async () => {
  const { page, shop } = await tools();
  const made = shop.add(QUIZ);
  await at(page, "nav-chat").click();
  await at(page, "nav-create").click();
  await row(page, made).locator(".open").click();
  await at(page, "question").waitFor();
  shop.failWork = true;
  await page.keyboard.press("b");
  await page.keyboard.press("Enter");
  await at(page, "not-saved").waitFor();
  assert.equal(await state(page, "B"), "answer");
  shop.failWork = false;
  await page.keyboard.press("Enter");
  await at(page, "not-saved").waitFor({ state: "detached" });
  assert.equal(shop.creations.get(made.summary.id).work.items[0].right, true);
  await close(page, { expected: [/400/] });
});

test("practice never calls an answer wrong, and goes on at the level that suits", async () => {
  const { page, shop } = await tools((shop) => (shop.script = (_, { finish }) => [finish(PRACTICE)]));
  await at(page, "tool-practice").click();
  await at(page, "tool-topic").fill("fractions");
  await at(page, "tool-start").click();
  await at(page, "exercise").waitFor();

  await at(page, "practice-answer").fill("4/10");
  await at(page, "practice-answer").press("Enter");
  await at(page, "hint").getByText("a denominator that both share").waitFor();
  assert.equal(await at(page, "steps").count(), 0);
  await at(page, "practice-answer").fill("eleven twelfths");
  await at(page, "practice-answer").press("Enter");
  await at(page, "judge").waitFor();
  assert.doesNotMatch(await page.locator("main").textContent(), /wrong|incorrect/i);
  await at(page, "means").click();
  await at(page, "practice-next").click();

  for (const answer of ["0.75", "2/3"]) {
    await at(page, "practice-answer").fill(answer);
    await at(page, "practice-check").click();
    await at(page, "practice-next").click();
  }
  await at(page, "practice-end").waitFor();
  assert.match(await at(page, "score").textContent(), /3 of 3.*one level up/s);
  assert.equal(await at(page, "more").getByTestId("badge").getAttribute("data-kind"), "local");
  await at(page, "more").click();
  await at(page, "exercise").waitFor();
  const [first, second] = shop.asked.filter(({ command }) => command === "tool_start").map(({ input }) => input);
  assert.deepEqual([first.level, first.used], ["medium", []]);
  assert.equal(second.level, "hard");
  assert.deepEqual(second.used, PRACTICE.exercises.map(({ prompt }) => prompt.text));
  await close(page);
});

test("flashcards turn with the keyboard, and what is not known yet comes again", async () => {
  const { page, shop } = await tools();
  const made = shop.add(CARDS);
  await at(page, "nav-chat").click();
  await at(page, "nav-create").click();
  await row(page, made).locator(".open").click();
  const side = () => at(page, "card").getAttribute("data-side");
  const put = async (key) => {
    await page.keyboard.press("Space");
    assert.equal(await side(), "back");
    await page.keyboard.press(key);
  };
  await at(page, "card").waitFor();
  // Nothing can be said of a card whose other side was not seen.
  await page.keyboard.press("2");
  assert.equal(await side(), "front");
  await put("1");
  await put("2");
  await at(page, "piles").getByText("1 comes again").waitFor();
  await put("2");
  await page.getByText("What does the nucleus hold?").waitFor();
  await page.reload();
  await at(page, "nav-create").click();
  await row(page, made).locator(".open").click();
  await page.getByText("What does the nucleus hold?").waitFor();
  await at(page, "flip").click();
  await at(page, "known").click();
  await at(page, "cards-end").waitFor();
  assert.match(await at(page, "score").textContent(), /2 of 3/);
  await close(page);
});

test("what was made is deleted with the way back", async () => {
  const { page, shop } = await tools();
  const made = shop.add(QUIZ);
  await at(page, "nav-chat").click();
  await at(page, "nav-create").click();
  await row(page, made).getByTestId("delete").click();
  assert.ok(await row(page, made).getByTestId("undo").evaluate((button) => button === document.activeElement));
  assert.equal(shop.creations.size, 0);
  await row(page, made).getByTestId("undo").click();
  await row(page, made).locator(".open").waitFor();
  assert.equal(shop.creations.size, 1);
  await close(page);
});
