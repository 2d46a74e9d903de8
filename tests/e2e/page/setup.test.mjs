/** The first run: three screens, three ways, cut off and reloaded, without a mouse, and as axe sees it. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { violations } from "../lib/axe.mjs";
import { answered, ask, assertNoSideways, at, close, collectStates, Host, lastAnswer, launch, open, openAgain, picture } from "../lib/page.mjs";
import { until } from "../lib/wait.mjs";

let browser;
before(async () => {
  browser = await launch();
});
after(async () => {
  await browser?.close();
});

/** A program that nobody has set up, with the given script of transfers; it ends with the test. */
async function fresh(t, transfers = "smooth", more = []) {
  const host = await Host.start({ args: ["--scripted", "--first-run", "--step-ms", "40", "--transfers", transfers, ...more] });
  t.after(() => host.stop());
  return host;
}

const first = { first: "setup-who" };
const way = (page, state) => page.locator(`[data-testid="setup-way"][data-way="${state}"]`).waitFor();

async function toSource(page, name = "Camila") {
  await at(page, "setup-name").fill(name);
  await at(page, "setup-next").click();
  await at(page, "setup-source").waitFor();
}

async function fromStick(page) {
  await at(page, "setup-hint-stick").getByText("AULA").waitFor();
  await at(page, "setup-go").click();
  await at(page, "setup-way").waitFor();
}

test("from a stick: found, copied, checked, tried, and then the chat", async (t) => {
  const host = await fresh(t);
  const page = await open(browser, host, first);
  await toSource(page);
  assert.match(await at(page, "setup-hint-stick").textContent(), /.+/);
  await fromStick(page);
  await way(page, "ready");
  assert.equal(await at(page, "setup-way-title").textContent(), "All set, Camila");
  assert.match(await at(page, "setup-speed").textContent(), /This computer writes about \d+ words a second with the small model\./);
  await at(page, "setup-numbers").locator("summary").click();
  assert.match(await at(page, "choice-numbers").textContent(), /tok\/s/);
  assert.match(await at(page, "setup-connections").textContent(), /^0 connections/);
  await at(page, "setup-start").click();
  await ask(page, "Hello");
  await answered(page);
  assert.equal(await lastAnswer(page).getByTestId("badge").first().getAttribute("data-kind"), "local");
  // The first run is over for good.
  await page.reload();
  await at(page, "composer-input").waitFor();
  await close(page);
});

test("from the internet: the cost is said before, another size can be chosen, the connection is counted", async (t) => {
  const host = await fresh(t);
  const page = await open(browser, host, first);
  await toSource(page, "");
  await at(page, "setup-from-net").check({ force: true });
  const action = at(page, "setup-go");
  assert.match(await action.textContent(), /Download 3\.[34] GB/);
  await at(page, "other-sizes").locator("summary").click();
  await at(page, "offer-e4b").check();
  assert.match(await action.textContent(), /Download 5\.[12] GB/);
  await at(page, "offer-e2b").check();
  await action.click();
  await way(page, "ready");
  assert.equal(await at(page, "setup-way-title").textContent(), "All set");
  assert.match(await at(page, "setup-connections").textContent(), /^1 connection so far/);
  await close(page);
});

test("the demo leads straight to the chat", async (t) => {
  const host = await fresh(t, "nothing");
  const page = await open(browser, host, first);
  await toSource(page);
  // Where there is nothing to download, the way is not offered; without a stick there is nothing to copy.
  assert.equal(await at(page, "setup-from-net").count(), 0);
  assert.equal(await at(page, "setup-go").getAttribute("aria-disabled"), "true");
  await at(page, "setup-from-demo").check({ force: true });
  await at(page, "setup-go").click();
  await at(page, "composer-input").waitFor();
  assert.equal((await host.command("setup_get")).done, true);
  await close(page);
});

test("the language changes at once, and a PIN of three digits is not taken", async (t) => {
  const host = await fresh(t);
  const page = await open(browser, host, first);
  await at(page, "set-language-pt").check({ force: true });
  await page.getByRole("heading", { level: 1, name: "Olá. Quem vai usar a Aula?" }).waitFor();
  assert.equal(await page.evaluate(() => document.documentElement.lang), "pt");
  await at(page, "setup-kind-adult").check({ force: true });
  await at(page, "setup-pin").fill("12a3");
  assert.equal(await at(page, "setup-pin").inputValue(), "123");
  await at(page, "setup-next").click();
  await page.getByText("Use de 4 a 8 números.").waitFor();
  await at(page, "setup-pin").fill("1234");
  await at(page, "setup-next").click();
  await at(page, "setup-source").waitFor();
  const { profile } = await host.command("setup_get");
  assert.deepEqual([profile.kind, profile.hasPin], ["adult", true]);
  await close(page);
});

test("a reload in the middle comes back to the right screen", async (t) => {
  const host = await fresh(t, "still");
  const page = await open(browser, host, first);
  await toSource(page);
  await page.reload();
  await at(page, "setup-source").waitFor();
  await fromStick(page);
  await way(page, "moving");
  await page.reload();
  await way(page, "moving");
  await at(page, "transfer-pause").click();
  await way(page, "paused");
  // What was put aside is offered before anything else.
  await page.reload();
  await at(page, "setup-source").waitFor();
  await at(page, "setup-from-resume").waitFor();
  assert.ok(await at(page, "setup-from-resume").isChecked());
  await at(page, "setup-go").click();
  await way(page, "moving");
  await at(page, "transfer-cancel").click();
  await at(page, "setup-source").waitFor();
  assert.equal(await at(page, "setup-from-resume").count(), 0);
  await close(page);
});

