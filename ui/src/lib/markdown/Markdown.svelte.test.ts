import { flushSync, mount, unmount } from "svelte";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { loadMath } from "./math.svelte";
import Markdown from "./Markdown.svelte";

beforeAll(() => loadMath());

let mounted: Record<string, unknown> | null = null;
afterEach(() => {
  if (mounted) void unmount(mounted);
  mounted = null;
  document.body.replaceChildren();
});

function show(initial: { text: string; streaming?: boolean; partial?: boolean }) {
  const props = $state(initial);
  mounted = mount(Markdown, { target: document.body, props });
  flushSync();
  const root = document.querySelector<HTMLElement>(".prose");
  if (!root) throw new Error("nothing was mounted");
  const update = (next: Partial<typeof initial>) => {
    Object.assign(props, next);
    flushSync();
  };
  return { root, update };
}

describe("an answer that arrives", () => {
  it("keeps the nodes of closed blocks", () => {
    const { root, update } = show({ text: "Uno **dos**.\n\n$$x^2$$\n\nTres ", streaming: true });
    const [first, formula] = [root.querySelector("p"), root.querySelector(".katex")];
    update({ text: "Uno **dos**.\n\n$$x^2$$\n\nTres cuatro cinco " });
    expect(root.querySelector("p")).toBe(first);
    expect(root.querySelector(".katex")).toBe(formula);
    update({ text: "Uno **dos**.\n\n$$x^2$$\n\nTres cuatro cinco.", streaming: false });
    expect(root.querySelector("p")).toBe(first);
    expect(root.querySelector(".katex")).toBe(formula);
  });

  it("appends to the paragraph being written instead of replacing it", () => {
    const { root, update } = show({ text: "Hola ", streaming: true });
    const paragraph = root.querySelector("p");
    const text = paragraph?.firstChild;
    update({ text: "Hola a todos " });
    expect(root.querySelector("p")).toBe(paragraph);
    expect(paragraph?.firstChild).toBe(text);
    expect(text?.nodeValue).toBe("Hola a todos");
  });

  it("has one caret, behind the last letter, and none at the end", () => {
    const { root, update } = show({ text: "- uno\n- dos ", streaming: true });
    expect(root.querySelectorAll(".caret")).toHaveLength(1);
    expect(root.querySelector("li:last-child .caret")).not.toBeNull();
    update({ text: "- uno\n- dos", streaming: false });
    expect(root.querySelectorAll(".caret")).toHaveLength(0);
  });

  it("has its caret before the first word", () => {
    expect(show({ text: "", streaming: true }).root.querySelectorAll(".caret")).toHaveLength(1);
  });

  it("never shows markers that will disappear", () => {
    const text = "Vale **muy bien** y $\\frac{1}{4}$, `código`.\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n```js\nlet x = 1\n```\n\n### Fin\n";
    const { root, update } = show({ text: "", streaming: true });
    for (let end = 1; end <= text.length; end++) {
      update({ text: text.slice(0, end) });
      const words = [...root.querySelectorAll("p, h2, td, th")].map((element) => element.textContent ?? "");
      for (const word of words.filter((one) => !one.includes("frac"))) expect(word).not.toMatch(/[*`|#$]/);
    }
  });

  it("settles what a stopped answer left unfinished", () => {
    const { root } = show({ text: "Sumamos **los de arriba: $1 +", partial: true });
    expect(root.textContent?.trim()).toBe("Sumamos los de arriba:");
    expect(root.querySelector(".caret")).toBeNull();
  });
});
