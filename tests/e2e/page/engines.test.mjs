/** Settings, who answers: the three engines, the key, the permission, tests, and what each does. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { violations } from "../lib/axe.mjs";
import { CLOUD, error, everythingOn, HOSTS, openWho, openWith, READY, SCHOOL } from "../lib/engines.mjs";
import { answered, ask, at, close, Host, lastAnswer, launch, open, picture } from "../lib/page.mjs";
import { answerWith, wholeAnswer } from "../lib/script.mjs";
import { until } from "../lib/wait.mjs";

const CANARY = "AQ.canary-7f3e91c2";
const AGREED = { key: "keychain", agreedAt: Date.UTC(2026, 0, 5) };

let host, browser;
before(async () => {
  host = await Host.start({ args: ["--scripted", "--models", "e2b"] });
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await host?.stop();
});

const who = (given, more) => openWho(open, browser, host, given, more);

/** Fails where the section can be moved sideways, or something in it is cut off at the right. */
async function assertStays(page) {
  const wide = await page.evaluate(() => {
    const main = document.querySelector("main");
    const edge = main.getBoundingClientRect().right;
    const over = [...main.querySelectorAll("*")].filter((element) => element.getBoundingClientRect().right > edge + 1 && getComputedStyle(element).visibility !== "hidden");
    return [document.documentElement, main].filter(({ scrollWidth, clientWidth }) => scrollWidth > clientWidth + 1).concat(over).map(({ tagName, className }) => `${tagName} ${className}`);
  });
  assert.deepEqual(wide, []);
}

/** How often anything was asked of Cloud Boost or changed about it. */
const touched = (engines) => ["cloud_agree", "cloud_test", "engines_set"].map((name) => engines.count(name));

test("a learner sees who answers, and neither switches nor Cloud Boost", async () => {
  const { page } = await who({ adult: false, school: READY, places: { questions: "school" } });
  await at(page, "elsewhere").getByText("Quiz, practice, cards").waitFor();
  assert.deepEqual(await at(page, "elsewhere").getByTestId("badge").evaluateAll((found) => found.map(({ dataset }) => dataset.kind)), ["school"]);
  for (const name of ["engines", "cloud", "school", "cloud-key", "school-address", "places"]) assert.equal(await at(page, name).count(), 0, name);
  assert.equal(await page.getByRole("switch").count(), 0);
  assert.doesNotMatch(await at(page, "settings").textContent(), /Cloud Boost|Gemini/);
  await at(page, "model-auto").waitFor();
  await close(page);
});

test("nothing elsewhere: the learner reads that this computer does everything", async () => {
  const { page } = await who({ adult: false });
  await at(page, "elsewhere").getByText("This computer does everything.").waitFor();
  await close(page);
});

test("consent comes first: switching on asks, shows exactly what is sent, and only then happens", async () => {
  const { page, engines } = await who({ cloud: { key: "keychain" } });
  await at(page, "cloud-switch").click();
  const dialog = at(page, "consent");
  await dialog.waitFor();
  assert.match(await dialog.textContent(), /18 or older.*unpaid key.*European Economic Area/s);
  await dialog.getByTestId("sent").waitFor();
  assert.equal(await dialog.getByTestId("sent").getAttribute("data-host"), HOSTS.cloud);
  assert.match((await dialog.getByTestId("sent-text").allTextContents()).join(), /quiz of 3 questions about: the phases of the Moon/);
  await at(page, "consent-agree").click({ force: true });
  assert.deepEqual(touched(engines), [0, 0, 0]);
  await page.keyboard.press("Escape");
  await dialog.waitFor({ state: "detached" });
  assert.equal(await at(page, "cloud-switch").isChecked(), false);
  assert.deepEqual(touched(engines), [0, 0, 0]);

  await at(page, "cloud-switch").click();
  await at(page, "consent-read").check();
  await at(page, "consent-agree").click();
  await page.locator('[data-testid="cloud"][data-on="true"]').waitFor();
  assert.deepEqual(engines.calls.filter(([name]) => /agree|engines_set/.test(name)).map(([name]) => name), ["cloud_agree", "engines_set"]);
  await at(page, "cloud-agreed").waitFor();
  await at(page, "cloud-withdraw").click();
  await at(page, "cloud-agreed").waitFor({ state: "detached" });
  assert.deepEqual(engines.calls.findLast(([name]) => name === "cloud_agree")[1], { agree: false });
  await close(page);
});