test("one may begin with the demo while the model arrives, and sees it in the rail", async (t) => {
  const host = await fresh(t, "still");
  const page = await open(browser, host, first);
  await toSource(page);
  await fromStick(page);
  await way(page, "moving");
  await at(page, "setup-start").click();
  await at(page, "composer-input").waitFor();
  await at(page, "rail-transfer").waitFor();
  assert.match(await at(page, "rail-transfer").textContent(), /\d+\s?%/);
  await at(page, "rail-transfer").click();
  await at(page, "transfer").waitFor();
  await close(page);
});

test("a stick that is pulled out is asked for, and the copy goes on by itself", async (t) => {
  const host = await fresh(t, "waits");
  const page = await open(browser, host, first);
  await toSource(page);
  const states = await collectStates(page);
  await fromStick(page);
  await way(page, "ready");
  const waiting = (await states()).filter((state) => state.startsWith("waiting"));
  assert.ok(waiting.length > 0, "nothing waited");
  for (const state of waiting) assert.match(state, /Plug the drive in again; I'll go on from there\./);
  await close(page);
});

test("a copy that fails says why and can be tried again", async (t) => {
  const host = await fresh(t, "disk-full");
  const page = await open(browser, host, first);
  await toSource(page);
  await fromStick(page);
  await way(page, "failed");
  await page.getByRole("heading", { name: "The disk is full" }).waitFor();
  await picture(page, "setup-failed");
  await page.reload();
  await way(page, "failed");
  await at(page, "retry").click();
  await way(page, "ready");
  await close(page);
});

test("a folder that is picked is looked into, and a damaged file cannot be chosen", async (t) => {
  const host = await fresh(t, "smooth", ["--pick-folder", "."]);
  const page = await open(browser, host, first);
  await toSource(page);
  await at(page, "found-model").first().waitFor();
  const before = await at(page, "found-model").count();
  const off = await page.locator('[data-testid="found-model"] input:disabled').count();
  assert.ok(off >= 1, "the damaged file can be chosen");
  await page.getByText(/It needs .+ of memory and there is .+\./).first().waitFor();
  await at(page, "pick-folder").click();
  await until("what was picked", async () => (await at(page, "found-model").count()) > before);
  await close(page);
});

test("everything by keyboard", async (t) => {
  const host = await fresh(t);
  const page = await open(browser, host, first);
  const focused = () => page.evaluate(() => document.activeElement.dataset.testid ?? document.activeElement.tagName);
  const tabTo = async (...wanted) => {
    const seen = [];
    for (let press = 0; press < 30; press += 1) {
      await page.keyboard.press("Tab");
      const now = await focused();
      if (wanted.includes(now)) return now;
      seen.push(now);
    }
    return assert.fail(`${wanted} was not reached: ${seen.join(" → ")}`);
  };
  await tabTo("setup-kind-learner");
  await page.keyboard.press("ArrowDown");
  assert.equal(await focused(), "setup-kind-adult");
  await tabTo("setup-name");
  await page.keyboard.type("Marcela");
  await page.keyboard.press("Enter");
  await at(page, "setup-source").waitFor();
  assert.equal(await focused(), "H1");
  await at(page, "setup-hint-stick").getByText("AULA").waitFor();
  await tabTo("setup-from-stick");
  await tabTo("setup-go");
  await page.keyboard.press("Enter");
  await way(page, "ready");
  await tabTo("setup-start");
  await page.keyboard.press("Enter");
  await at(page, "composer-input").waitFor();
  const { profile } = await host.command("setup_get");
  assert.deepEqual([profile.name, profile.kind], ["Marcela", "adult"]);
  await close(page);
});

test("axe finds nothing on any screen, and nothing is wider than the smallest window", async (t) => {
  const still = await fresh(t, "still");
  const done = await fresh(t);
  await done.command("profile_set", { input: { name: "Camila", kind: "learner", pin: null, oldPin: null } });
  await done.command("transfer_import", { sourceId: "stick", modelId: "e2b" });
  for (const language of ["es", "en", "pt"]) {
    for (const theme of ["light", "dark", "contrast"]) {
      await t.test(`${language}, ${theme}`, async () => {
        for (const host of [still, done]) await host.set({ language, theme });
        for (const size of [{}, { width: 900, height: 600 }, { width: 683, height: 384 }]) {
          const page = await openAgain(browser, still, { ...first, ...size });
          const look = async (name) => {
            await page.waitForFunction(([theme, language]) => document.documentElement.dataset.theme === theme && document.documentElement.lang === language, [theme, language]);
            assert.deepEqual(await violations(page), [], name);
            await assertNoSideways(page);
            if (language === "es") await picture(page, `setup-${name}-${theme}-${size.width ?? 1366}`);
          };
          await look("who");
          await at(page, "setup-next").click();
          await at(page, "setup-hint-stick").getByText("AULA").waitFor();
          await look("source");
          await at(page, "setup-from-net").check({ force: true });
          await at(page, "other-sizes").locator("summary").click();
          await look("net");
          await at(page, "setup-from-stick").check({ force: true });
          await at(page, "setup-go").click();
          await way(page, "moving");
          await look("moving");
          await at(page, "transfer-cancel").click();
          await at(page, "setup-source").waitFor();
          await close(page);
        }
        const page = await openAgain(browser, done, { first: "setup-speed" });
        await page.waitForFunction((theme) => document.documentElement.dataset.theme === theme, theme);
        assert.deepEqual(await violations(page), []);
        if (language === "es") await picture(page, `setup-ready-${theme}`);
        await close(page);
      });
    }
  }
});
