/** Settings: who answers, which models are here, how they come and go, and the record of connections. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { at, close, collectStates, Host, launch, open, picture } from "../lib/page.mjs";
import { until } from "../lib/wait.mjs";

let browser;
before(async () => {
  browser = await launch();
});
after(async () => {
  await browser?.close();
});

async function started(t, transfers = "smooth", more = []) {
  const host = await Host.start({ args: ["--scripted", "--step-ms", "40", "--transfers", transfers, ...more] });
  t.after(() => host.stop());
  const page = await open(browser, host);
  return { host, page };
}

async function show(page, section) {
  await at(page, "nav-settings").click();
  await at(page, `section-${section}`).click();
  await page.locator(`[data-testid="settings"][data-section="${section}"]`).waitFor();
}

const transfer = (page, state) => page.locator(`[data-testid="transfer"][data-state="${state}"]`);
const installed = (page, name) => at(page, "installed-model").filter({ hasText: name });

test("a model is copied from a stick, answers, and is deleted after a question", async (t) => {
  const { page } = await started(t);
  await show(page, "models");
  await at(page, "model-copy").first().click();
  await transfer(page, "done").waitFor();
  await installed(page, "E2B").waitFor();
  await show(page, "who");
  await at(page, "who-speed").getByText(/words a second with the small model/).waitFor();
  assert.match(await at(page, "who-now").textContent(), /e2b/i);
  await show(page, "models");
  await at(page, "model-remove").click();
  await page.getByRole("dialog").getByRole("button", { name: "Cancel" }).click();
  assert.equal(await installed(page, "E2B").count(), 1);
  await at(page, "model-remove").click();
  await at(page, "remove-yes").click();
  await installed(page, "E2B").waitFor({ state: "detached" });
  await close(page);
});

test("a download is seen everywhere, can be paused, goes on, and is given up", async (t) => {
  const { page } = await started(t, "still");
  await show(page, "models");
  assert.match(await at(page, "offer").first().textContent(), /GB.*by google.*Published checksum/s);
  await at(page, "offer-download").first().click();
  await transfer(page, "running").waitFor();
  await at(page, "nav-chat").click();
  await at(page, "rail-transfer").click();
  await at(page, "transfer-pause").click();
  await transfer(page, "paused").waitFor();
  assert.equal(await at(page, "rail-transfer").count(), 0);
  await at(page, "transfer-resume").click();
  await transfer(page, "running").waitFor();
  await at(page, "transfer-cancel").click();
  await at(page, "transfers").waitFor({ state: "detached" });
  await show(page, "network");
  await at(page, "connection").filter({ hasText: "huggingface.co" }).waitFor();
  assert.match(await at(page, "set-connections").textContent(), /^1 connection since/);
  await close(page);
});

test("waiting for the network is said", async (t) => {
  const { page } = await started(t, "waits");
  await show(page, "models");
  const states = await collectStates(page);
  await at(page, "offer-download").first().click();
  await transfer(page, "done").waitFor();
  const waiting = (await states()).filter((state) => state.startsWith("waiting"));
  assert.ok(waiting.length > 0, "nothing waited");
  for (const state of waiting) assert.match(state, /Waiting for the network; I'll go on from there\./);
  await close(page);
});

test("a failed transfer says why and is tried again", async (t) => {
  const { page } = await started(t, "fails");
  await show(page, "models");
  await at(page, "model-copy").first().click();
  await transfer(page, "failed").getByRole("heading", { name: "The copy differs from the original" }).waitFor();
  await picture(page, "models-failed");
  await at(page, "retry").click();
  await transfer(page, "done").waitFor();
  await at(page, "transfer-cancel").click();
  await at(page, "transfers").waitFor({ state: "detached" });
  await close(page);
});

test("a model is copied to another disk", async (t) => {
  const { host, page } = await started(t, "smooth", ["--pick-folder", "."]);
  await host.command("transfer_import", { sourceId: "stick", modelId: "e2b" });
  await show(page, "models");
  await transfer(page, "done").waitFor();
  await at(page, "model-export").first().click();
  await until("the copy", async () => (await transfer(page, "done").count()) === 2);
  await transfer(page, "done").filter({ hasText: "Copy to another disk" }).waitFor();
  await close(page);
});

test("rest and the limit of downloads are kept", async (t) => {
  const { host, page } = await started(t);
  await show(page, "models");
  await at(page, "set-rest").selectOption("0");
  await at(page, "set-limit").selectOption("500");
  await until("both to be saved", async () => {
    const settings = await host.command("settings_get");
    return settings.idleUnloadMinutes === 0 && settings.downloadLimitKb === 500;
  });
  await close(page);
});

test("sparing the battery is on, keeping conversations is not, and both are kept when they change", async (t) => {
  const { host, page } = await started(t);
  await show(page, "models");
  const [battery, keep] = ["set-battery", "set-keep"].map((name) => at(page, name));
  assert.deepEqual([await battery.isChecked(), await keep.isChecked()], [true, false]);
  await at(page, "set-limit").scrollIntoViewIfNeeded();
  await picture(page, "models-battery-keep");
  await battery.click();
  await keep.click();
  await until("both to be saved", async () => {
    const settings = await host.command("settings_get");
    return !settings.batterySaver && settings.keepReady;
  });
  await page.reload();
  await show(page, "models");
  assert.deepEqual([await battery.isChecked(), await keep.isChecked()], [false, true]);
  await close(page);
});

test("a model of one's own choice, and back to Aula's", async (t) => {
  const { host, page } = await started(t);
  await host.command("transfer_import", { sourceId: "stick", modelId: "e2b" });
  await show(page, "models");
  await installed(page, "E2B").waitFor();
  await show(page, "who");
  const chosen = () => host.command("settings_get").then(({ modelId }) => modelId);
  await at(page, "model-row").filter({ hasText: "E2B" }).getByRole("radio").check();
  await until("the choice", async () => (await chosen()) === "e2b");
  await at(page, "who-now").getByText("You chose it.").waitFor();
  await at(page, "model-auto").check();
  await until("Aula's choice", async () => (await chosen()) === null);
  await close(page);
});
