/** Aula's real window on a screen of its own, driven through tauri-driver and WebKit's driver. */
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { end, freePort, start, startScreen, withEnvironment } from "./processes.mjs";
import { PATIENCE, until } from "./wait.mjs";
import { WebDriver } from "./webdriver.mjs";

const APP = realpathSync(setting("AULA_E2E_APP"));
const DRIVER = setting("AULA_E2E_TAURI_DRIVER");
const OUT = setting("AULA_E2E_OUT");

export function setting(name) {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set; start the tests with \`cargo xtask test\``);
  return value;
}

/** A screen, a driver and a data folder, which outlive the window that opens and closes in them. */
export class Stage {
  /** `environment` is added to what the app sees; `data` is a data folder with a past; `wrap` changes the driver's command line. */
  static async build(environment = {}, { data, wrap = ([program, ...args]) => [program, args] } = {}) {
    const stage = new Stage();
    stage.data = data ?? mkdtempSync(join(tmpdir(), "aula-window-"));
    // Whoever looks after these computers answered the first run beforehand.
    const config = join(stage.data, "answers.toml");
    mkdirSync(stage.data, { recursive: true });
    writeFileSync(config, '[setup]\nkind = "learner"\ndone = true\n');
    stage.screen = await startScreen();
    const [port, native] = [await freePort(), await freePort()];
    stage.driver = start(...wrap([DRIVER, "--port", `${port}`, "--native-port", `${native}`]), {
      env: { ...process.env, DISPLAY: stage.screen.display, AULA_DATA_DIR: stage.data, AULA_CONFIG: config, ...environment },
    });
    stage.url = `http://127.0.0.1:${port}`;
    await until("tauri-driver", async () => (await fetch(`${stage.url}/status`)).ok);
    return stage;
  }

  /** Opens the window; resolves when a question can be typed. Milliseconds since the start stand in `.usableAfter`. */
  async open() {
    const began = performance.now();
    const window = await WebDriver.open(this.url, APP);
    await composer(window);
    window.usableAfter = performance.now() - began;
    return window;
  }

  /** Opens the window; resolves when the part `testid` of a page is there. */
  async openAt(testid) {
    const window = await WebDriver.open(this.url, APP);
    await there(window, testid);
    return window;
  }

  /** The app's own processes: the window, the one that holds the model, the web view's. */
  processes() {
    return this.#descendants().filter(({ program }) => program === APP || /\/WebKit\w+Process$/.test(program));
  }

  /** Those, and the desktop's services that a window wakes (D-Bus, accessibility), which stay as on any desktop. */
  #descendants() {
    return withEnvironment("AULA_DATA_DIR", this.data).filter(({ pid }) => pid !== this.driver.pid);
  }

  /** The process that holds the model: the app's own program, started by the app. */
  worker() {
    const own = this.processes().filter(({ program }) => program === APP);
    return own.find(({ parent }) => own.some(({ pid }) => pid === parent));
  }

  /** Resolves when nothing of the app runs any more. */
  async quiet(patience = PATIENCE) {
    await until("every process of the app to end", () => this.processes().length === 0, { patience }).catch((error) => {
      throw new Error(`left behind: ${JSON.stringify(this.processes())}`, { cause: error });
    });
  }

  /** Ends everything, whatever still runs. */
  async strike() {
    await end(this.driver);
    for (const { pid } of this.#descendants()) {
      try {
        process.kill(pid, "SIGKILL");
      } catch {
        // Gone already.
      }
    }
    await this.screen.end();
    rmSync(this.data, { recursive: true, force: true });
  }
}

/** Resolves when a question can be typed. */
export function composer(window) {
  return until("the composer", () => window.run("return document.activeElement?.dataset.testid === 'composer-input'"), { every: 10 });
}

/** Resolves when the part `testid` of a page is there. */
export function there(window, testid) {
  return until(testid, () => window.run(`return document.querySelector('[data-testid="${testid}"]') !== null`));
}

/** Keeps what the window shows as `<name>.png` beside the other results. */
export async function picture(window, name) {
  mkdirSync(OUT, { recursive: true });
  writeFileSync(join(OUT, `${name}.png`), await window.screenshot());
}

/** Fails when the page did anything that its content security policy forbids. */
export async function violations(window) {
  return window.run("return window.__aulaCspViolations");
}
