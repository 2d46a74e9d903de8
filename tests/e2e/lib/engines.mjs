/**
 * Engines elsewhere that exist only for the page: every command about them is answered here, with a state that changes as
 * the program's would. No key is kept: like the program, this tells only whether there is one.
 */

export const LOCAL = { kind: "demo", model: "Demo", device: "CPU" };
export const CLOUD = { kind: "cloud", model: "gemma-4-26b-a4b-it", device: "Cloud Boost" };
export const SCHOOL = { kind: "school", model: "gemma-4-26b-a4b-it", device: "aula.colegio.local:8000" };
export const HOSTS = { cloud: "generativelanguage.googleapis.com", school: "aula.colegio.local:8000" };

/** A picture of one white pixel. */
export const PIXEL = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4//8/AAX+Av4N70a4AAAAAElFTkSuQmCC";

export const error = (code) => ({ code, message: `scripted failure ${code}`, hint: null, requestId: null });

const GROUPS = { quiz: "questions", practice: "questions", flashcards: "questions", sheet: "questions", mindMap: "drawings", illustration: "drawings", photo: "reading", handwriting: "reading", secondAnswer: "secondAnswer" };

/** The program's part of it, as far as the page sees. `given` overwrites what is so at the beginning. */
export class Engines {
  constructor({ adult = true, cloud = {}, school = {}, places = {}, steps = null } = {}) {
    this.adult = adult;
    this.state = {
      editable: adult,
      places: { questions: "device", drawings: "device", reading: "device", secondAnswer: "device", ...places },
      cloud: { on: false, key: "none", agreedAt: null, model: CLOUD.model, host: HOSTS.cloud, ...cloud },
      school: { on: false, address: "", token: "none", kind: null, models: [], model: null, vision: null, managed: false, ...school },
    };
    /** What the next test says, by engine; null: all goes well. */
    this.steps = steps;
    /** Every command that arrived, with its arguments. */
    this.calls = [];
    /** The next command of this name fails with this code. */
    this.failNext = {};
    /** What reading a picture gives, as a list of events. */
    this.reading = (creation) => [{ event: "started", badge: this.badgeOf("handwriting") }, { event: "finished", creation }];
    this.lines = ["$2x + 3 = 11$", "$2x = 8$"];
    this.unsure = false;
    this.picked = null;
    this.images = 0;
  }

  badgeOf(feature) {
    const place = this.state.places[GROUPS[feature]];
    if (feature === "chat" || place === undefined) return LOCAL;
    return { device: LOCAL, cloud: CLOUD, school: SCHOOL }[place];
  }

  /** As the router decides, as far as these tests need it. */
  feature(feature) {
    const { cloud, school, places } = this.state;
    const group = GROUPS[feature];
    const place = group === undefined ? "device" : places[group];
    const none = { feature, badge: null, reason: null, unlock: null, instead: null, hidden: false };
    const cannot = (reason, unlock) => ({ ...none, reason, unlock, instead: group === "questions" || group === "drawings" ? LOCAL : null });
    const adultDoes = (unlock) => (this.adult ? unlock : "askAnAdult");
    if (feature === "sheet" && !this.adult) return { ...none, hidden: true };
    if (place === "device") {
      if (group === "secondAnswer") return { ...none, hidden: true };
      if (group === "reading") return cannot("engine_off", adultDoes("chooseEngine"));
    } else if (place === "cloud") {
      if (!this.adult) return cannot("adult_only", "askAnAdult");
      if (!cloud.on) return cannot("engine_off", "chooseEngine");
      if (cloud.key === "none") return cannot("key_missing", "enterKey");
      if (cloud.agreedAt === null) return cannot("consent_needed", "agree");
    } else {
      if (!school.on) return cannot("engine_off", adultDoes("chooseEngine"));
      if (school.address === "") return cannot("engine_off", adultDoes("enterServer"));
      if (school.model === null) return cannot("model_not_served", adultDoes("chooseServerModel"));
      if (group === "reading" && school.vision === false) return cannot("no_vision", adultDoes("chooseServerModel"));
    }
    return { ...none, badge: this.badgeOf(feature) };
  }

  preview(badge, texts, image = null) {
    const needsConsent = badge.kind === "cloud" && this.state.cloud.agreedAt === null;
    return { badge, host: HOSTS[badge.kind] ?? null, texts, image, needsConsent };
  }

  tested(remote) {
    const names = remote === "cloud" ? ["models", "reply"] : ["models", "reply", "structure"];
    const steps = this.steps ?? names.map((step, at) => ({ step, milliseconds: [180, 412, 930][at], error: null }));
    const failed = steps.find((step) => step.error)?.error.code ?? null;
    if (remote === "school" && failed === null) {
      const models = [
        { id: "gemma-4-26b-a4b-it", contextLen: 32768 },
        { id: "gemma-4-e4b-it", contextLen: null },
      ];
      Object.assign(this.state.school, { kind: "vllm", models, model: models[0].id, vision: true });
    }
    return { steps, state: this.state, failed };
  }

  image() {
    this.images += 1;
    return { id: `image-${this.images}`, width: 640, height: 480, bytes: 48_213, preview: PIXEL };
  }

