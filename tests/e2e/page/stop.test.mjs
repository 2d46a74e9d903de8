/** Stopping and leaving an answer that would go on for long, written by web-host's scripted engine. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { answered, ask, at, close, Host, lastAnswer, launch, open } from "../lib/page.mjs";

let host, browser;
before(async () => {
  host = await Host.start({ args: ["--scripted"] });
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await host?.stop();
});

test("an answer that is stopped keeps what was written", async () => {
  const page = await open(browser, host);
  await ask(page, "An endless one");
  await at(page, "answer").waitFor();
  await at(page, "stop").click();
  await answered(page);
  assert.equal(await lastAnswer(page).getAttribute("data-state"), "stopped");
  const text = await lastAnswer(page).getByTestId("answer").textContent();
  assert.notEqual(text.trim(), "");
  await page.reload();
  await at(page, "conversation-row").first().getByRole("button").first().click();
  await answered(page);
  assert.equal(await lastAnswer(page).getAttribute("data-state"), "stopped");
  await close(page);
});

test("leaving a conversation stops its answer, and the next question is answered at once", async () => {
  const page = await open(browser, host);
  await ask(page, "First endless one");
  await at(page, "answer").waitFor();
  await at(page, "new-conversation").click();
  await ask(page, "Second endless one");
  await at(page, "answer").waitFor();
  await at(page, "stop").click();
  await answered(page);
  await at(page, "conversation-row").filter({ hasText: "First endless one" }).getByRole("button").first().click();
  await answered(page);
  assert.equal(await lastAnswer(page).getAttribute("data-state"), "stopped");
  await close(page);
});

test("a reload in mid-answer stops it and keeps what was written", async () => {
  const page = await open(browser, host);
  await ask(page, "Third endless one");
  await at(page, "answer").waitFor();
  await page.reload();
  await at(page, "conversation-row").filter({ hasText: "Third endless one" }).getByRole("button").first().click();
  await page.getByTestId("tutor-turn").waitFor();
  await answered(page);
  assert.notEqual((await lastAnswer(page).getByTestId("answer").textContent()).trim(), "");
  await close(page);
});
