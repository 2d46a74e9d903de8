/** The real window, from its first start to its last, in the order in which a person would go. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { answered, answerLong, ask, grows, lastAnswer, modelReady, openFirst, stop } from "../lib/chat.mjs";
import { sleep, until } from "../lib/wait.mjs";
import { composer, picture, Stage, there, violations } from "../lib/window.mjs";

/** The plain definition of the kernels, as slow as a large model: with the fast ones the demo model's whole answer is there
 * within a frame or two, and nothing can be seen or stopped in the middle. The offline stage runs the fast ones. */
const SLOW = { AULA_KERNELS: "scalar" };

test("a first conversation with the demo model", async (t) => {
  let stage, window;
  t.before(async () => {
    stage = await Stage.build(SLOW);
  });
  t.after(async () => {
    await stage?.strike();
  });

  await t.test("the window opens, and a question can be typed before the model is there", async () => {
    window = await stage.open();
    console.log(`usable after ${Math.round(window.usableAfter)} ms, WebDriver's own start included`);
    await modelReady(window);
    await picture(window, "window-first");
  });

  await t.test("the answer arrives token by token, under the demo model's badge", async () => {
    await ask(window, "Dime la tabla del 7.");
    const lengths = await grows(window, 1, 3);
    assert.ok(lengths[0] < lengths[1] && lengths[1] < lengths[2], `${lengths}`);
    const answer = await answered(window, 1);
    assert.equal(answer.state, "complete");
    assert.equal(answer.badge, "demo");
    await picture(window, "window-answer");
  });

  await t.test("a fraction has the height of a fraction, in KaTeX's own fonts", async () => {
    await ask(window, "¿Cuánto es 1/4 + 2/4?");
    await answered(window, 2);
    const heights = await until("a drawn fraction", () =>
      window.run(`
        const fraction = [...document.querySelectorAll('[data-testid="answer"]')].at(-1)?.querySelector(".katex .mfrac");
        if (!fraction) return null;
        const boxes = [...fraction.querySelectorAll(".mord")].filter((part) => part.childElementCount === 0).map((part) => part.getBoundingClientRect());
        // A digit in the same formula and font, on the line.
        const digit = document.createElement("span");
        digit.className = "mord";
        digit.textContent = "7";
        fraction.closest(".katex").append(digit);
        const line = digit.getBoundingClientRect().height;
        digit.remove();
        return { fraction: Math.max(...boxes.map((box) => box.bottom)) - Math.min(...boxes.map((box) => box.top)), line };`),
    );
    assert.ok(heights.fraction > 1.2 * heights.line, JSON.stringify(heights));
    await until("KaTeX's fonts", () =>
      window.run(`return [...document.fonts].some((font) => font.family.includes("KaTeX_Main") && font.status === "loaded")`),
    );
    await picture(window, "window-fraction");
  });

  await t.test("nothing broke the content security policy", async () => {
    assert.equal(await violations(window), 0);
    // And the policy is there: what it forbids does not happen.
    const evaluated = await window.run(`
      const script = document.createElement("script");
      script.textContent = "window.slipped = true";
      document.body.append(script);
      return window.slipped === true;`);
    assert.equal(evaluated, false);
  });

  await t.test("closed and opened again, the conversation is there", async () => {
    const before = await lastAnswer(window);
    await window.close();
    await stage.quiet();
    window = await stage.open();
    await openFirst(window);
    const found = await answered(window, 2);
    assert.equal(found.text, before.text);
    assert.equal(found.badge, "demo");
    await picture(window, "window-again");
  });

  await t.test("nothing is left behind", async () => {
    await window.close();
    await stage.quiet();
  });
});

test("an answer without end", async (t) => {
  let stage, window;
  t.before(async () => {
    // Random weights that never choose to stop leave the time to interfere.
    stage = await Stage.build({ ...SLOW, AULA_DEMO_MODEL: process.env.AULA_E2E_ENDLESS_MODEL });
  });
  t.after(async () => {
    await stage?.strike();
  });

  await t.test("stopped in the middle, it keeps what was written", async () => {
    window = await stage.open();
    await answerLong(window);
    await ask(window, "Hola");
    await grows(window, 1, 2);
    await stop(window);
    const answer = await answered(window, 1);
    assert.equal(answer.state, "stopped");
    assert.notEqual(answer.text, "");
  });

  await t.test("its process killed in the middle, a sentence says so and the next question is answered", async () => {
    await ask(window, "¿Y ahora?");
    await grows(window, 2, 2);
    const worker = stage.worker();
    assert.ok(worker, `no worker among ${JSON.stringify(stage.processes())}`);
    process.kill(worker.pid, "SIGKILL");
    const answer = await answered(window, 2);
    assert.equal(answer.failure, "worker_crashed");
    assert.equal(answer.state, "interrupted");
    assert.notEqual(answer.text, "");
    await picture(window, "window-worker-killed");

    await ask(window, "¿Sigues ahí?");
    await grows(window, 3, 2);
    await stop(window);
    assert.equal((await answered(window, 3)).state, "stopped");
    assert.notEqual(stage.worker()?.pid, worker.pid);
    assert.equal(await violations(window), 0);
  });

  await t.test("ended by force in the middle, nothing is left behind and all but the last second is kept", async () => {
    await ask(window, "Una más");
    await grows(window, 4, 1);
    await sleep(1200);
    assert.equal((await lastAnswer(window)).phase, "writing");
    await window.close();
    await stage.quiet();
    window = await stage.open();
    await openFirst(window);
    const found = await answered(window, 4);
    assert.notEqual(found.text, "");
    assert.equal(found.state, "interrupted");
    await window.close();
    await stage.quiet();
  });
});

test("the first run, and the PIN at the second", async (t) => {
  let stage, window;
  const choose = (testid) => window.run(`document.querySelector('[data-testid="${testid}"]').click()`);
  const part = (testid) => `[data-testid="${testid}"]`;
  t.before(async () => {
    // Nobody answered beforehand.
    stage = await Stage.build({ AULA_CONFIG: "/nonexistent/aula.toml" });
  });
  t.after(async () => {
    await stage?.strike();
  });

  await t.test("who, where from, and the demo for now", async () => {
    window = await stage.openAt("setup-who");
    await choose("set-language-pt");
    await until("Portuguese", () => window.run("return document.documentElement.lang === 'pt'"));
    await choose("setup-kind-adult");
    await window.type(part("setup-name"), "Ana");
    await window.type(part("setup-pin"), "2468");
    await picture(window, "window-setup-who");
    await window.click(part("setup-next"));
    await there(window, "setup-source");
    await choose("setup-from-demo");
    await picture(window, "window-setup-source");
    await window.click(part("setup-go"));
    await composer(window);
    await modelReady(window);
    await ask(window, "Quanto é 7 × 8?");
    assert.equal((await answered(window, 1)).badge, "demo");
    assert.equal(await violations(window), 0);
    await window.close();
    await stage.quiet();
  });

  await t.test("the next start asks for the PIN, and a wrong one does not open", async () => {
    window = await stage.openAt("lock");
    await window.type(part("lock-pin"), "1111");
    await window.click(part("lock-enter"));
    await until("the sentence", () => window.run(`return document.querySelector('[data-testid="lock-state"] .bad') !== null`));
    assert.equal(await window.run(`return document.querySelector('[data-testid="conversation-row"]')`), null);
    await picture(window, "window-lock");
    await window.type(part("lock-pin"), "2468");
    await window.click(part("lock-enter"));
    await composer(window);
    await openFirst(window);
    assert.match((await answered(window, 1)).text, /56/);
    await window.close();
    await stage.quiet();
  });
});
