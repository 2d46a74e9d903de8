/** As much of the WebDriver protocol as the window's tests need. */

/** Keys by the names of the W3C specification. */
export const KEY = { enter: "\uE007", tab: "\uE004", escape: "\uE00C", shift: "\uE008" };

const ELEMENT = "element-6066-11e4-a52e-4f735466cecf";

export class WebDriver {
  /** Opens a session: tauri-driver at `url` starts `application`. */
  static async open(url, application) {
    const alwaysMatch = { "tauri:options": { application } };
    const { sessionId } = await request("POST", `${url}/session`, { capabilities: { alwaysMatch } });
    return new WebDriver(`${url}/session/${sessionId}`);
  }

  constructor(session) {
    this.session = session;
  }

  /** Ends the session; the driver ends the application. */
  close() {
    return request("DELETE", this.session);
  }

  /** Runs the body of a function in the page and gives what it returns. */
  run(body, ...args) {
    return this.#post("execute/sync", { script: body, args });
  }

  async click(selector) {
    await this.#post(`element/${await this.#find(selector)}/click`, {});
  }

  /** Types into the element, key by key. */
  async type(selector, text) {
    await this.#post(`element/${await this.#find(selector)}/value`, { text });
  }

  /** The page as a PNG. */
  async screenshot() {
    return Buffer.from(await request("GET", `${this.session}/screenshot`), "base64");
  }

  /** Sets the window's size in pixels. */
  resize(width, height) {
    return this.#post("window/rect", { width, height });
  }

  async #find(selector) {
    const found = await this.#post("element", { using: "css selector", value: selector });
    return found[ELEMENT];
  }

  #post(path, body) {
    return request("POST", `${this.session}/${path}`, body);
  }
}

async function request(method, url, body) {
  const response = await fetch(url, {
    method,
    headers: { "content-type": "application/json" },
    body: body === undefined ? undefined : JSON.stringify(body),
    signal: AbortSignal.timeout(60_000),
  });
  const text = await response.text();
  let value;
  try {
    ({ value } = JSON.parse(text));
  } catch {
    throw new Error(`${method} ${url}: ${response.status} ${text}`);
  }
  if (!response.ok) throw new Error(`${value.error}: ${value.message}`);
  return value;
}
