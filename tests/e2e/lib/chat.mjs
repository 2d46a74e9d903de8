/** The chat page as a person uses it, through WebDriver. */
import { KEY } from "./webdriver.mjs";
import { until } from "./wait.mjs";

const byTest = (name) => `[data-testid="${name}"]`;

/** Puts a question with the keyboard. */
export async function ask(window, question) {
  await window.type(byTest("composer-input"), `${question}${KEY.enter}`);
}

/** The last answer: how many there are with it, text, state of the message, phase of the request, badge, failure. */
export function lastAnswer(window) {
  return window.run(`
    const turn = [...document.querySelectorAll('[data-testid="tutor-turn"]')].at(-1);
    if (!turn) return null;
    return {
      count: document.querySelectorAll('[data-testid="tutor-turn"]').length,
      text: turn.querySelector('[data-testid="answer"]')?.textContent.trim() ?? "",
      state: turn.dataset.state,
      phase: turn.dataset.phase,
      badge: turn.querySelector('[data-testid="badge"]')?.dataset.kind ?? null,
      failure: turn.querySelector('[data-testid="error-block"]')?.dataset.code ?? null,
      mark: turn.querySelector('[data-testid="mark"]')?.textContent ?? null,
    };`);
}

/** Resolves with the answer number `count`, the last, when it is no longer being written. */
export function answered(window, count) {
  return until("the end of the answer", async () => {
    const answer = await lastAnswer(window);
    return answer?.count === count && answer.phase === "done" && answer.state !== "streaming" && answer;
  });
}

/** Resolves with the growing lengths of answer number `count`, the last, as soon as its text grew `times` times. */
export async function grows(window, count, times) {
  const lengths = [];
  await until(
    `answer ${count} to grow ${times} times`,
    async () => {
      const answer = await lastAnswer(window);
      if (answer?.count !== count) return false;
      if (answer.text.length > (lengths.at(-1) ?? 0)) lengths.push(answer.text.length);
      return lengths.length >= times;
    },
    { every: 5 },
  );
  return lengths;
}

/** Opens the latest conversation of the list. */
export async function openFirst(window) {
  const first = `${byTest("conversation-row")} .open`;
  await until("a conversation in the list", () => window.run(`return document.querySelector('${first}') !== null`));
  await window.click(first);
}

/** Resolves when the model answers. */
export function modelReady(window) {
  return until("the model", () => window.run(`return document.querySelector('[data-testid="model-status"]')?.dataset.state === "ready"`));
}

export const stop = (window) => window.click(byTest("stop"));

/** Chooses the longest context and the longest answer in Settings, so that even a fast computer writes for a while. */
export async function answerLong(window) {
  await window.click(byTest("nav-settings"));
  await window.click(byTest("section-who"));
  await until("the settings", () => window.run(`return document.querySelector('[data-testid="set-reply"]') !== null`));
  for (const name of ["set-context", "set-reply"]) {
    await window.run(
      `const choice = document.querySelector('[data-testid="${name}"]');
       choice.selectedIndex = choice.options.length - 1;
       choice.dispatchEvent(new Event("change", { bubbles: true }));`,
    );
    await until(`${name} to be saved`, () => window.run(`return document.querySelector('[data-testid="settings-state"]').textContent.trim() !== ""`));
  }
  await window.click(byTest("nav-chat"));
  await modelReady(window);
}
