/**
 * What the page asks of the program behind it.
 *
 * The rest of the page knows this interface and nothing of Tauri or HTTP. Every method rejects with
 * {@link BackendError} and with nothing else.
 */
import type {
  AppInfo,
  AskRequest,
  AskTicket,
  ChatEvent,
  Conversation,
  ConversationSummary,
  HardwareSummary,
  IpcError,
  ModelOffer,
  ModelSource,
  ModelStatus,
  ModelSummary,
  NetworkState,
  PickKind,
  Profile,
  ProfileInput,
  Settings,
  SetupState,
  Storage,
  Transfer,
} from "./types";

export interface Backend {
  appInfo(): Promise<AppInfo>;
  /** Says that the page has painted; requests of an earlier load of the page are given up. */
  pageReady(): Promise<void>;

  /** How far the first run is, and whether a PIN is asked for. */
  setupGet(): Promise<SetupState>;
  setupFinish(): Promise<SetupState>;
  profileSet(input: ProfileInput): Promise<Profile>;
  /** Rejects with `wrong_pin`; `setupGet` then tells how long to wait. */
  profileUnlock(pin: string): Promise<SetupState>;
  hardwareGet(): Promise<HardwareSummary>;

  settings(): Promise<Settings>;
  saveSettings(settings: Settings): Promise<Settings>;

  /** Calls `onStatus` with the model's state now and at every change, for as long as the page lives. */
  watchModel(onStatus: (status: ModelStatus) => void): Promise<void>;
  models(): Promise<ModelSummary[]>;
  /** Uses the model `id` from now on; `null` lets Aula choose. */
  selectModel(id: string | null): Promise<ModelSummary[]>;

  /** Deletes an installed model; resolves with those that are left. */
  modelRemove(id: string): Promise<ModelSummary[]>;
  storageGet(): Promise<Storage>;
  networkGet(): Promise<NetworkState>;

  sourcesList(): Promise<ModelSource[]>;
  /** Opens the system's own dialog; `null` where nothing was picked. */
  sourcePick(kind: PickKind): Promise<ModelSource | null>;
  offersList(): Promise<ModelOffer[]>;
  /** Calls `onTransfers` with all transfers now and at every change, for as long as the page lives. */
  transfersWatch(onTransfers: (transfers: Transfer[]) => void): Promise<void>;
  transferImport(sourceId: string, modelId: string): Promise<Transfer>;
  transferDownload(offerId: string): Promise<Transfer>;
  /** Opens the system's own dialog for the folder; `null` where nothing was picked. */
  transferExport(modelId: string): Promise<Transfer | null>;
  transferPause(id: string): Promise<void>;
  transferResume(id: string): Promise<void>;
  /** Ends a transfer, removes what it left, and takes it off the list. */
  transferCancel(id: string): Promise<void>;

  conversations(): Promise<ConversationSummary[]>;
  conversation(id: string): Promise<Conversation>;
  rename(id: string, title: string): Promise<ConversationSummary>;
  remove(id: string): Promise<void>;
  restore(id: string): Promise<ConversationSummary>;

  /** Resolves with the ticket once question and empty answer are saved; events may come before that. */
  ask(request: AskRequest, onEvent: (event: ChatEvent) => void): Promise<AskTicket>;
  regenerate(answerId: string, onEvent: (event: ChatEvent) => void): Promise<AskTicket>;
  edit(messageId: string, text: string, onEvent: (event: ChatEvent) => void): Promise<AskTicket>;
  showVersion(messageId: string): Promise<Conversation>;
  /** Stops an answer and keeps what was written. Finished requests are ignored. */
  cancel(requestId: string): Promise<void>;
}

/** A command that failed, with the code that the page translates. */
export class BackendError extends Error {
  readonly ipc: IpcError;

  constructor(ipc: IpcError) {
    super(ipc.message);
    this.name = "BackendError";
    this.ipc = ipc;
  }
}

/** Whatever was thrown, as an {@link IpcError}; something unforeseen counts as a defect of the program. */
export function asIpcError(thrown: unknown): IpcError {
  if (thrown instanceof BackendError) return thrown.ipc;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return { code: "internal", message, hint: null, requestId: null };
}
