/** Cloud Boost and the school's server with nothing taken over: the program sends, a scripted server of its own answers. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { everythingOn } from "../lib/engines.mjs";
import { at, close, Host, launch, open } from "../lib/page.mjs";

let browser, host;
before(async () => (browser = await launch()));
after(() => browser?.close());

async function on(args, body) {
  host = await Host.start({ args: ["--scripted", ...args] });
  try {
    const page = await open(browser, host);
    await body(page);
    await close(page, { expected: [/status of [45]\d\d/] });
  } finally {
    await host.stop();
  }
}

async function make(page, tool, topic) {
  await at(page, "nav-create").click();
  if ((await at(page, "create").count()) === 0) await at(page, "nav-create").click();
  await at(page, `tool-${tool}`).click();
  await at(page, "tool-topic").fill(topic);
  await at(page, "tool-start").click();
}

/** The bytes of every file in a folder, as text. */
function filesIn(folder) {
  return readdirSync(folder).map((name) => join(folder, name)).map((path) => (statSync(path).isDirectory() ? filesIn(path) : readFileSync(path, "latin1"))).join("\n");
}

test("the school's server makes a quiz under its own badge; what fails there is only offered here", async () => {
  await on(["--adult", "--school"], async (page) => {
    await at(page, "nav-create").click();
    assert.equal(await at(page, "tool-quiz").getByTestId("badge").getAttribute("data-kind"), "school");
    await make(page, "quiz", "fractions");
    await at(page, "question").waitFor();
    assert.equal((await host.command("creation_list"))[0].badge.kind, "school");
    await at(page, "leave").click();

    await make(page, "quiz", "fractions portal");
    await at(page, "error-block").waitFor();
    assert.equal(await at(page, "error-block").getAttribute("data-code"), "captive_portal");
    assert.equal((await host.command("creation_list")).length, 1);
    await at(page, "instead").click();
    await at(page, "question").waitFor();
    assert.deepEqual((await host.command("creation_list")).map(({ badge }) => badge.kind).sort(), ["demo", "school"]);
  });
});

test("a learner has no Cloud Boost, whatever was set up, and is sent to an adult", async () => {
  await on(["--cloud"], async (page) => {
    const quiz = (await host.command("features_get")).find(({ feature }) => feature === "quiz");
    assert.deepEqual([quiz.badge, quiz.reason, quiz.unlock], [null, "adult_only", "askAnAdult"]);
    await at(page, "nav-settings").click();
    await at(page, "section-who").click();
    assert.equal(await at(page, "cloud-switch").count(), 0);
    assert.equal((await host.command("network_get")).recent.length, 0);
  });
});

test("a key goes through the page into a request's header, and is nowhere else afterwards", async () => {
  const key = "AQ.planted-5b1d77e0";
  await on(["--adult", "--servers"], async (page) => {
    await host.command("cloud_agree", { agree: true });
    await page.reload();
    await at(page, "nav-settings").click();
    await at(page, "section-who").click();
    await at(page, "cloud-key").fill(key);
    await at(page, "cloud-test").click();
    await at(page, "cloud-kept").waitFor();
    await at(page, "test-step").nth(1).waitFor();
    assert.ok(!(await everythingOn(page)).includes(key));
    assert.ok(!filesIn(host.data).includes(key), "the key is in a file");
    assert.ok(!host.process.log.includes(key), "the key is in the log");
  });
});
