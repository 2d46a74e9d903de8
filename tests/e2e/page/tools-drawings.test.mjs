/** Mind maps, illustrations and sheets: drawn by us, gone through with keys, asked about, saved. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { answered, ask, at, close, Host, launch, open } from "../lib/page.mjs";
import { answerWith, wholeAnswer } from "../lib/script.mjs";
import { HOSTILE_MAP, ILLUSTRATION, MAP, question, QUIZ, SHEET, Workshop } from "../lib/tools.mjs";

let host, browser;
before(async () => {
  host = await Host.start({ args: ["--scripted"] });
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await host?.stop();
});

async function opened(content, { page: more = {}, ...rest } = {}) {
  const shop = new Workshop();
  const made = shop.add(content, rest);
  const page = await open(browser, host, { ...more, prepare: (page) => shop.serve(page) });
  await at(page, "nav-create").click();
  await page.locator(`[data-id="${made.summary.id}"] .open`).click();
  return { page, shop, made };
}
const scale = async (page) => Number((await at(page, "zoom-actual").textContent()).replace(/\D/g, ""));
const chosen = (page) => page.locator('[data-testid="outline-node"][aria-pressed="true"]').textContent();

test("a map is followed with the arrow keys, and the list goes along", async () => {
  const { page } = await opened(MAP);
  await at(page, "canvas").focus();
  await page.keyboard.press("ArrowRight");
  await at(page, "selection").waitFor();
  // The root is the map itself: the list begins below it.
  assert.equal(await page.locator('[data-testid="outline-node"][aria-pressed="true"]').count(), 0);
  await page.keyboard.press("ArrowRight");
  assert.match(await chosen(page), /Evaporación/);
  await page.keyboard.press("ArrowDown");
  assert.match(await chosen(page), /Condensación/);
  await page.keyboard.press("ArrowLeft");
  await page.keyboard.press("ArrowLeft");
  assert.match(await chosen(page), /Recolección|Precipitación/);
  await page.keyboard.press("Escape");
  assert.equal(await at(page, "selection").count(), 0);
  // And the other way: what is chosen in the list is chosen on the map.
  await page.getByTestId("outline-node").filter({ hasText: "Las gotitas hacen nubes" }).click();
  await at(page, "selection").waitFor();
  await close(page);
});

test("every idea of the drawing stands in the list, and none else", async () => {
  const { page } = await opened(MAP);
  await at(page, "outline").waitFor();
  assert.equal(await at(page, "outline-node").count(), (await at(page, "node").count()) - 1);
  await close(page);
});

test("an idea is asked about: the question stands in the composer, unsent", async () => {
  const { page } = await opened(MAP);
  await page.getByTestId("node").nth(1).click();
  await at(page, "ask-about").click();
  assert.match(await at(page, "composer-input").inputValue(), /Evaporación.*Ciclo del agua/);
  assert.equal(await at(page, "student-turn").count(), 0);
  await close(page);
});

test("it is made larger and smaller, with buttons, keys and wheel, and dragged", async () => {
  const { page } = await opened(MAP);
  const fitted = await scale(page);
  await at(page, "zoom-in").click();
  assert.ok((await scale(page)) > fitted);
  await at(page, "zoom-fit").click();
  assert.equal(await scale(page), fitted);
  await at(page, "canvas").focus();
  await page.keyboard.press("-");
  assert.ok((await scale(page)) < fitted);
  await at(page, "zoom-actual").click();
  assert.equal(await scale(page), 100);
  const box = await at(page, "canvas").boundingBox();
  const place = () => at(page, "scene").locator("g").first().getAttribute("transform");
  await page.mouse.move(box.x + 20, box.y + 20);
  await page.mouse.wheel(0, -200);
  await page.waitForFunction(() => document.querySelector('[data-testid="zoom-actual"]').textContent.replace(/\D/g, "") > 100);
  const before = await place();
  await page.mouse.down();
  await page.mouse.move(box.x + 90, box.y + 60, { steps: 4 });
  await page.mouse.up();
  assert.notEqual(await place(), before);
  await at(page, "canvas").focus();
  await page.keyboard.press("0");
  assert.equal(await scale(page), fitted);
  await close(page);
});

test("it is saved as SVG and PNG, and copied as Mermaid text", async () => {
  const { page, shop, made } = await opened(MAP, { page: { permissions: ["clipboard-read", "clipboard-write"] } });
  for (const format of ["svg", "png"]) {
    await at(page, "download").click();
    await at(page, `save-${format}`).click();
    await at(page, "download").getByText("Saved").waitFor();
  }
  assert.deepEqual(shop.asked.filter(({ command }) => command === "creation_export").map(({ id, format }) => [id, format]), [[made.summary.id, "svg"], [made.summary.id, "png"]]);
  await at(page, "mermaid").click();
  assert.match(await page.evaluate(() => navigator.clipboard.readText()), /^mindmap/);
  await close(page);
});

test("the menu of files closes with Escape and gives the keyboard back", async () => {
  const { page } = await opened(MAP);
  await at(page, "download").click();
  await page.keyboard.press("ArrowDown");
  assert.ok(await at(page, "save-svg").evaluate((button) => button === document.activeElement));
  await page.keyboard.press("Escape");
  assert.equal(await at(page, "save-svg").count(), 0);
  assert.ok(await at(page, "download").evaluate((button) => button === document.activeElement));
  await close(page);
});

test("in a small window the list takes the place of the map", async () => {
  const { page } = await opened(MAP, { page: { width: 900, height: 600 } });
  await at(page, "canvas").waitFor();
  assert.equal(await at(page, "outline").count(), 0);
  await at(page, "show-beside").click();
  await page.getByTestId("outline-node").filter({ hasText: "Recolección" }).click();
  await at(page, "show-beside").click();
  await at(page, "selection").waitFor();
  await close(page);
});

test("an illustration is one key away from its words", async () => {
  const { page } = await opened(ILLUSTRATION, { page: { width: 900, height: 600 } });
  await at(page, "canvas").focus();
  assert.match(await at(page, "canvas").evaluate((canvas) => document.getElementById(canvas.getAttribute("aria-describedby")).textContent), /barco/);
  await page.keyboard.press("d");
  assert.match(await at(page, "description").textContent(), /barco/);
  await close(page);
});

test("a sheet shows its answers to whoever teaches, and is saved in three ways", async () => {
  const { page, shop } = await opened(SHEET);
  await at(page, "paper").waitFor();
  assert.equal(await at(page, "sheet-answer").count(), 0);
  await at(page, "set-sheet-teacher").check({ force: true });
  assert.equal(await at(page, "sheet-answer").count(), 2);
  for (const format of ["studentPdf", "teacherPdf", "markdown"]) {
    await at(page, `save-${format}`).click();
    await at(page, `save-${format}`).getByText("Saved").waitFor();
  }
  assert.deepEqual(shop.asked.filter(({ command }) => command === "creation_export").map(({ format }) => format), ["studentPdf", "teacherPdf", "markdown"]);
  await close(page);
});

test("a map is made of an answer in the chat, by the engine that its button names", async () => {
  const shop = new Workshop();
  shop.script = (_, { finish }) => [finish(MAP)];
  const page = await open(browser, host, { prepare: (page) => shop.serve(page) });
  await answerWith(page, wholeAnswer("Water rises, cools and falls."));
  await ask(page, "What is the water cycle?");
  await answered(page);
  const button = at(page, "answer-mindMap");
  assert.equal(await button.getByTestId("badge").getAttribute("data-kind"), "local");
  const id = await at(page, "tutor-turn").getAttribute("data-id");
  await button.click();
  await at(page, "canvas").waitFor();
  assert.deepEqual(shop.asked.find(({ command }) => command === "tool_start").input, { tool: "mindMap", about: { kind: "answer", messageId: id } });
  await close(page);
});

const HARM = [
  "<script>window.harmed = true</script>",
  '<img src=x onerror="window.harmed = true">',
  '"><svg onload="window.harmed = true">',
  "[press](javascript:window.harmed=true)",
  "$\\href{javascript:window.harmed=true}{x}$",
  "</text></svg><script>window.harmed=true</script>",
];
/** What of a page could act, come from elsewhere, or stand for a part of ours. */
const looked = (page) =>
  page.locator("main").evaluate((main) => ({
    active: main.querySelectorAll("script, iframe, object, embed, link, meta, a, img, image, use, foreignObject, animate, set").length,
    handlers: [...main.querySelectorAll("*")].filter((child) => [...child.attributes].some(({ name }) => name.startsWith("on"))).length,
    harmed: window.harmed === true,
  }));
