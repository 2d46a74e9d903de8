/** The PIN: set in Settings, asked for at the next start, wrong, and waiting after too many wrong ones. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { violations } from "../lib/axe.mjs";
import { assertNoSideways, at, close, Host, launch, open, picture } from "../lib/page.mjs";

let browser;
before(async () => {
  browser = await launch();
});
after(async () => {
  await browser?.close();
});

/** A program that was started anew with a PIN. */
async function locked(t, settings = {}) {
  const before = await Host.start({ args: ["--scripted"] });
  await before.set({ language: "en", ...settings });
  await before.command("profile_set", { input: { name: "Camila", kind: "learner", pin: "2468", oldPin: null } });
  const host = await before.restart({ args: ["--scripted"] });
  t.after(() => host.stop());
  return host;
}

/** A refused PIN is an HTTP failure, which Chromium logs. */
const refused = { expected: [/status of [45]\d\d/] };

test("a PIN is set, changed and taken away in Settings", async (t) => {
  const host = await Host.start({ args: ["--scripted"] });
  t.after(() => host.stop());
  const page = await open(browser, host);
  await at(page, "nav-settings").click();
  await at(page, "section-profile").click();
  await at(page, "pin-set").click();
  await at(page, "pin-new").fill("12");
  await at(page, "pin-save").click();
  await page.getByText("Use 4 to 8 digits.").waitFor();
  await at(page, "pin-new").fill("1357");
  await at(page, "pin-save").click();
  await at(page, "profile-said").getByText("The new PIN is in force.").waitFor();
  await at(page, "pin-remove").click();
  await at(page, "pin-old").fill("9999");
  await at(page, "pin-save").click();
  await page.getByText("That is not the PIN. Try again.").waitFor();
  await at(page, "pin-old").fill("1357");
  await at(page, "pin-save").click();
  await at(page, "profile-said").getByText("I removed the PIN.").waitFor();
  assert.equal((await host.command("setup_get")).profile.hasPin, false);
  await close(page, refused);
});

test("nothing is shown before the PIN, by key or by pad", async (t) => {
  const host = await locked(t);
  const page = await open(browser, host, { first: "lock" });
  assert.equal(await at(page, "composer-input").count(), 0);
  assert.equal(await page.evaluate(() => document.activeElement.dataset.testid), "lock-pin");
  await page.keyboard.type("1111");
  await page.keyboard.press("Enter");
  await at(page, "lock-state").getByText("That is not the PIN. Try again.").waitFor();
  for (const digit of "2468") await page.getByRole("button", { name: digit, exact: true }).click();
  await at(page, "lock-enter").click();
  await at(page, "composer-input").waitFor();
  await close(page, refused);
});

test("after several wrong ones one has to wait, and reads for how long", async (t) => {
  const host = await locked(t);
  const page = await open(browser, host, { first: "lock" });
  await page.waitForFunction(() => document.activeElement?.dataset.testid === "lock-pin");
  for (let tries = 0; tries < 5; tries += 1) {
    await at(page, "lock-pin").fill("1111");
    const answered = page.waitForResponse("**/ipc/profile_unlock");
    await page.keyboard.press("Enter");
    await answered;
    await page.waitForFunction(() => document.querySelector('[data-testid="lock-pin"]').value === "");
    await at(page, "lock-state").getByText(/not the PIN|Wait/).waitFor();
  }
  await at(page, "lock-state").getByText(/Wait \d+ seconds? and try again\./).waitFor();
  assert.equal(await at(page, "lock-enter").getAttribute("aria-disabled"), "true");
  await page.reload();
  await at(page, "lock-state").getByText(/Wait \d+ seconds? and try again\./).waitFor();
  await close(page, refused);
});

for (const theme of ["light", "dark", "contrast"]) {
  test(`axe finds nothing on the lock: ${theme}`, async (t) => {
    const host = await locked(t, { theme });
    for (const language of ["es", "en", "pt"]) {
      for (const size of [{}, { width: 900, height: 600 }]) {
        // Behind the lock there are no settings: the looks are those of the last time.
        const looks = JSON.stringify({ language, theme, textSize: "s", reduceMotion: false });
        const page = await open(browser, host, { ...size, first: "lock", prepare: (page) => page.addInitScript((looks) => localStorage.setItem("aula.looks", looks), looks) });
        assert.equal(await page.evaluate(() => document.documentElement.lang), language);
        assert.deepEqual(await violations(page), []);
        await assertNoSideways(page);
        if (language === "es") await picture(page, `lock-${theme}-${size.width ?? 1366}`);
        await close(page);
      }
    }
  });
}
