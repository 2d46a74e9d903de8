/**
 * Tools at work and what they made, written by the test instead of a model: the page's commands for them are taken over
 * here, with the messages that the real ones would have sent. What is kept lives as long as the `Workshop`, so a page
 * that is opened again finds it.
 */
import { readFileSync } from "node:fs";

export const LOCAL = { kind: "local", model: "Gemma 4 E2B", device: "CPU" };
export const SCHOOL = { kind: "school", model: "gemma-4-26b-a4b-it", device: "aula.school.local" };

const DRAWINGS = JSON.parse(readFileSync(new URL("./drawings.json", import.meta.url), "utf8"));
const text = (words) => ({ text: words });

/** A question whose right answer is the option at `answer`. */
export const question = (prompt, options, answer, hint = "Think of what enters the leaf.", explanation = "It comes from the air.") => ({
  prompt: text(prompt),
  options: options.map(text),
  hint: text(hint),
  explanation: text(explanation),
  answer,
});

export const QUIZ = {
  tool: "quiz",
  title: text("Photosynthesis"),
  questions: [
    question("Which gas do plants give off by day?", ["Nitrogen", "Oxygen", "Methane", "Helium"], 1, "You breathe it.", "Leaves give off **oxygen**: $6\\,O_2$ for each sugar."),
    question("A tree grows and gains 70 kilograms. Where does most of that matter come from?", ["From the water in its leaves", "From the soil, through the roots", "From the carbon dioxide of the air", "From sunlight that turns into wood"], 2, "A willow in a pot gained 74 kg in five years; the soil lost only 57 grams. **What else enters through the leaves?**", "The tree takes carbon out of the air's carbon dioxide and builds wood from it."),
    question("Where in the leaf is the chlorophyll?", ["In the chloroplasts", "In the roots", "In the air", "In the bark"], 0, "The name begins like *chlorophyll*.", "Chlorophyll lies in the chloroplasts."),
  ],
};

export const PRACTICE = {
  tool: "practice",
  title: text("Adding fractions"),
  exercises: [
    { prompt: text("Add $\\frac{3}{4} + \\frac{1}{6}$."), hint: text("Find a denominator that both share."), steps: [text("$\\frac{3}{4} = \\frac{9}{12}$ and $\\frac{1}{6} = \\frac{2}{12}$"), text("Together that is $\\frac{11}{12}$.")], answer: text("$\\frac{11}{12}$") },
    { prompt: text("Daniela drinks half a litre and then a quarter. How much is that together?"), hint: text("How many quarters is a half?"), steps: [text("A half is two quarters.")], answer: text("3/4") },
    { prompt: text("Which is larger, $\\frac{2}{3}$ or $\\frac{3}{5}$?"), hint: text("Fifteenths."), steps: [text("$\\frac{10}{15} > \\frac{9}{15}$")], answer: text("2/3") },
  ],
};

export const CARDS = {
  tool: "flashcards",
  title: text("Parts of the cell"),
  cards: [
    { front: text("What does the nucleus hold?"), back: text("The plans of the cell: its **DNA**.") },
    { front: text("Where does the cell get its energy?"), back: text("In the mitochondria.") },
    { front: text("What is $H_2O$?"), back: text("Water.") },
  ],
};

export const SHEET = {
  tool: "sheet",
  title: text("The water cycle"),
  instructions: text("Read each question calmly. There is room on the back."),
  choice: [{ prompt: text("What happens to water when it evaporates?"), options: [text("It turns into vapour"), text("It turns into ice"), text("It disappears"), text("It turns into salt")], explanation: text("Heat turns liquid water into vapour."), answer: 0 }],
  open: [{ prompt: text("Explain in your own words how a cloud is made."), lines: 4, answer: text("Vapour rises, cools, and becomes droplets.") }],
};

export const MAP = { tool: "mindMap", label: "Ciclo del agua", children: [] };
export const ILLUSTRATION = { tool: "illustration", title: text("¿Por qué flota?"), description: text(""), shapes: [], curves: [] };
export const HOSTILE_MAP = { tool: "mindMap", label: "hostile", children: [] };

const FEATURE_NAMES = ["chat", "secondAnswer", "quiz", "practice", "flashcards", "sheet", "mindMap", "illustration", "photo", "handwriting"];

