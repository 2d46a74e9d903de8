/**
 * The same commands over HTTP, for a browser in front of `web-host`: POST /ipc/<command> with the arguments as JSON.
 *
 * A plain command answers with its result. A command with a channel answers with one JSON value a line:
 * first its result, then the events. A failed command answers with a status above 399 and an `IpcError`;
 * a streaming one may also say so in its first line.
 */
import { BackendError, asIpcError, type Backend } from "./backend";
import type { ChatEvent, IpcError, ModelStatus, ToolEvent, Transfer } from "./types";

type Arguments = Record<string, unknown>;
type Fetch = (url: string, init: RequestInit) => Promise<Response>;

export function webBackend(fetcher: Fetch = (url, init) => fetch(url, init)): Backend {
  const post = async (command: string, args: Arguments): Promise<Response> => {
    let response: Response;
    try {
      response = await fetcher(`/ipc/${command}`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(args),
      });
    } catch (cause) {
      throw new BackendError(asIpcError(cause));
    }
    if (!response.ok) throw new BackendError(await readError(response));
    return response;
  };

  const call = async <T>(command: string, args: Arguments = {}): Promise<T> => {
    const text = await (await post(command, args)).text();
    return (text === "" ? null : JSON.parse(text)) as T;
  };

  const stream = async <T, E>(command: string, args: Arguments, onEvent: (event: E) => void): Promise<T> => {
    const response = await post(command, args);
    const lines = readLines(response);
    const first = await lines.next();
    if (first.done) throw new BackendError(asIpcError("the answer was empty"));
    const result: unknown = JSON.parse(first.value);
    if (isError(result)) throw new BackendError(result);
    // The result comes back now; the events follow by themselves.
    void (async () => {
      for await (const line of lines) onEvent(JSON.parse(line) as E);
    })().catch(() => undefined);
    return result as T;
  };

  return {
    appInfo: () => call("app_info"),
    pageReady: () => call("page_ready"),
    setupGet: () => call("setup_get"),
    setupFinish: () => call("setup_finish"),
    profileSet: (input) => call("profile_set", { input }),
    profileUnlock: (pin) => call("profile_unlock", { pin }),
    hardwareGet: () => call("hardware_get"),
    settings: () => call("settings_get"),
    saveSettings: (settings) => call("settings_set", { settings }),
    watchModel: (onStatus) => stream<void, ModelStatus>("model_watch", {}, onStatus),
    models: () => call("models_list"),
    selectModel: (id) => call("model_select", { id }),
    modelRemove: (id) => call("model_remove", { id }),
    storageGet: () => call("storage_get"),
    networkGet: () => call("network_get"),
    sourcesList: () => call("sources_list"),
    sourcePick: (kind) => call("source_pick", { kind }),
    offersList: () => call("offers_list"),
    transfersWatch: (onTransfers) => stream<void, Transfer[]>("transfers_watch", {}, onTransfers),
    transferImport: (sourceId, modelId) => call("transfer_import", { sourceId, modelId }),
    transferDownload: (offerId) => call("transfer_download", { offerId }),
    transferExport: (modelId) => call("transfer_export", { modelId }),
    transferPause: (id) => call("transfer_pause", { id }),
    transferResume: (id) => call("transfer_resume", { id }),
    transferCancel: (id) => call("transfer_cancel", { id }),
    conversations: () => call("conversation_list"),
    conversation: (id) => call("conversation_get", { id }),
    rename: (id, title) => call("conversation_rename", { id, title }),
    remove: (id) => call("conversation_delete", { id }),
    restore: (id) => call("conversation_restore", { id }),
    ask: (request, onEvent) => stream<never, ChatEvent>("chat_ask", { request }, onEvent),
    regenerate: (answerId, onEvent) => stream<never, ChatEvent>("chat_regenerate", { answerId }, onEvent),
    edit: (messageId, text, onEvent) => stream<never, ChatEvent>("chat_edit", { messageId, text }, onEvent),
    showVersion: (messageId) => call("chat_show_version", { messageId }),
    cancel: (requestId) => call("chat_cancel", { requestId }),
    secondAnswer: (answerId, onEvent) => stream<never, ChatEvent>("chat_second_answer", { answerId }, onEvent),
    secondPreview: (answerId) => call("chat_second_preview", { answerId }),
    features: () => call("features_get"),
    toolPreview: (input, engine) => call("tool_preview", { input, engine }),
    toolStart: (input, engine, onEvent) => stream<never, ToolEvent>("tool_start", { input, engine }, onEvent),
    toolCancel: (requestId) => call("tool_cancel", { requestId }),
    creationList: () => call("creation_list"),
    creationGet: (id) => call("creation_get", { id }),
    creationWork: (id, work) => call("creation_work", { id, work }),
    creationDelete: (id) => call("creation_delete", { id }),
    creationRestore: (id) => call("creation_restore", { id }),
    creationDrawing: (id) => call("creation_drawing", { id }),
    creationExport: (id, format) => call("creation_export", { id, format }),
    imageTake: (base64) => call("image_take", { base64 }),
    imagePick: () => call("image_pick"),
    enginesGet: () => call("engines_get"),
    enginesSet: (input) => call("engines_set", { input }),
    cloudKeySet: (key) => call("cloud_key_set", { key }),
    cloudKeyRemove: () => call("cloud_key_remove"),
    cloudAgree: (agree) => call("cloud_agree", { agree }),
    cloudTest: () => call("cloud_test"),
    schoolSet: (input) => call("school_set", { input }),
    schoolTest: () => call("school_test"),
    schoolModel: (id) => call("school_model", { id }),
  };
}

function isError(value: unknown): value is IpcError {
  return typeof value === "object" && value !== null && "code" in value && "message" in value;
}

async function readError(response: Response): Promise<IpcError> {
  const text = await response.text();
  try {
    const value: unknown = JSON.parse(text);
    if (isError(value)) return value;
  } catch {
    // Not JSON: said below in words.
  }
  return asIpcError(`HTTP ${response.status}: ${text.slice(0, 200)}`);
}

/** The body's lines as they arrive, without empty ones. */
async function* readLines(response: Response): AsyncGenerator<string> {
  if (!response.body) return;
  const reader = response.body.getReader();
  const decoder = new TextDecoder();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    rest += done ? decoder.decode() : decoder.decode(value, { stream: true });
    const lines = rest.split("\n");
    rest = done ? "" : (lines.pop() ?? "");
    for (const line of lines) if (line.trim() !== "") yield line;
    if (done) return;
  }
}