test("a test asks for consent too, because it is a request", async () => {
  const { page, engines } = await who({ cloud: { key: "keychain" } });
  await at(page, "cloud-test").click();
  await at(page, "consent").waitFor();
  assert.equal(engines.count("cloud_test"), 0);
  await at(page, "consent-read").check();
  await at(page, "consent-agree").click();
  await at(page, "test-step").first().waitFor();
  assert.match(await at(page, "cloud").getByTestId("test-result").textContent(), /answered in 0\.4 s.*list of models 0\.2 s/s);
  await close(page);
});

test("a school server is entered, tested, and one of its models is chosen", async () => {
  const { page, engines } = await who({});
  await at(page, "school").getByText("The address is missing").waitFor();
  await at(page, "school-address").fill(HOSTS.school);
  await at(page, "school-token-ask").click();
  await at(page, "school-token").fill(CANARY);
  await at(page, "school-token").press("Enter");
  await at(page, "school-model").waitFor();
  assert.deepEqual(engines.calls.find(([name]) => name === "school_set")[1], { input: { address: HOSTS.school, token: CANARY } });
  assert.ok(!(await everythingOn(page)).includes(CANARY), "the token is still on the page");
  assert.match(await at(page, "school").getByTestId("test-result").textContent(), /answered in 0\.4 s/);
  assert.deepEqual(await at(page, "school").getByTestId("test-step").evaluateAll((steps) => steps.map(({ dataset }) => dataset.step)), ["reply", "models", "structure"]);
  assert.match(await at(page, "school-facts").textContent(), /vLLM · reads pictures/);
  assert.match(await at(page, "school-kept").textContent(), /keychain/);
  await at(page, "school-model").selectOption("gemma-4-e4b-it");
  await until("the model", () => engines.state.school.model === "gemma-4-e4b-it");
  // A second test sends the address again only where it changed.
  await at(page, "school-test").click();
  await at(page, "school").getByTestId("test-step").first().waitFor();
  assert.equal(engines.count("school_set"), 1);
  await at(page, "school-token-remove").click();
  await at(page, "school-kept").waitFor({ state: "detached" });
  assert.equal(engines.calls.findLast(([name]) => name === "school_set")[1].input.token, "");
  await close(page);
});