const NOTHING = { active: 0, handlers: 0, harmed: false };

test("text that means harm is only text: quiz", async () => {
  const questions = HARM.map((words) => question(words, [words, `${words} b`, `${words} c`, `${words} d`], 0, words, words));
  const { page } = await opened({ ...QUIZ, title: { text: HARM[0] }, questions });
  for (const words of HARM) {
    // A formula is drawn; everything else stands there letter by letter.
    if (!words.startsWith("$")) {
      assert.equal((await at(page, "question").textContent()).trim(), words);
      assert.equal((await at(page, "option-D").locator(".text").textContent()).trim(), `${words} d`);
    }
    await page.keyboard.press("d");
    await page.keyboard.press("Enter");
    await at(page, "verdict").waitFor();
    await page.keyboard.press("a");
    await page.keyboard.press("Enter");
    assert.deepEqual(await looked(page), NOTHING);
    const before = await at(page, "question").textContent();
    await page.keyboard.press("Enter");
    await page.waitForFunction((before) => document.querySelector('[data-testid="question"]')?.textContent !== before, before);
  }
  // The end shows all of them once more.
  await at(page, "review").waitFor();
  assert.deepEqual(await looked(page), NOTHING);
  await close(page);
});

test("text that means harm is only text: map", async () => {
  const { page } = await opened(HOSTILE_MAP);
  await at(page, "canvas").waitFor();
  assert.match(await at(page, "scene").textContent(), /<img src=x\s*onerror=harmed=1>/);
  assert.deepEqual(await looked(page), NOTHING);
  await at(page, "outline-node").first().click();
  await at(page, "ask-about").click();
  assert.match(await at(page, "composer-input").inputValue(), /<img src=x/);
  await close(page);
});

test("text that means harm is only text: sheet", async () => {
  const text = HARM.join(" ");
  const { page } = await opened({ ...SHEET, title: { text }, instructions: { text }, open: [{ prompt: { text }, lines: 99, answer: { text } }] });
  await at(page, "set-sheet-teacher").check({ force: true });
  await at(page, "sheet-answer").first().waitFor();
  assert.deepEqual(await looked(page), NOTHING);
  await close(page);
});
