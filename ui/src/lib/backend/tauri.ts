/** The commands in Aula's own window. This file and the generated bindings alone import `@tauri-apps/*`. */
import { Channel } from "@tauri-apps/api/core";
import { BackendError, asIpcError, type Backend } from "./backend";
import { commands } from "./bindings";
import type { IpcError } from "./types";

type Outcome<T> = { status: "ok"; data: T } | { status: "error"; error: IpcError | string };

async function unwrap<T>(running: Promise<Outcome<T>>): Promise<T> {
  let outcome: Outcome<T>;
  try {
    outcome = await running;
  } catch (thrown) {
    throw new BackendError(asIpcError(thrown));
  }
  if (outcome.status === "ok") return outcome.data;
  // Tauri itself refuses with a sentence, Aula's commands with an `IpcError`.
  throw new BackendError(typeof outcome.error === "string" ? asIpcError(outcome.error) : outcome.error);
}

const done = async (running: Promise<Outcome<null>>): Promise<void> => {
  await unwrap(running);
};

function channel<T>(listener: (event: T) => void): Channel<T> {
  const made = new Channel<T>();
  made.onmessage = listener;
  return made;
}

export function tauriBackend(): Backend {
  return {
    appInfo: () => unwrap(commands.appInfo()),
    pageReady: () => done(commands.pageReady()),
    setupGet: () => unwrap(commands.setupGet()),
    setupFinish: () => unwrap(commands.setupFinish()),
    profileSet: (input) => unwrap(commands.profileSet(input)),
    profileUnlock: (pin) => unwrap(commands.profileUnlock(pin)),
    hardwareGet: () => unwrap(commands.hardwareGet()),
    settings: () => unwrap(commands.settingsGet()),
    saveSettings: (settings) => unwrap(commands.settingsSet(settings)),
    watchModel: (onStatus) => done(commands.modelWatch(channel(onStatus))),
    models: () => unwrap(commands.modelsList()),
    selectModel: (id) => unwrap(commands.modelSelect(id)),
    modelRemove: (id) => unwrap(commands.modelRemove(id)),
    storageGet: () => unwrap(commands.storageGet()),
    networkGet: () => unwrap(commands.networkGet()),
    sourcesList: () => unwrap(commands.sourcesList()),
    sourcePick: (kind) => unwrap(commands.sourcePick(kind)),
    offersList: () => unwrap(commands.offersList()),
    transfersWatch: (onTransfers) => done(commands.transfersWatch(channel(onTransfers))),
    transferImport: (sourceId, modelId) => unwrap(commands.transferImport(sourceId, modelId)),
    transferDownload: (offerId) => unwrap(commands.transferDownload(offerId)),
    transferExport: (modelId) => unwrap(commands.transferExport(modelId)),
    transferPause: (id) => done(commands.transferPause(id)),
    transferResume: (id) => done(commands.transferResume(id)),
    transferCancel: (id) => done(commands.transferCancel(id)),
    conversations: () => unwrap(commands.conversationList()),
    conversation: (id) => unwrap(commands.conversationGet(id)),
    rename: (id, title) => unwrap(commands.conversationRename(id, title)),
    remove: (id) => done(commands.conversationDelete(id)),
    restore: (id) => unwrap(commands.conversationRestore(id)),
    ask: (request, onEvent) => unwrap(commands.chatAsk(request, channel(onEvent))),
    regenerate: (answerId, onEvent) => unwrap(commands.chatRegenerate(answerId, channel(onEvent))),
    edit: (messageId, text, onEvent) => unwrap(commands.chatEdit(messageId, text, channel(onEvent))),
    showVersion: (messageId) => unwrap(commands.chatShowVersion(messageId)),
    cancel: (requestId) => done(commands.chatCancel(requestId)),
  };
}
