/** Settings: language, colours, size, and that they last. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { at, close, Host, launch, open, setTheme } from "../lib/page.mjs";

let host, browser;
before(async () => {
  host = await Host.start({ args: ["--scripted"] });
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await host?.stop();
});

const root = (page, name) => page.evaluate((name) => document.documentElement.getAttribute(name), name);
const saved = (page) => page.waitForFunction(() => document.querySelector('[data-testid="settings-state"]')?.textContent.trim() !== "");

test("the language changes at once, everywhere, and lasts", async () => {
  const page = await open(browser, host);
  for (const [code, title] of [["es", "Lectura y accesibilidad"], ["pt", "Leitura e acessibilidade"], ["en", "Reading and accessibility"], ["es", "Lectura y accesibilidad"]]) {
    await at(page, "nav-settings").click();
    await at(page, "set-language").selectOption(code);
    await page.getByRole("heading", { level: 1, name: title }).waitFor();
    assert.equal(await root(page, "lang"), code);
  }
  await saved(page);
  await page.reload();
  await page.getByRole("heading", { level: 2, name: "¿Qué quieres entender hoy?" }).waitFor();
  await close(page);
});

test("the colours change at once and last", async () => {
  const page = await open(browser, host);
  const grounds = new Set();
  for (const theme of ["light", "dark", "contrast"]) {
    await setTheme(page, theme);
    assert.equal(await root(page, "data-theme"), theme);
    grounds.add(await page.evaluate(() => getComputedStyle(document.querySelector("main")).backgroundColor));
  }
  // The notebook and high contrast are both white.
  assert.equal(grounds.size, 2);
  await setTheme(page, "dark");
  await page.reload();
  await at(page, "composer-input").waitFor();
  await page.waitForFunction(() => document.documentElement.dataset.theme === "dark");
  await close(page);
});

test("the theme like the system's follows the system", async () => {
  const page = await open(browser, host);
  await setTheme(page, "system");
  for (const scheme of ["dark", "light"]) {
    await page.emulateMedia({ colorScheme: scheme });
    await page.waitForFunction((scheme) => document.documentElement.dataset.theme === scheme, scheme);
  }
  await close(page);
});

test("the context stays longer than the longest answer", async () => {
  const page = await open(browser, host);
  await at(page, "nav-settings").click();
  await at(page, "section-who").click();
  await at(page, "set-advanced").locator("summary").click();
  await at(page, "set-context").selectOption({ index: 0 });
  await saved(page);
  const [context, reply] = await Promise.all([at(page, "set-context").inputValue(), at(page, "set-reply").inputValue()]);
  assert.ok(Number(reply) < Number(context), `${reply} of ${context}`);
  await close(page);
});
