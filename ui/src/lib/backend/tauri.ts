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
    secondAnswer: (answerId, onEvent) => unwrap(commands.chatSecondAnswer(answerId, channel(onEvent))),
    secondPreview: (answerId) => unwrap(commands.chatSecondPreview(answerId)),
    features: () => unwrap(commands.featuresGet()),
    toolPreview: (input, engine) => unwrap(commands.toolPreview(input, engine)),
    toolStart: (input, engine, onEvent) => unwrap(commands.toolStart(input, engine, channel(onEvent))),
    toolCancel: (requestId) => done(commands.toolCancel(requestId)),
    creationList: () => unwrap(commands.creationList()),
    creationGet: (id) => unwrap(commands.creationGet(id)),
    creationWork: (id, work) => unwrap(commands.creationWork(id, work)),
    creationDelete: (id) => done(commands.creationDelete(id)),
    creationRestore: (id) => unwrap(commands.creationRestore(id)),
    creationDrawing: (id) => unwrap(commands.creationDrawing(id)),
    creationExport: (id, format) => unwrap(commands.creationExport(id, format)),
    imageTake: (base64) => unwrap(commands.imageTake(base64)),
    imagePick: () => unwrap(commands.imagePick()),
    enginesGet: () => unwrap(commands.enginesGet()),
    enginesSet: (input) => unwrap(commands.enginesSet(input)),
    cloudKeySet: (key) => unwrap(commands.cloudKeySet(key)),
    cloudKeyRemove: () => unwrap(commands.cloudKeyRemove()),
    cloudAgree: (agree) => unwrap(commands.cloudAgree(agree)),
    cloudTest: () => unwrap(commands.cloudTest()),
    schoolSet: (input) => unwrap(commands.schoolSet(input)),
    schoolTest: () => unwrap(commands.schoolTest()),
    schoolModel: (id) => unwrap(commands.schoolModel(id)),
  };
}
