/** Waiting and failing: what the page says while others are ahead, and after each kind of failure. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { answered, ask, at, close, Host, launch, lastAnswer, open, picture } from "../lib/page.mjs";
import { answerWith, BADGE, failedAnswer, wholeAnswer } from "../lib/script.mjs";

let host, browser;
before(async () => {
  host = await Host.start({ args: ["--scripted"] });
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await host?.stop();
});

test("a waiting question says how many are ahead", async () => {
  const page = await open(browser, host);
  await answerWith(page, () => [{ event: "queued", position: 2 }]);
  await ask(page, "Am I next?");
  await at(page, "waiting").getByText("2 questions are ahead of yours.").waitFor();
  assert.ok(await at(page, "stop").isVisible());
  await picture(page, "queued");
  await close(page);
});

test("reading the question shows how far it is", async () => {
  const page = await open(browser, host);
  await answerWith(page, () => [{ event: "started", badge: BADGE }, { event: "prefill", done: 256, total: 1024 }]);
  await ask(page, "A long one");
  await at(page, "waiting").getByText("Reading your question").waitFor();
  const bar = at(page, "waiting").getByRole("progressbar");
  await bar.waitFor();
  assert.equal(await bar.getAttribute("aria-valuenow"), "25");
  assert.equal(await lastAnswer(page).getByTestId("badge").first().getAttribute("data-kind"), "local");
  await close(page);
});

test("each badge has its colour and its word", async () => {
  const page = await open(browser, host);
  const colours = new Set();
  for (const [kind, word] of [["local", "Local"], ["cloud", "Cloud"], ["school", "School"], ["demo", "Demo"]]) {
    await at(page, "new-conversation").click();
    await answerWith(page, wholeAnswer("Yes.", { kind, model: "Some model", device: "CPU" }));
    await ask(page, "Who are you?");
    await answered(page);
    const badge = lastAnswer(page).getByTestId("badge").first();
    assert.equal((await badge.textContent()).trim(), word);
    colours.add(await badge.evaluate((element) => getComputedStyle(element).color));
  }
  assert.equal(colours.size, 4);
  await close(page);
});

const CODES = [
  ["out_of_memory", "There was not enough memory"],
  ["worker_crashed", "The tutor stopped and is back"],
  ["worker_hung", "The tutor was not responding and I restarted it"],
  ["model_missing", "There is no model to answer"],
  ["internal", "Something failed inside Aula"],
];

test("a failure in mid-answer keeps the text and says what happened", async () => {
  const page = await open(browser, host);
  for (const [code, title] of CODES) {
    await at(page, "new-conversation").click();
    await answerWith(page, failedAnswer(code, "So far so good"));
    await ask(page, "Will this fail?");
    await answered(page);
    const turn = lastAnswer(page);
    assert.equal(await turn.getByTestId("error-block").getAttribute("data-code"), code);
    await turn.getByRole("heading", { name: title }).waitFor();
    assert.match(await turn.getByTestId("answer").textContent(), /So far so good/);
    assert.equal(await turn.getByTestId("mark").textContent(), "incomplete");
    // The English message is there for whoever helps, behind "Details".
    assert.match(await turn.getByTestId("error-block").locator("details").textContent(), new RegExp(`scripted failure ${code}`));
  }
  await picture(page, "failure");
  await close(page);
});

test("a question that is refused stays and can be put again", async () => {
  const page = await open(browser, host);
  const error = { code: "queue_full", message: "8 requests are waiting", hint: null, requestId: null };
  await page.route("**/ipc/chat_ask", (route) => route.fulfill({ status: 503, contentType: "application/json", body: JSON.stringify(error) }));
  await ask(page, "Is there room?");
  await at(page, "refusal").getByRole("heading", { name: "Too many questions are waiting" }).waitFor();
  assert.match(await at(page, "student-turn").last().textContent(), /Is there room\?/);
  await page.unroute("**/ipc/chat_ask");
  await answerWith(page, wholeAnswer("There is."));
  await at(page, "retry").click();
  await answered(page);
  assert.match(await lastAnswer(page).getByTestId("answer").textContent(), /There is\./);
  await close(page, { expected: [/status of 503/] });
});

test("a server that is gone is a failure in words, not a silence", async () => {
  const page = await open(browser, host);
  await page.route("**/ipc/chat_ask", (route) => route.abort("connectionrefused"));
  await ask(page, "Anybody there?");
  await at(page, "refusal").getByTestId("error-block").waitFor();
  await close(page, { expected: [/ERR_CONNECTION_REFUSED/] });
});

test("a queue that moves and an engine that stops, through the whole program", async () => {
  const scripted = await Host.start({ args: ["--scripted"] });
  try {
    const page = await open(browser, scripted);
    await ask(page, "A queue first");
    for (const words of ["2 questions are ahead of yours.", "1 question is ahead of yours.", "Yours is next."]) {
      await at(page, "waiting").getByText(words).waitFor();
    }
    await answered(page);
    assert.equal(await lastAnswer(page).getAttribute("data-state"), "complete");

    await ask(page, "Now a crash");
    await answered(page, 2);
    assert.equal(await lastAnswer(page).getByTestId("error-block").getAttribute("data-code"), "worker_crashed");
    assert.match(await lastAnswer(page).getByTestId("answer").textContent(), /word 4/);
    await lastAnswer(page).getByTestId("retry").click();
    await page.getByRole("group", { name: "Version 2 of 2" }).waitFor();
    await answered(page, 2);
    await close(page);
  } finally {
    await scripted.stop();
  }
});
