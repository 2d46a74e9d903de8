/** Another answer in the chat by a larger model: its button, what is sent, the new version, the dividing line, failures. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { violations } from "../lib/axe.mjs";
import { CLOUD, error, HOSTS, openWith, READY, SCHOOL, secondWith } from "../lib/engines.mjs";
import { answered, ask, at, close, Host, lastAnswer, launch, open, picture } from "../lib/page.mjs";
import { answerWith, wholeAnswer } from "../lib/script.mjs";

const AT_SCHOOL = { adult: false, school: READY, places: { secondAnswer: "school" } };
const TEXT = "The hull is full of air, so the whole ship is **less dense** than water.";

let host, browser;
before(async () => {
  host = await Host.start({ args: ["--scripted"] });
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await host?.stop();
});

/** A conversation with one answer of this computer's. */
async function conversation(given = AT_SCHOOL, more) {
  const { page, engines } = await openWith(open, browser, host, given, more);
  await answerWith(page, wholeAnswer("Iron sinks, a ship floats."));
  await ask(page, "Why does a ship float?");
  await answered(page);
  return { page, engines };
}

const wholeSecond = (badge, text = TEXT) => (answer) => [
  { event: "started", badge },
  { event: "token", text },
  { event: "finished", message: { ...answer, text, badge, state: "complete", tokensPerSecond: 42, seconds: 3.2 } },
];

test("it is not there where nobody chose an engine for it", async () => {
  const { page } = await conversation({});
  await at(page, "foot").waitFor();
  assert.equal(await at(page, "second").count(), 0);
  await close(page);
});

test("another answer is a new version under its own badge, behind a line with one sentence", async () => {
  const { page } = await conversation();
  assert.equal(await at(page, "engine-change").count(), 0);
  assert.equal(await at(page, "second").getByTestId("badge").getAttribute("data-kind"), "school");
  await secondWith(page, wholeSecond(SCHOOL));
  await at(page, "second").click();
  await lastAnswer(page).getByText("less dense").waitFor();
  assert.equal(await lastAnswer(page).getByTestId("badge").first().getAttribute("data-kind"), "school");
  assert.match(await lastAnswer(page).getByTestId("facts").textContent(), /gemma-4-26b-a4b-it · 42 tok\/s · 3\.2 s/);
  assert.equal(await lastAnswer(page).getByTestId("versions").textContent().then((text) => text.trim()), "2/2");
  await at(page, "engine-change").getByText("This answer is by the school server, because you asked for it.").waitFor();
  await picture(page, "second");
  await close(page);
});

test("who was asked is said before the first word", async () => {
  const { page } = await conversation();
  await secondWith(page, () => []);
  await at(page, "second").click();
  await at(page, "waiting").waitFor();
  assert.equal(await lastAnswer(page).getByTestId("badge").first().getAttribute("data-kind"), "school");
  await close(page);
});

test("what would be sent is one press away and sends nothing", async () => {
  const { page, engines } = await conversation();
  let asked = 0;
  await secondWith(page, () => (asked++, []));
  await at(page, "second-sent").click();
  await at(page, "sent").waitFor();
  assert.equal(await at(page, "sent").getAttribute("data-host"), HOSTS.school);
  await at(page, "sent-text").getByText("Why does a ship float?").waitFor();
  assert.deepEqual([engines.count("chat_second_preview"), asked], [1, 0]);
  await close(page);
});

test("a wait is counted down", async () => {
  const { page } = await conversation();
  await secondWith(page, () => [{ event: "waiting", seconds: 60, reason: "quota" }]);
  await at(page, "second").click();
  await at(page, "countdown").getByText(/The allowance is used up for now\. Going on in (60|5\d) seconds\./).waitFor();
  await at(page, "countdown").getByText(/in 5\d seconds/).waitFor();
  await at(page, "stop").waitFor();
  await close(page);
});

test("a failure keeps what came, says so, and offers this computer and another try", async () => {
  const { page } = await conversation();
  await secondWith(page, (answer) => [
    { event: "started", badge: SCHOOL },
    { event: "token", text: "The hull is " },
    { event: "failed", error: error("server_silent"), message: { ...answer, text: "The hull is", badge: SCHOOL, state: "interrupted" } },
  ]);
  await at(page, "second").click();
  await lastAnswer(page).locator('[data-testid="error-block"][data-code="server_silent"]').waitFor();
  assert.equal((await lastAnswer(page).getByTestId("answer").textContent()).trim(), "The hull is");
  await lastAnswer(page).getByText("The answer before is still here").waitFor();
  assert.equal(await at(page, "answer-here").getByTestId("badge").getAttribute("data-kind"), "demo");
  await secondWith(page, wholeSecond(SCHOOL));
  await lastAnswer(page).getByTestId("retry").click();
  await lastAnswer(page).getByText("less dense").waitFor();
  await close(page);
});

test("this computer answers instead only where the person says so", async () => {
  const { page } = await conversation();
  await secondWith(page, (answer) => [{ event: "failed", error: error("server_busy"), message: { ...answer, state: "interrupted" } }]);
  let again = 0;
  await page.route("**/ipc/chat_regenerate", (route) => {
    again++;
    return route.fulfill({ contentType: "application/x-ndjson", body: `${JSON.stringify(error("queue_full"))}\n` });
  });
  await at(page, "second").click();
  await at(page, "answer-here").waitFor();
  assert.equal(again, 0);
  await at(page, "answer-here").click();
  await page.locator('[data-testid="error-block"][data-code="queue_full"]').waitFor();
  assert.equal(again, 1);
  await close(page);
});

test("a request that is refused brings the answer back and says why", async () => {
  const { page } = await conversation();
  await page.route("**/ipc/chat_second_answer", (route) => route.fulfill({ status: 500, contentType: "application/json", body: JSON.stringify(error("engine_off")) }));
  await at(page, "second").click();
  await at(page, "refusal").locator('[data-code="engine_off"]').waitFor();
  await lastAnswer(page).getByText("Iron sinks").waitFor();
  await close(page, { expected: [/status of 500/] });
});

test("without the permission it explains itself and sends nothing", async () => {
  const { page, engines } = await conversation({ places: { secondAnswer: "cloud" }, cloud: { on: true, key: "keychain" } });
  await secondWith(page, wholeSecond(CLOUD));
  assert.equal(await at(page, "second").getByTestId("badge").count(), 0);
  await at(page, "second").click();
  await at(page, "unlock").click();
  await at(page, "consent-read").check();
  await at(page, "consent-agree").click();
  await at(page, "second").getByTestId("badge").waitFor();
  assert.equal(engines.count("cloud_agree"), 1);
  await at(page, "second").click();
  await lastAnswer(page).getByText("less dense").waitFor();
  assert.equal(await lastAnswer(page).getByTestId("badge").first().getAttribute("data-kind"), "cloud");
  await close(page);
});

for (const language of ["es", "en", "pt"]) {
  test(`axe finds nothing: ${language}`, async (t) => {
    for (const theme of ["light", "dark", "contrast"]) {
      await t.test(theme, async () => {
        const { page } = await conversation(AT_SCHOOL, { language, theme });
        await secondWith(page, wholeSecond(SCHOOL));
        await at(page, "second").click();
        await at(page, "engine-change").waitFor();
        await at(page, "second").waitFor();
        assert.deepEqual(await violations(page), []);
        if (language === "es") await picture(page, `second-${theme}`);
        await at(page, "second-sent").click();
        await at(page, "sent").waitFor();
        assert.deepEqual(await violations(page), []);
        await close(page);
      });
    }
  });
}
