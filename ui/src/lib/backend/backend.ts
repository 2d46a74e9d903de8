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
  BadgeKind,
  ChatEvent,
  Conversation,
  ConversationSummary,
  Creation,
  CreationSummary,
  DrawingView,
  EnginesInput,
  EnginesState,
  ExportFormat,
  FeatureState,
  HardwareSummary,
  IpcError,
  ModelOffer,
  ModelSource,
  ModelStatus,
  ModelSummary,
  NetworkState,
  PickKind,
  PreparedImage,
  Profile,
  ProfileInput,
  SchoolInput,
  SendPreview,
  Settings,
  SetupState,
  Storage,
  TestReport,
  ToolEvent,
  ToolInput,
  ToolTicket,
  Transfer,
  Work,
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
  /** Another version of an answer, by the larger model that an adult chose for this. */
  secondAnswer(answerId: string, onEvent: (event: ChatEvent) => void): Promise<AskTicket>;
  /** Exactly what `secondAnswer` would send, and to whom; sends nothing. */
  secondPreview(answerId: string): Promise<SendPreview>;

  /** Every feature with who does it, or why nobody can now. */
  features(): Promise<FeatureState[]>;
  /** Exactly what `toolStart` with the same arguments would send, and to whom; sends nothing. */
  toolPreview(input: ToolInput, engine: BadgeKind | null): Promise<SendPreview>;
  /**
   * Begins to make something: `null` as chosen in Settings, otherwise by an engine that was offered instead. Resolves with
   * the ticket; events may come before that, and end with `finished`, `failed` or `cancelled`.
   */
  toolStart(input: ToolInput, engine: BadgeKind | null, onEvent: (event: ToolEvent) => void): Promise<ToolTicket>;
  /** Stops a tool; nothing of it is kept. Finished requests are ignored. */
  toolCancel(requestId: string): Promise<void>;

  creationList(): Promise<CreationSummary[]>;
  creationGet(id: string): Promise<Creation>;
  /** Saves what a person did with it, whole. */
  creationWork(id: string, work: Work): Promise<Creation>;
  creationDelete(id: string): Promise<void>;
  creationRestore(id: string): Promise<CreationSummary>;
  /** A mind map or an illustration with every position computed. */
  creationDrawing(id: string): Promise<DrawingView>;
  /** Opens the system's own dialog and saves a file there; `false` where nothing was chosen. */
  creationExport(id: string, format: ExportFormat): Promise<boolean>;

  /** Makes a picture (a file's bytes in base64) anew from its pixels; rejects with `image_unreadable`. */
  imageTake(base64: string): Promise<PreparedImage>;
  /** Opens the system's own dialog; `null` where nothing was picked. */
  imagePick(): Promise<PreparedImage | null>;

  enginesGet(): Promise<EnginesState>;
  enginesSet(input: EnginesInput): Promise<EnginesState>;
  cloudKeySet(key: string): Promise<EnginesState>;
  /** Removes the key, and with it what was agreed to. */
  cloudKeyRemove(): Promise<EnginesState>;
  cloudAgree(agree: boolean): Promise<EnginesState>;
  cloudTest(): Promise<TestReport>;
  schoolSet(input: SchoolInput): Promise<EnginesState>;
  schoolTest(): Promise<TestReport>;
  /** Uses this one of the models that the school's server offers. */
  schoolModel(id: string): Promise<EnginesState>;
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
