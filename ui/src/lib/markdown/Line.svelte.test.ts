import { mount, unmount } from "svelte";
import { afterEach, describe, expect, it } from "vitest";
import Line from "./Line.svelte";

let mounted: Record<string, unknown> | null = null;
function show(text: string): HTMLElement {
  const target = document.createElement("p");
  mounted = mount(Line, { target, props: { text } });
  return target;
}
afterEach(async () => {
  if (mounted) await unmount(mounted);
  mounted = null;
});

describe("a line of a model's text", () => {
  it("shows stress and formulas, and spaces as they were", () => {
    const line = show("Add **two** to $\\frac{1}{4}$ now, `x`.");
    expect(line.querySelector("strong")?.textContent).toBe("two");
    expect(line.querySelector("code")?.textContent).toBe("x");
    expect(line.textContent).toContain("Add two to ");
    expect(line.querySelectorAll("span")).toHaveLength(1);
  });

  it.each(["1. one", "# title", "- item", "> said", "| a | b |"])("begins no block with %s", (text) => {
    const line = show(text);
    expect(line.textContent).toBe(text);
    expect(line.children).toHaveLength(0);
  });

  it.each(["<img src=x onerror=alert(1)>", "<script>alert(1)</script>", "[press](javascript:alert(1))", "![x](https://evil.example/x.png)", "a &lt; b"])("keeps %s as text", (text) => {
    const line = show(text);
    expect(line.querySelectorAll("a, img, script")).toHaveLength(0);
    expect(line.textContent).toBe(text);
  });

  it("is one line", () => {
    expect(show("one\n\ntwo").textContent).toBe("one two");
  });
});
