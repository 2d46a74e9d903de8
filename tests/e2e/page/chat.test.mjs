/** Asking, stopping, answering again, editing, versions: the real `api` with the demo model behind the page. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { answered, answers, ask, at, close, Host, lastAnswer, launch, open, picture } from "../lib/page.mjs";

let host, browser;
before(async () => {
  // The plain definition of the kernels, as slow as a large model: with the fast ones the demo model's whole answer is there
  // within a frame or two.
  host = await Host.start({ environment: { AULA_KERNELS: "scalar" } });
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await host?.stop();
});

test("a question is answered token by token, under a badge, and is still there after a reload", async () => {
  const page = await open(browser, host);
  // The answer's text at every change, as the page shows it.
  await page.evaluate(() => {
    window.seen = new Set();
    new MutationObserver(() => {
      const text = [...document.querySelectorAll('[data-testid="answer"]')].at(-1)?.textContent.trim();
      if (text) window.seen.add(text.length);
    }).observe(document.body, { subtree: true, childList: true, characterData: true });
  });
  await ask(page, "Tell me the 7 times table.");
  await answers(page).first().waitFor();
  await answered(page);
  const lengths = await page.evaluate(() => [...window.seen]);
  assert.ok(lengths.length >= 3, `the text grew in ${lengths.length} steps`);
  const turn = lastAnswer(page);
  assert.equal(await turn.getAttribute("data-state"), "complete");
  assert.equal(await turn.getByTestId("badge").first().getAttribute("data-kind"), "demo");
  assert.match(await turn.getByTestId("facts").textContent(), /tok\/s/);
  const text = await turn.getByTestId("answer").textContent();
  await picture(page, "answer");

  await page.reload();
  await at(page, "conversation-row").first().getByRole("button").first().click();
  await answered(page);
  assert.equal(await lastAnswer(page).getByTestId("answer").textContent(), text);
  await close(page);
});

test("an answer is written again, and both versions stay", async () => {
  const page = await open(browser, host);
  await ask(page, "What is 27 + 35?");
  await answered(page);
  await at(page, "regenerate").click();
  await page.getByTestId("tutor-turn").getByTestId("versions").waitFor();
  await answered(page);
  const versions = lastAnswer(page).getByTestId("versions");
  assert.equal(await versions.getAttribute("aria-label"), "Version 2 of 2");
  await versions.getByRole("button", { name: "Previous version" }).click();
  await page.getByRole("group", { name: "Version 1 of 2" }).waitFor();
  await close(page);
});

test("a question is edited, and the earlier wording stays with its answer", async () => {
  const page = await open(browser, host);
  await ask(page, "What is 10 + 10?");
  await answered(page);
  const first = await lastAnswer(page).getByTestId("answer").textContent();
  await at(page, "edit").click();
  await at(page, "edit-input").fill("What is 20 + 20?");
  await at(page, "edit-save").click();
  await page.getByRole("group", { name: "Version 2 of 2" }).waitFor();
  await answered(page);
  assert.equal(await answers(page).count(), 1);
  assert.match(await at(page, "student-turn").textContent(), /20 \+ 20/);
  await at(page, "student-turn").getByRole("button", { name: "Previous version" }).click();
  await page.getByRole("group", { name: "Version 1 of 2" }).waitFor();
  await answered(page);
  assert.match(await at(page, "student-turn").textContent(), /10 \+ 10/);
  assert.equal(await lastAnswer(page).getByTestId("answer").textContent(), first);
  await close(page);
});

test("Shift+Enter breaks the line, Enter sends, and nothing empty is sent", async () => {
  const page = await open(browser, host);
  const field = at(page, "composer-input");
  await field.press("Enter");
  assert.equal(await answers(page).count(), 0);
  await field.pressSequentially("one");
  await field.press("Shift+Enter");
  await field.pressSequentially("two");
  assert.equal(await field.inputValue(), "one\ntwo");
  await field.press("Enter");
  await answered(page);
  assert.equal(await at(page, "student-turn").locator("p").first().textContent(), "one\ntwo");
  await close(page);
});

test("one may write while the tutor answers, and the text stays", async () => {
  const page = await open(browser, host);
  await ask(page, "Tell me the 9 times table.");
  await at(page, "composer-input").fill("and then?");
  await answered(page);
  assert.equal(await at(page, "composer-input").inputValue(), "and then?");
  assert.equal(await answers(page).count(), 1);
  await close(page);
});
