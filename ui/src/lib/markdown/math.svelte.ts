/** Formulas as nodes. KaTeX is a third of the page's code, so it is fetched after the first paint. */
type Katex = typeof import("katex").default;

let katex: Katex | null = null;
let loading: Promise<void> | null = null;

class MathState {
  /** KaTeX is here; whoever shows a formula reads this and draws again when it turns true. */
  ready = $state(false);
}
export const math = new MathState();

/** Fetches KaTeX and its styles, once. */
export function loadMath(): Promise<void> {
  loading ??= import("./katex").then((module) => {
    katex = module.default;
    math.ready = true;
  });
  return loading;
}

const CACHE_SIZE = 300;
const cache = new Map<string, HTMLElement>();

/** TeX sets a fraction in a line of text at two thirds of the size; a learner has to read it, so it stays whole. */
function legible(tex: string): string {
  return tex.includes("\\frac") ? `\\displaystyle ${tex}` : tex;
}

/** Draws `tex` into `host`; before KaTeX has come, and where it cannot read the formula, the source stands there. */
export function renderMath(host: HTMLElement, tex: string, display: boolean): void {
  if (!katex) {
    void loadMath();
    host.classList.add("tex");
    host.textContent = tex;
    return;
  }
  const key = `${display ? "d" : "i"}${tex}`;
  let drawn = cache.get(key);
  if (!drawn) {
    drawn = document.createElement("span");
    try {
      katex.render(display ? tex : legible(tex), drawn, {
        displayMode: display,
        output: "htmlAndMathml",
        throwOnError: true,
        trust: false,
        strict: "ignore",
        maxExpand: 100,
        maxSize: 20,
      });
    } catch {
      drawn.className = "tex";
      drawn.textContent = tex;
    }
    if (cache.size >= CACHE_SIZE) cache.delete(cache.keys().next().value ?? "");
    cache.set(key, drawn);
  }
  host.replaceChildren(...drawn.cloneNode(true).childNodes);
  host.classList.toggle("tex", drawn.className === "tex");
}
