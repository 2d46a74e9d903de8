/** The page in Chromium in front of `web-host`. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { end, start } from "./processes.mjs";
import { PATIENCE, until } from "./wait.mjs";

function setting(name) {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set; start the tests with \`cargo xtask test\``);
  return value;
}

/** A web-host with a data folder of its own. */
export class Host {
  /** Starts it with further arguments and environment; resolves when it serves. */
  static async start({ args = [], environment = {}, data } = {}) {
    const host = new Host();
    host.data = data ?? mkdtempSync(join(tmpdir(), "aula-page-"));
    host.process = start(setting("AULA_E2E_WEB_HOST"), ["--port", "0", ...args], {
      cwd: setting("AULA_E2E_ROOT"),
      // The first language is the system's.
      env: { ...process.env, LANG: "en_US.UTF-8", AULA_DATA_DIR: host.data, ...environment },
    });
    host.url = await until("web-host to serve", () => {
      if (host.process.exitCode !== null) throw new Error(host.process.log);
      return host.process.log.match(/http:\/\/127\.0\.0\.1:\d+/)?.[0];
    });
    return host;
  }

  /** Ends it and starts it anew with the same data, as after switching the computer off. */
  async restart({ args = [] } = {}) {
    await end(this.process);
    return Host.start({ args, data: this.data });
  }

  /** Calls a command as the page does; for what a test needs to be so beforehand. */
  async command(name, args = {}) {
    const response = await fetch(`${this.url}/ipc/${name}`, {
      method: "POST",
      headers: { "content-type": "application/json", origin: this.url },
      body: JSON.stringify(args),
    });
    const text = await response.text();
    assert.ok(response.ok, `${name}: ${text}`);
    return text === "" ? null : JSON.parse(text);
  }

  /** Changes settings before a page is opened. */
  async set(changes) {
    await this.command("settings_set", { settings: { ...(await this.command("settings_get")), ...changes } });
  }

  async stop() {
    await end(this.process);
    rmSync(this.data, { recursive: true, force: true });
  }
}

/** Chromium; one for each file of tests. */
export function launch() {
  // Without its own sandbox Chromium also starts as root, where tests often run.
  return chromium.launch({ executablePath: setting("AULA_E2E_CHROMIUM"), args: ["--no-sandbox"] });
}

/**
 * Opens the page in a fresh profile and waits for the part `first`, by its test id. What the page complains about is collected in
 * `page.complaints`.
 */
export async function open(browser, host, { language = "en-US", width = 1366, height = 768, prepare, first = "composer-input", ...more } = {}) {
  const context = await browser.newContext({ locale: language, viewport: { width, height }, ...more });
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE / 2);
  page.complaints = [];
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) page.complaints.push(`${message.type()}: ${message.text()}`);
  });
  page.on("pageerror", (error) => page.complaints.push(`exception: ${error}`));
  page.on("request", (request) => {
    if (!request.url().startsWith(host.url) && !/^(data|blob):/.test(request.url())) page.complaints.push(`request to ${request.url()}`);
  });
  await prepare?.(page);
  await page.goto(host.url);
  await at(page, first).waitFor();
  return page;
}

/** Opens the page where the system's language was taken over long ago, so that the settings alone decide. */
export function openAgain(browser, host, more = {}) {
  const prepare = async (page) => {
    await page.addInitScript(() => localStorage.setItem("aula.languageChosen", "1"));
    await more.prepare?.(page);
  };
  return open(browser, host, { ...more, prepare });
}

/** Collects what each transfer on the page says of its state, also what is gone in a moment. */
export async function collectStates(page) {
  await page.evaluate(() => {
    window.states = [];
    const look = () => {
      for (const element of document.querySelectorAll('[data-testid="transfer-progress"]')) window.states.push(`${element.dataset.state}: ${element.textContent}`);
    };
    new MutationObserver(look).observe(document.body, { subtree: true, childList: true, characterData: true, attributes: true });
  });
  return () => page.evaluate(() => window.states);
}

/** Fails where the page, or its form, can be moved sideways. */
export async function assertNoSideways(page) {
  const wide = await page.evaluate(() =>
    [document.documentElement, ...document.querySelectorAll("main, nav")].filter((element) => element.scrollWidth > element.clientWidth + 1).map((element) => `${element.tagName}: ${element.scrollWidth} > ${element.clientWidth}`),
  );
  assert.deepEqual(wide, []);
}

/** Closes the page, which may not have complained or broken its content security policy. */
export async function close(page, { expected = [] } = {}) {
  const violations = await page.evaluate(() => window.__aulaCspViolations);
  const complaints = page.complaints.filter((complaint) => !expected.some((pattern) => pattern.test(complaint)));
  await page.context().close();
  assert.equal(violations, 0, "content security policy");
  assert.deepEqual(complaints, []);
}

/** The element with this test id. */
export const at = (page, name) => page.getByTestId(name);

export const answers = (page) => at(page, "tutor-turn");
export const lastAnswer = (page) => at(page, "tutor-turn").last();

/** Types a question and sends it with Enter. */
export async function ask(page, question) {
  await at(page, "composer-input").fill(question);
  await at(page, "composer-input").press("Enter");
}

/** Resolves when the last of `count` answers is no longer being written. */
export async function answered(page, count = 1) {
  await answers(page).nth(count - 1).waitFor();
  await page.waitForFunction((count) => {
    const turns = [...document.querySelectorAll('[data-testid="tutor-turn"]')];
    return turns.length >= count && turns.at(-1).dataset.phase === "done" && turns.at(-1).dataset.state !== "streaming";
  }, count);
}

/** Sets one of the choices of the settings page and goes back to the chat. */
export async function setTheme(page, theme) {
  await at(page, "nav-settings").click();
  await at(page, `set-theme-${theme}`).check({ force: true });
  await at(page, "nav-chat").click();
}

/** Keeps a picture of the page. */
export async function picture(page, name) {
  const folder = setting("AULA_E2E_OUT");
  mkdirSync(folder, { recursive: true });
  await page.screenshot({ path: join(folder, `page-${name}.png`) });
}
