/**
 * Answers written by the test instead of a model: the page's next question gets exactly these events.
 *
 * The rest of the conversation lives in `web-host` as ever; only `chat_ask` is taken over, with the messages that the
 * real command would have sent.
 */

export const BADGE = { kind: "local", model: "Gemma 4 E2B", device: "CPU" };

let number = 0;

function message(speaker, text, more = {}) {
  number += 1;
  const id = `scripted-${number}`;
  return { id, speaker, text, state: "complete", badge: null, tokensPerSecond: null, seconds: null, createdAt: Date.now(), versionIds: [id], ...more };
}

/** Lets the next questions be answered by `script(question, answer)`, which gives the list of events. */
export async function answerWith(page, script) {
  await page.route("**/ipc/chat_ask", async (route) => {
    const { request } = route.request().postDataJSON();
    const question = message("student", request.text);
    const answer = message("tutor", "", { state: "streaming" });
    const conversation = {
      summary: { id: `scripted-conversation-${number}`, title: request.text.slice(0, 40), updatedAt: Date.now() },
      messages: [question, answer],
    };
    const ticket = { requestId: `scripted-request-${number}`, answerId: answer.id, conversation };
    const lines = [ticket, ...script(question, answer)];
    await route.fulfill({ contentType: "application/x-ndjson", body: lines.map((line) => `${JSON.stringify(line)}\n`).join("") });
  });
}

/** The events of a whole answer with this text. */
export function wholeAnswer(text, badge = BADGE) {
  return (_, answer) => [
    { event: "queued", position: 0 },
    { event: "started", badge },
    { event: "token", text },
    { event: "finished", message: { ...answer, text, badge, state: "complete", tokensPerSecond: 11.2, seconds: 3.4 } },
  ];
}

/** The events of an answer that a failure ends after `text`. */
export function failedAnswer(code, text = "", badge = BADGE) {
  return (_, answer) => [
    { event: "started", badge },
    ...(text === "" ? [] : [{ event: "token", text }]),
    {
      event: "failed",
      error: { code, message: `scripted failure ${code}`, hint: null, requestId: null },
      message: { ...answer, text, badge, state: "interrupted" },
    },
  ];
}