  commands = {
    features_get: () => Object.keys({ chat: 0, ...GROUPS }).map((feature) => this.feature(feature)),
    engines_get: () => this.state,
    engines_set: ({ input }) => {
      this.state.cloud.on = input.cloudOn;
      this.state.school.on = input.schoolOn;
      this.state.places = input.places;
      return this.state;
    },
    cloud_key_set: () => this.change("cloud", { key: this.keychain === false ? "session" : "keychain" }),
    cloud_key_remove: () => this.change("cloud", { key: "none", agreedAt: null }),
    cloud_agree: ({ agree }) => this.change("cloud", { agreedAt: agree ? Date.now() : null }),
    cloud_test: () => this.tested("cloud"),
    school_set: ({ input }) =>
      this.change("school", { address: input.address, token: input.token === null ? this.state.school.token : input.token === "" ? "none" : "keychain", kind: null, models: [], model: null, vision: null }),
    school_test: () => this.tested("school"),
    school_model: ({ id }) => this.change("school", { model: id }),
    tool_preview: ({ input, engine }) => {
      const badge = engine === "cloud" ? CLOUD : engine === "school" ? SCHOOL : this.badgeOf(input.tool === "reading" ? "handwriting" : input.tool);
      const task = input.tool === "reading" ? "Read what stands in the picture, line by line." : `Make a quiz of ${input.count} questions about: ${input.topic}`;
      const image = input.tool === "reading" ? { ...this.last, id: input.imageId } : null;
      return this.preview(badge, [{ role: "system", text: "You prepare material for a school." }, { role: "user", text: task }], image);
    },
    chat_second_preview: () => this.preview(this.badgeOf("secondAnswer"), [{ role: "user", text: "Why does a ship float?" }]),
    image_take: () => (this.last = this.image()),
    image_pick: () => (this.last = this.picked),
    tool_cancel: () => null,
  };

  change(remote, part) {
    Object.assign(this.state[remote], part);
    return this.state;
  }

  /** Answers the page's commands from now on. */
  async attach(page) {
    for (const name of Object.keys(this.commands)) {
      await page.route(`**/ipc/${name}`, async (route) => {
        const args = route.request().postDataJSON() ?? {};
        this.calls.push([name, args]);
        const code = this.failNext[name];
        delete this.failNext[name];
        if (code) await route.fulfill({ status: 500, contentType: "application/json", body: JSON.stringify(error(code)) });
        else await route.fulfill({ contentType: "application/json", body: JSON.stringify(this.commands[name](args)) });
      });
    }
    await page.route("**/ipc/tool_start", async (route) => {
      const { input } = route.request().postDataJSON();
      this.calls.push(["tool_start", { input }]);
      const summary = { id: "reading-1", tool: "reading", title: "", badge: this.badgeOf("handwriting"), createdAt: Date.now(), progress: null };
      const content = { tool: "reading", lines: this.lines.map((text) => ({ text })), unsure: this.unsure };
      const creation = { summary, input, content, work: { items: [], at: 0 } };
      const lines = [{ requestId: "tool-1" }, ...this.reading(creation)];
      await route.fulfill({ contentType: "application/x-ndjson", body: lines.map((line) => `${JSON.stringify(line)}\n`).join("") });
    });
    return this;
  }

  /** How often a command arrived. */
  count(name) {
    return this.calls.filter(([called]) => called === name).length;
  }
}

/** A school server that was tested and works. */
export const READY = { on: true, address: HOSTS.school, kind: "vllm", models: [{ id: SCHOOL.model, contextLen: 32768 }], model: SCHOOL.model, vision: true };

/** Opens the page with these engines. `given` as for `Engines`; the rest as for `open`. */
export async function openWith(open, browser, host, given = {}, { language, theme, ...more } = {}) {
  await host.set({ language: language ?? "en", theme: theme ?? "light" });
  const engines = new Engines(given);
  const page = await open(browser, host, {
    ...more,
    prepare: async (page) => {
      await page.addInitScript(() => localStorage.setItem("aula.languageChosen", "1"));
      await engines.attach(page);
      await more.prepare?.(page);
    },
  });
  return { page, engines };
}

/** As `openWith`, and on to Settings, who answers. */
export async function openWho(open, browser, host, given, more) {
  const { page, engines } = await openWith(open, browser, host, given, more);
  await page.getByTestId("nav-settings").click();
  await page.getByTestId("section-who").click();
  await page.getByTestId("who-now").waitFor();
  return { page, engines };
}

/** Everything that the page holds as text: elements, what is typed in fields, the address, what a browser keeps. */
export function everythingOn(page) {
  return page.evaluate(async () => {
    const fields = [...document.querySelectorAll("input, textarea, select")].map(({ value }) => value);
    const kept = [localStorage, sessionStorage].flatMap((storage) => Object.entries(storage).flat());
    const databases = (await indexedDB.databases?.())?.map(({ name }) => name) ?? [];
    return [document.documentElement.outerHTML, ...fields, location.href, JSON.stringify(history.state), document.cookie, ...kept, ...databases].join("\n");
  });
}

/** Lets the larger model write the next further answers: `script(answer, before)` gives the events. */
export async function secondWith(page, script) {
  await page.route("**/ipc/chat_second_answer", async (route) => {
    const { answerId } = route.request().postDataJSON();
    const asked = await page.locator('[data-testid="student-turn"] .mine').first().textContent();
    const message = (part) => ({ state: "complete", badge: null, tokensPerSecond: null, seconds: null, createdAt: 1, versionIds: [part.id], ...part });
    const answer = message({ id: `${answerId}-second`, speaker: "tutor", text: "", state: "streaming", versionIds: [answerId, `${answerId}-second`] });
    const question = message({ id: "question", speaker: "student", text: asked });
    const conversation = { summary: { id: "scripted-second", title: "Second", updatedAt: Date.now() }, messages: [question, answer] };
    const lines = [{ requestId: "second-1", answerId: answer.id, conversation }, ...script(answer)];
    await route.fulfill({ contentType: "application/x-ndjson", body: lines.map((line) => `${JSON.stringify(line)}\n`).join("") });
  });
}
