/** The list of conversations: renaming, deleting with undo, searching. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { answered, ask, at, close, Host, launch, open } from "../lib/page.mjs";

let host, browser;
before(async () => {
  host = await Host.start({ args: ["--scripted"] });
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await host?.stop();
});

const row = (page, title) => at(page, "conversation-row").filter({ hasText: title });

/** Presses a button that stands beside the title while the pointer is there. */
async function press(page, title, button) {
  await row(page, title).hover();
  await row(page, title).getByTestId(button).click();
}

async function begin(page, question) {
  await at(page, "new-conversation").click();
  await ask(page, question);
  await answered(page);
  await row(page, question.slice(0, 10)).waitFor();
}

test("a conversation is renamed, and the name lasts", async () => {
  const page = await open(browser, host);
  await begin(page, "Hello tutor");
  await press(page, "Hello tutor", "rename");
  await at(page, "rename-input").fill("Greetings");
  await at(page, "rename-input").press("Enter");
  await row(page, "Greetings").waitFor();
  assert.equal(await at(page, "conversation-title").textContent(), "Greetings");
  await page.reload();
  await row(page, "Greetings").waitFor();
  // Escape gives the renaming up.
  await press(page, "Greetings", "rename");
  await at(page, "rename-input").fill("Something else");
  await at(page, "rename-input").press("Escape");
  await row(page, "Greetings").waitFor();
  await close(page);
});

test("a deleted conversation comes back by undo, and is gone without it", async () => {
  const page = await open(browser, host);
  await begin(page, "What is 3 + 4?");
  const rows = await at(page, "conversation-row").count();
  await press(page, "3 + 4", "delete");
  await at(page, "undo").click();
  await row(page, "3 + 4").getByRole("button").first().click();
  await answered(page);
  await press(page, "3 + 4", "delete");
  await at(page, "undo").waitFor();
  await page.reload();
  await at(page, "conversation-row").first().waitFor();
  assert.equal(await row(page, "3 + 4").count(), 0);
  assert.equal(await at(page, "conversation-row").count(), rows - 1);
  await close(page);
});

test("a search finds titles", async () => {
  const page = await open(browser, host);
  for (const question of ["What is 1 + 1?", "What is 2 + 2?", "What is 5 + 5?", "What is 6 + 6?", "What is 7 + 7?"]) {
    await begin(page, question);
  }
  await at(page, "conversation-search").fill("6 + 6");
  await page.waitForFunction(() => document.querySelectorAll('[data-testid="conversation-row"]').length === 1);
  assert.match(await at(page, "conversation-row").textContent(), /6 \+ 6/);
  await close(page);
});