export class Workshop {
  creations = new Map();
  deleted = new Map();
  /** What the page asked for: `{ command, ...arguments }`. */
  asked = [];
  /** The events of the next tool; `finish(content)` stands for its end. Replaced by the test. */
  script = (_input, { finish }) => [finish(QUIZ)];
  badge = LOCAL;
  /** States that differ from "done by `badge`", by feature. */
  features = { secondAnswer: { hidden: true, badge: null }, photo: { badge: null, reason: "engine_off", unlock: "askAnAdult" }, handwriting: { badge: null, reason: "engine_off", unlock: "askAnAdult" } };
  /** Steps that cannot be saved. */
  failWork = false;
  #count = 0;

  /** Puts something on the list as if it had been made before. */
  add(content, { title, input, work = { items: [], at: 0 }, badge = this.badge } = {}) {
    const id = `creation-${++this.#count}`;
    const name = title ?? content.title?.text ?? content.label;
    const made = { summary: { id, tool: content.tool, title: name, badge, createdAt: Date.now() + this.#count, progress: 0 }, input: input ?? { tool: content.tool, topic: name, count: 3, level: "medium", used: [], grade: 6, form: "mixed", about: { kind: "topic", topic: name } }, content, work };
    this.creations.set(id, made);
    return made;
  }

  /** Takes the commands over. */
  async serve(page) {
    const answer = (route, value) => route.fulfill({ contentType: "application/json", body: JSON.stringify(value ?? null) });
    const refuse = (route, code) => route.fulfill({ status: 400, contentType: "application/json", body: JSON.stringify({ code, message: `scripted: ${code}`, hint: null, requestId: null }) });
    const commands = {
      features_get: () => FEATURE_NAMES.map((feature) => ({ feature, badge: this.badge, reason: null, unlock: null, instead: null, hidden: false, ...this.features[feature] })),
      tool_preview: ({ input }) => ({ badge: this.badge, host: "aula.school.local", texts: [{ role: "user", text: JSON.stringify(input) }], image: null, needsConsent: false }),
      engines_get: () => ({
        editable: true,
        places: { questions: "device", drawings: "device", reading: "device", secondAnswer: "device" },
        cloud: { on: false, key: "none", agreedAt: null, model: "gemma-4-26b-a4b-it", host: "generativelanguage.googleapis.com" },
        school: { on: false, address: "", token: "none", kind: null, models: [], model: null, vision: null, managed: false },
      }),
      creation_list: () => [...this.creations.values()].map(({ summary }) => summary).reverse(),
      creation_get: ({ id }) => this.creations.get(id),
      creation_work: ({ id, work }) => {
        const made = this.creations.get(id);
        const done = work.items.filter((item) => item.done).length;
        const changed = { ...made, work, summary: { ...made.summary, progress: work.items.length === 0 ? 0 : done / work.items.length } };
        this.creations.set(id, changed);
        return changed;
      },
      creation_delete: ({ id }) => {
        this.deleted.set(id, this.creations.get(id));
        this.creations.delete(id);
      },
      creation_restore: ({ id }) => {
        this.creations.set(id, this.deleted.get(id));
        return this.creations.get(id).summary;
      },
      creation_drawing: ({ id }) => {
        const { content } = this.creations.get(id);
        return content === HOSTILE_MAP ? DRAWINGS.hostileMap : content.tool === "mindMap" ? DRAWINGS.map : DRAWINGS.illustration;
      },
      creation_export: () => true,
      tool_cancel: () => undefined,
    };
    for (const [command, run] of Object.entries(commands)) {
      await page.route(`**/ipc/${command}`, async (route) => {
        const given = route.request().postDataJSON() ?? {};
        this.asked.push({ command, ...given });
        if (command === "creation_work" && this.failWork) return refuse(route, "disk_full");
        const value = run(given);
        return value === undefined && command.startsWith("creation_get") ? refuse(route, "not_found") : answer(route, value);
      });
    }
    await page.route("**/ipc/tool_start", async (route) => {
      const { input, engine } = route.request().postDataJSON();
      this.asked.push({ command: "tool_start", input, engine });
      const finish = (content, more = {}) => ({ event: "finished", creation: this.add(content, { input, ...more }) });
      const lines = [{ requestId: `tool-${++this.#count}` }, ...this.script(input, { finish, engine })];
      await route.fulfill({ contentType: "application/x-ndjson", body: lines.map((line) => `${JSON.stringify(line)}\n`).join("") }).catch(() => undefined);
    });
  }
}

/** The events of a tool that fails. */
export const failed = (code, instead = null, badge = LOCAL) => [
  { event: "started", badge },
  { event: "failed", error: { code, message: `scripted failure ${code}`, hint: null, requestId: null }, instead },
];
