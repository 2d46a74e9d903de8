/** The tools with nothing taken over: the program behind the page makes, keeps, draws and exports; only its model is scripted. */
import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { at, close, Host, launch, open } from "../lib/page.mjs";
import { until } from "../lib/wait.mjs";

let browser, host, saved;
before(async () => {
  saved = mkdtempSync(join(tmpdir(), "aula-saved-"));
  host = await Host.start({ args: ["--scripted", "--save-in", saved] });
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await host?.stop();
  rmSync(saved, { recursive: true, force: true });
});

async function make(page, tool, topic) {
  if ((await at(page, "create").count()) === 0) await at(page, "nav-create").click();
  if ((await at(page, "create").count()) === 0) await at(page, "nav-create").click();
  await at(page, `tool-${tool}`).click();
  await at(page, "tool-topic").fill(topic);
  await at(page, "tool-start").click();
}
const shown = (page) => page.locator('[data-testid^="option-"]').evaluateAll((options) => options.map((option) => `${option.dataset.testid} ${option.dataset.state}`));

test("a quiz goes on exactly where it was left, also after the program was ended", async () => {
  const page = await open(browser, host);
  await make(page, "quiz", "the water cycle");
  await at(page, "question").waitFor();
  const question = await at(page, "question").textContent();
  // One of the four is right: of two others, one is a first wrong try.
  await page.keyboard.press("a");
  await page.keyboard.press("Enter");
  await at(page, "verdict").waitFor();
  const before = await shown(page);
  await until("the step to be saved", async () => (await host.command("creation_list")).length === 1 && (await host.command("creation_get", { id: (await host.command("creation_list"))[0].id })).work.items[0]?.tries.length === 1);
  await close(page);

  host = await host.restart({ args: ["--scripted", "--save-in", saved] });
  const again = await open(browser, host);
  await at(again, "nav-create").click();
  await at(again, "creation-row").locator(".open").click();
  await at(again, "question").waitFor();
  assert.equal(await at(again, "question").textContent(), question);
  assert.deepEqual(await shown(again), before);
  await close(again);
});

test("a map and a drawing are drawn, and saved as files", async () => {
  const page = await open(browser, host);
  for (const tool of ["mindMap", "illustration"]) {
    await make(page, tool, "the water cycle");
    await at(page, "canvas").waitFor();
    await at(page, "scene").locator("text").first().waitFor();
    for (const format of ["svg", "png"]) {
      await at(page, "download").click();
      await at(page, `save-${format}`).click();
      await at(page, "download").getByText("Saved").waitFor();
    }
    await at(page, "to-create").click();
  }
  const files = readdirSync(saved);
  assert.ok(files.some((name) => name.endsWith(".svg")) && files.some((name) => name.endsWith(".png")), files.join(", "));
  const svg = readFileSync(join(saved, files.find((name) => name.endsWith(".svg"))), "utf8");
  assert.match(svg, /^(?:<\?xml[^>]*>\s*)?<svg /);
  await close(page);
});

test("each of the other tools makes what its page can show", async () => {
  const page = await open(browser, host);
  for (const [tool, part] of [["practice", "exercise"], ["flashcards", "card"]]) {
    await make(page, tool, "fractions");
    await at(page, part).waitFor();
    await at(page, "leave").click();
  }
  await close(page);
});

test("a result that ends too early is not shown, and cancelling makes room for the next", async () => {
  const page = await open(browser, host);
  const made = (await host.command("creation_list")).length;
  await make(page, "quiz", "cut in the middle");
  await at(page, "error-block").waitFor();
  assert.equal(await at(page, "error-block").getAttribute("data-code"), "result_cut");
  assert.equal(await at(page, "question").count(), 0);
  await at(page, "change-topic").click();
  await at(page, "tool-topic").fill("an endless topic");
  await at(page, "tool-start").click();
  await page.locator('[data-testid="making-state"][data-phase="writing"]').waitFor();
  await at(page, "tool-cancel").click();
  assert.equal((await host.command("creation_list")).length, made);
  await at(page, "tool-topic").fill("plants");
  await at(page, "tool-start").click();
  await at(page, "question").waitFor();
  await close(page);
});
