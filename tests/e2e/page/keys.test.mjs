/** Keys go in and never come back: the page, its address and the browser hold nothing of them. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { everythingOn, openWho } from "../lib/engines.mjs";
import { at, close, Host, launch, open } from "../lib/page.mjs";

const CANARY = "AQ.canary-7f3e91c2";
const AGREED = { key: "keychain", agreedAt: Date.UTC(2026, 0, 5) };

let host, browser;
before(async () => {
  host = await Host.start({ args: ["--scripted"] });
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await host?.stop();
});

const who = (given) => openWho(open, browser, host, given);

test("a key goes in and never comes back: not on the page, in its address, or in what the browser keeps", async () => {
  const { page, engines } = await who({ cloud: { agreedAt: AGREED.agreedAt } });
  const field = at(page, "cloud-key");
  assert.deepEqual([await field.getAttribute("type"), await field.inputValue()], ["password", ""]);
  // Without a key the button says what is missing and does nothing.
  await at(page, "cloud").getByText("The key is missing").waitFor();
  await at(page, "cloud-test").click({ force: true });
  assert.equal(engines.count("cloud_key_set"), 0);
  await field.fill(CANARY);
  await field.press("Enter");
  await at(page, "cloud-kept").waitFor();
  await at(page, "test-step").first().waitFor();
  assert.deepEqual(engines.calls.find(([name]) => name === "cloud_key_set")[1], { key: CANARY });
  assert.ok(!(await everythingOn(page)).includes(CANARY), "the key is still on the page");
  await at(page, "cloud-key-change").click();
  assert.equal(await at(page, "cloud-key").inputValue(), "");
  for (const section of ["network", "models", "who"]) await at(page, `section-${section}`).click();
  assert.ok(!(await everythingOn(page)).includes(CANARY));
  await page.reload();
  await at(page, "composer-input").waitFor();
  assert.ok(!(await everythingOn(page)).includes(CANARY));
  assert.ok(!page.complaints.join().includes(CANARY));
  await close(page);
});

test("a key that could not be kept is gone from the page too, and the failure is said", async () => {
  const { page, engines } = await who({ cloud: { agreedAt: AGREED.agreedAt } });
  engines.failNext.cloud_key_set = "io";
  await at(page, "cloud-key").fill(CANARY);
  await at(page, "cloud-test").click();
  await page.locator('[data-testid="cloud"] [data-failed="io"]').waitFor();
  assert.equal(engines.count("cloud_test"), 0);
  assert.ok(!(await everythingOn(page)).includes(CANARY));
  await close(page, { expected: [/status of 500/] });
});

test("where the key is kept is said, and it can be removed with what was agreed to", async () => {
  for (const [kept, words] of [["keychain", /in the system's keychain/], ["session", /forgotten when Aula closes/]]) {
    const { page, engines } = await who({ cloud: { ...AGREED, key: kept } });
    assert.match(await at(page, "cloud-kept").textContent(), words);
    await at(page, "cloud-key-remove").click();
    await at(page, "cloud-key").waitFor();
    assert.equal(engines.state.cloud.agreedAt, null);
    await at(page, "cloud-agreed").waitFor({ state: "detached" });
    await close(page);
  }
});