test("a step that fails is the last and says why", async () => {
  const { page, engines } = await who({ school: { address: HOSTS.school } });
  engines.steps = [{ step: "models", milliseconds: 60, error: null }, { step: "reply", milliseconds: 20_000, error: error("server_silent") }];
  await at(page, "school-test").click();
  await page.locator('[data-testid="school"] [data-failed="server_silent"]').waitFor();
  assert.match(await at(page, "school").getByTestId("test-result").textContent(), /list of models · 0\.1 s.*short answer · 20 s.*The server isn't answering/s);
  assert.equal(await at(page, "school").getByTestId("test-step").count(), 2);
  await close(page);
});

test("what the room's file sets is read-only", async () => {
  const { page } = await who({ school: { ...READY, managed: true } });
  await at(page, "school-managed").getByText("Set by whoever runs this room.").waitFor();
  for (const name of ["school-switch", "school-address", "school-token-ask"]) assert.equal(await at(page, name).count(), 0, name);
  assert.equal(await at(page, "school-model").isDisabled(), true);
  await at(page, "school-test").click();
  await at(page, "school").getByTestId("test-step").first().waitFor();
  await close(page);
});

test("each group of features has its engine; what is off cannot be chosen", async () => {
  const { page, engines } = await who({ school: READY });
  assert.equal(await at(page, "place-questions-cloud").count(), 0);
  await at(page, "place-reading").getByText("Not possible yet").waitFor();
  for (const group of ["questions", "reading", "secondAnswer"]) await at(page, `place-${group}-school`).check();
  await until("the choices", () => engines.count("engines_set") === 3);
  assert.deepEqual(engines.state.places, { questions: "school", drawings: "device", reading: "school", secondAnswer: "school" });
  // Choosing does not wait for anything to be sent, and nothing else changes.
  assert.deepEqual([engines.state.school.on, engines.state.cloud.on], [true, false]);
  await at(page, "school-switch").click();
  await at(page, "place-questions").getByText("Off").first().waitFor();
  assert.equal(await at(page, "place-questions-school").isChecked(), true);
  await close(page);
});

test("a server that reads no pictures cannot be chosen for them", async () => {
  const { page } = await who({ school: { ...READY, vision: false } });
  await at(page, "place-reading").getByText("Reads no pictures").waitFor();
  assert.equal(await at(page, "place-reading-school").count(), 0);
  await close(page);
});

test("an example of what is sent to the school is one press away", async () => {
  const { page } = await who({ school: READY });
  await at(page, "who-example").click();
  await at(page, "sent").waitFor();
  assert.equal(await at(page, "sent").getAttribute("data-host"), HOSTS.school);
  await page.keyboard.press("Escape");
  await at(page, "who-record").click();
  await page.locator('[data-testid="settings"][data-section="network"]').waitFor();
  await close(page);
});

test("the record of connections tells models, Cloud Boost and the school server apart", async () => {
  const { page } = await who({ school: READY });
  const hosts = ["huggingface.co", HOSTS.cloud, "aula.colegio.local", HOSTS.school];
  await page.route("**/ipc/network_get", (route) => route.fulfill({ contentType: "application/json", body: JSON.stringify({ connections: 4, open: false, hub: "huggingface.co", recent: hosts.map((host, at) => ({ at, host })) }) }));
  await at(page, "section-network").click();
  await at(page, "connection").nth(3).waitFor();
  assert.deepEqual(await at(page, "connection").locator("td:last-child").allTextContents(), ["Models", "Cloud Boost", "School server", "School server"]);
  assert.match(await at(page, "net-made").textContent(), /1 connection to Cloud Boost and 2 to the school server/);
  await close(page);
});

test("with the keyboard alone: the switch, the permission, back where one was", async () => {
  const { page, engines } = await who({ cloud: { key: "keychain" } });
  await at(page, "cloud-switch").focus();
  await page.keyboard.press("Space");
  await at(page, "consent").waitFor();
  await page.keyboard.press("Escape");
  await at(page, "consent").waitFor({ state: "detached" });
  assert.equal(await page.evaluate(() => document.activeElement?.dataset.testid), "cloud-switch");
  await page.keyboard.press("Space");
  await at(page, "consent-read").focus();
  await page.keyboard.press("Space");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await page.locator('[data-testid="cloud"][data-on="true"]').waitFor();
  assert.equal(engines.state.cloud.on, true);
  await close(page);
});

test("a badge from elsewhere opens the model and the computer that wrote it", async () => {
  for (const badge of [CLOUD, SCHOOL]) {
    const { page } = await openWith(open, browser, host, {});
    await answerWith(page, wholeAnswer("Because of the air.", badge));
    await ask(page, "Why does a ship float?");
    await answered(page);
    await lastAnswer(page).getByTestId("badge").first().click();
    assert.match(await at(page, "engine-dialog").textContent(), new RegExp(badge.model));
    assert.equal(await at(page, "engine-host").textContent(), HOSTS[badge.kind]);
    await close(page);
  }
});

for (const language of ["es", "en", "pt"]) {
  test(`axe finds nothing: ${language}`, async (t) => {
    for (const theme of ["light", "dark", "contrast"]) {
      await t.test(theme, async () => {
        const { page } = await who({ cloud: { key: "session" }, school: READY, places: { questions: "school" } }, { language, theme });
        await at(page, "school-test").click();
        await at(page, "test-step").first().waitFor();
        assert.deepEqual(await violations(page), []);
        if (language === "es") await picture(page, `engines-${theme}`);
        await at(page, "cloud-switch").click();
        await at(page, "sent").waitFor();
        assert.deepEqual(await violations(page), []);
        await close(page);
      });
    }
  });
}

test("at 900 × 600, with the largest text, and with forced colours nothing moves sideways", async () => {
  const { page } = await who({ cloud: AGREED, school: READY }, { width: 900, height: 600 });
  await assertStays(page);
  await picture(page, "engines-900x600");
  await page.evaluate(() => (document.documentElement.dataset.size = "l"));
  await assertStays(page);
  await picture(page, "engines-900x600-large");
  await page.emulateMedia({ forcedColors: "active", reducedMotion: "reduce" });
  await assertStays(page);
  await picture(page, "engines-forced");
  await close(page);
});
