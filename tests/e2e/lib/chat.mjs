/** The chat page as a person uses it, through WebDriver. */
import { KEY } from "./webdriver.mjs";
import { until } from "./wait.mjs";

const byTest = (name) => `[data-testid="${name}"]`;

/** Puts a question with the keyboard. */
export async function ask(window, question) {
  await window.type(byTest("composer-input"), `${question}${KEY.enter}`);
}

/** The last answer: text, state of the message, phase of the request, badge, failure. */
export function lastAnswer(window) {
  return window.run(`
    const turn = [...document.querySelectorAll('[data-testid="tutor-turn"]')].at(-1);
    if (!turn) return null;
    return {
      text: turn.querySelector('[data-testid="answer"]')?.textContent.trim() ?? "",
      state: turn.dataset.state,
      phase: turn.dataset.phase,
      badge: turn.querySelector('[data-testid="badge"]')?.dataset.kind ?? null,
      failure: turn.querySelector('[data-testid="error-block"]')?.dataset.code ?? null,
      mark: turn.querySelector('[data-testid="mark"]')?.textContent ?? null,
    };`);
}

/** Resolves when the last of at least `count` answers is no longer being written. */
export function answered(window, count = 1) {
  return until("the end of the answer", async () => {
    const turns = await window.run(`return document.querySelectorAll('[data-testid="tutor-turn"]').length`);
    const answer = await lastAnswer(window);
    return turns >= count && answer?.phase === "done" && answer.state !== "streaming" && answer;
  });
}

/** Resolves with the growing lengths of the last answer's text as soon as it grew `times` times. */
export async function grows(window, times) {
  const lengths = [];
  await until(
    `the answer to grow ${times} times`,
    async () => {
      const { text } = (await lastAnswer(window)) ?? { text: "" };
      if (text.length > (lengths.at(-1) ?? 0)) lengths.push(text.length);
      return lengths.length >= times;
    },
    { every: 5 },
  );
  return lengths;
}

/** Resolves when the model answers. */
export function modelReady(window) {
  return until("the model", () => window.run(`return document.querySelector('[data-testid="model-status"]')?.dataset.state === "ready"`));
}

export const stop = (window) => window.click(byTest("stop"));
