/** A program behind the page that does what a test tells it. */
import type { Backend, BadgeKind, ChatEvent, Conversation, Creation, CreationSummary, DrawingView, EnginesInput, EnginesState, ErrorCode, ExportFormat, Feature, FeatureState, HardwareSummary, Message, ModelOffer, ModelSource, ModelStatus, ModelSummary, NetworkState, PickKind, PreparedImage, Profile, ProfileInput, SchoolInput, SendPreview, Settings, SetupState, Storage, TestReport, ToolEvent, ToolInput, ToolTicket, Transfer, Work } from "$lib/backend";
import { BADGE, enginesOff, failure, featuresOffline, message } from "./samples";

/** One answer under way: the test sends its events. */
export interface Answering {
  requestId: string;
  answerId: string;
  send(event: ChatEvent): void;
  finish(text: string, state?: Message["state"]): void;
}

/** One tool at work: the test sends its events. */
export interface Making {
  requestId: string;
  input: ToolInput;
  /** As it was asked for: null as chosen in Settings. */
  engine: BadgeKind | null;
  send(event: ToolEvent): void;
  /** Saves what was made and says so. */
  finish(content: Creation["content"], title?: string): Creation;
}

function featureOf(input: ToolInput): Feature {
  if (input.tool === "reading") return input.handwriting ? "handwriting" : "photo";
  return input.tool;
}

export class FakeBackend implements Backend {
  stored: Settings = { language: "es", theme: "light", textSize: "s", reduceMotion: false, contextLen: 4096, maxReplyTokens: 1024, modelId: null, idleUnloadMinutes: 10, downloadLimitKb: 0, batterySaver: true, keepReady: false };
  setup: SetupState = { done: true, locked: false, waitSeconds: 0, profile: { id: "p1", name: "", kind: "learner", hasPin: false } };
  sources: ModelSource[] = [];
  offers: ModelOffer[] = [];
  transfers: Transfer[] = [];
  all = new Map<string, Conversation>();
  deleted = new Map<string, Conversation>();
  cancelled: string[] = [];
  answering: Answering[] = [];
  featureStates: FeatureState[] = featuresOffline();
  engines: EnginesState = enginesOff();
  creations = new Map<string, Creation>();
  deletedCreations = new Map<string, Creation>();
  making: Making[] = [];
  /** What previews show; `texts` and `image` follow the request unless a test sets them. */
  preview: Partial<SendPreview> = {};
  images = new Map<string, PreparedImage>();
  /** What is picked in the system's dialog. */
  pickedImage: PreparedImage | null = null;
  /** What the next test of an engine says; without one all goes well. */
  testSteps: TestReport["steps"] | null = null;
  drawings = new Map<string, DrawingView>();
  exported: { id: string; format: ExportFormat }[] = [];
  /** Whether a place is chosen in the dialog for a file. */
  choosesPlace = true;
  /** The next command of this name fails. */
  failNext: Partial<Record<keyof Backend, ErrorCode>> = {};
  /** Tickets wait for `release` while this is set. */
  holdTickets = false;
  release: () => void = () => undefined;
  status: (status: ModelStatus) => void = () => undefined;
  sendTransfers: (transfers: Transfer[]) => void = (transfers) => (this.transfers = transfers);
  private count = 0;

  private check(name: keyof Backend): void {
    const code = this.failNext[name];
    delete this.failNext[name];
    if (code) throw failure(code);
  }

  async appInfo() {
    return { version: "0.1.0", connections: 0, storeWasDamaged: false };
  }
  async pageReady() {}
  async settings() {
    return this.stored;
  }
  async saveSettings(settings: Settings) {
    this.check("saveSettings");
    return (this.stored = settings);
  }
  async watchModel(onStatus: (status: ModelStatus) => void) {
    this.status = onStatus;
    onStatus({ state: "ready", badge: BADGE, contextLen: 4096, loadSeconds: 0.4, choice: null });
  }
  async setupGet() {
    return this.setup;
  }
  async setupFinish() {
    this.check("setupFinish");
    return (this.setup = { ...this.setup, done: true });
  }
  async profileSet({ name, kind, pin }: ProfileInput) {
    this.check("profileSet");
    const hasPin = pin === null ? this.setup.profile.hasPin : pin !== "";
    const profile: Profile = { ...this.setup.profile, name, kind, hasPin };
    this.setup = { ...this.setup, profile };
    return profile;
  }
  async profileUnlock(_pin: string) {
    this.check("profileUnlock");
    return (this.setup = { ...this.setup, locked: false, waitSeconds: 0 });
  }
  async hardwareGet(): Promise<HardwareSummary> {
    return { cpu: "CPU", cores: 4, ramBytes: 8e9, ramFreeBytes: 4e9, gpus: [] };
  }
  async models(): Promise<ModelSummary[]> {
    return [];
  }
  async selectModel(): Promise<ModelSummary[]> {
    return [];
  }
  async modelRemove(_id: string): Promise<ModelSummary[]> {
    this.check("modelRemove");
    return this.models();
  }
  async storageGet(): Promise<Storage> {
    return { freeBytes: 50e9, modelsBytes: 8e6, unfinishedBytes: 0 };
  }
  async networkGet(): Promise<NetworkState> {
    return { connections: 0, open: false, hub: "huggingface.co", recent: [] };
  }
  async sourcesList() {
    this.check("sourcesList");
    return this.sources;
  }
  async sourcePick(_kind: PickKind): Promise<ModelSource | null> {
    this.check("sourcePick");
    return this.sources[0] ?? null;
  }
  async offersList() {
    this.check("offersList");
    return this.offers;
  }
  async transfersWatch(onTransfers: (transfers: Transfer[]) => void) {
    this.sendTransfers = (transfers) => onTransfers((this.transfers = transfers));
    onTransfers(this.transfers);
  }
  async transferImport(sourceId: string, modelId: string) {
    this.check("transferImport");
    const found = this.sources.find(({ id }) => id === sourceId)?.models.find(({ id }) => id === modelId);
    if (!found) throw failure("not_found");
    return this.begin("import", found.name, found.fileBytes);
  }
  async transferDownload(offerId: string) {
    this.check("transferDownload");
    const found = this.offers.find(({ id }) => id === offerId);
    if (!found) throw failure("not_found");
    return this.begin("download", found.name, found.fileBytes);
  }
  async transferExport(modelId: string): Promise<Transfer | null> {
    this.check("transferExport");
    return this.begin("export", modelId, 8e6);
  }
  async transferPause(id: string) {
    this.check("transferPause");
    this.change(id, { state: { state: "paused" } });
  }
  async transferResume(id: string) {
    this.check("transferResume");
    this.change(id, { state: { state: "running" } });
  }
  async transferCancel(id: string) {
    this.check("transferCancel");
    this.sendTransfers(this.transfers.filter((one) => one.id !== id));
  }

  /** Changes a transfer and tells the page. */
  change(id: string, part: Partial<Transfer>) {
    this.sendTransfers(this.transfers.map((one) => (one.id === id ? { ...one, ...part } : one)));
  }

  private begin(kind: Transfer["kind"], model: string, totalBytes: number): Transfer {
    const begun: Transfer = {
      id: `t${++this.count}`,
      kind,
      model,
      state: { state: "running" },
      doneBytes: 0,
      totalBytes,
      partsDone: 0,
      parts: 1,
      bytesPerSecond: null,
      secondsLeft: null,
      modelId: null,
    };
    this.sendTransfers([...this.transfers, begun]);
    return begun;
  }
  async conversations() {
    return [...this.all.values()].map(({ summary }) => summary);
  }
  async conversation(id: string) {
    this.check("conversation");
    const found = this.all.get(id);
    if (!found) throw failure("not_found");
    return found;
  }
  async rename(id: string, title: string) {
    this.check("rename");
    const found = await this.conversation(id);
    found.summary = { ...found.summary, title };
    return found.summary;
  }
  async remove(id: string) {
    this.check("remove");
    this.deleted.set(id, await this.conversation(id));
    this.all.delete(id);
  }
  async restore(id: string) {
    const found = this.deleted.get(id);
    if (!found) throw failure("not_found");
    this.all.set(id, found);
    return found.summary;
  }
  async ask({ conversationId, text }: { conversationId: string | null; text: string }, onEvent: (event: ChatEvent) => void) {
    this.check("ask");
    const id = conversationId ?? `c${++this.count}`;
    const before = this.all.get(id) ?? { summary: { id, title: text, updatedAt: ++this.count }, messages: [] };
    return this.answer(id, before, [...before.messages, message({ id: `q${++this.count}`, speaker: "student", text })], onEvent);
  }
  async regenerate(answerId: string, onEvent: (event: ChatEvent) => void) {
    this.check("regenerate");
    const { id, conversation, at } = this.find(answerId);
    return this.answer(id, conversation, conversation.messages.slice(0, at), onEvent, conversation.messages[at]?.versionIds);
  }
  async edit(messageId: string, text: string, onEvent: (event: ChatEvent) => void) {
    this.check("edit");
    const { id, conversation, at } = this.find(messageId);
    const question = message({ id: `q${++this.count}`, speaker: "student", text });
    question.versionIds = [...(conversation.messages[at]?.versionIds ?? []), question.id];
    return this.answer(id, conversation, [...conversation.messages.slice(0, at), question], onEvent);
  }
  async showVersion(messageId: string) {
    this.check("showVersion");
    const found = [...this.all.values()].find(({ messages }) => messages.some(({ versionIds }) => versionIds.includes(messageId)));
    if (!found) throw failure("not_found");
    return { ...found, messages: found.messages.map((one) => (one.versionIds.includes(messageId) ? { ...one, id: messageId, text: `versión ${messageId}` } : one)) };
  }
  async cancel(requestId: string) {
    this.cancelled.push(requestId);
  }
  async secondAnswer(answerId: string, onEvent: (event: ChatEvent) => void) {
    this.check("secondAnswer");
    const { id, conversation, at } = this.find(answerId);
    return this.answer(id, conversation, conversation.messages.slice(0, at), onEvent, conversation.messages[at]?.versionIds);
  }
  async secondPreview(answerId: string): Promise<SendPreview> {
    this.check("secondPreview");
    const { conversation, at } = this.find(answerId);
    const texts = conversation.messages.slice(0, at).map(({ speaker, text }) => ({ role: speaker === "tutor" ? "assistant" : "user", text }));
    return this.previewOf("secondAnswer", texts, null);
  }

  async features() {
    this.check("features");
    return this.featureStates;
  }
  async toolPreview(input: ToolInput, engine: BadgeKind | null): Promise<SendPreview> {
    this.check("toolPreview");
    const image = input.tool === "reading" ? (this.images.get(input.imageId) ?? null) : null;
    const topic = "topic" in input ? input.topic : "about" in input && input.about.kind === "topic" ? input.about.topic : "";
    const shown = this.previewOf(featureOf(input), [{ role: "user", text: topic }], image);
    return engine === "local" ? { ...shown, badge: BADGE, host: null, needsConsent: false } : shown;
  }
  async toolStart(input: ToolInput, engine: BadgeKind | null, onEvent: (event: ToolEvent) => void): Promise<ToolTicket> {
    this.check("toolStart");
    const requestId = `tool-${++this.count}`;
    this.making.push({
      requestId,
      input,
      engine,
      send: onEvent,
      finish: (content, title = "Título") => {
        const id = `k${++this.count}`;
        const badge = this.featureStates.find(({ feature }) => feature === featureOf(input))?.badge ?? BADGE;
        const summary: CreationSummary = { id, tool: input.tool, title, badge, createdAt: ++this.count, progress: null };
        const creation: Creation = { summary, input, content, work: { items: [], at: 0 } };
        this.creations.set(id, creation);
        onEvent({ event: "finished", creation });
        return creation;
      },
    });
    return { requestId };
  }
  async toolCancel(requestId: string) {
    this.cancelled.push(requestId);
    this.making.find((one) => one.requestId === requestId)?.send({ event: "cancelled" });
  }
  async creationList() {
    this.check("creationList");
    return [...this.creations.values()].map(({ summary }) => summary).reverse();
  }
  async creationGet(id: string) {
    this.check("creationGet");
    const found = this.creations.get(id);
    if (!found) throw failure("not_found");
    return found;
  }
  async creationWork(id: string, work: Work) {
    this.check("creationWork");
    const found = { ...(await this.creationGet(id)), work };
    this.creations.set(id, found);
    return found;
  }
  async creationDelete(id: string) {
    this.check("creationDelete");
    this.deletedCreations.set(id, await this.creationGet(id));
    this.creations.delete(id);
  }
  async creationRestore(id: string) {
    this.check("creationRestore");
    const found = this.deletedCreations.get(id);
    if (!found) throw failure("not_found");
    this.creations.set(id, found);
    return found.summary;
  }
  async creationDrawing(id: string) {
    this.check("creationDrawing");
    const found = this.drawings.get(id);
    if (!found) throw failure("not_found");
    return found;
  }
  async creationExport(id: string, format: ExportFormat) {
    this.check("creationExport");
    if (this.choosesPlace) this.exported.push({ id, format });
    return this.choosesPlace;
  }
  async imageTake(base64: string): Promise<PreparedImage> {
    this.check("imageTake");
    const id = `i${++this.count}`;
    const image = { id, width: 640, height: 480, bytes: base64.length, preview: `data:image/png;base64,${base64}` };
    this.images.set(id, image);
    return image;
  }
  async imagePick(): Promise<PreparedImage | null> {
    this.check("imagePick");
    if (this.pickedImage) this.images.set(this.pickedImage.id, this.pickedImage);
    return this.pickedImage;
  }
  async enginesGet() {
    this.check("enginesGet");
    return this.engines;
  }
  async enginesSet({ cloudOn, schoolOn, places }: EnginesInput) {
    this.check("enginesSet");
    const { cloud, school } = this.engines;
    return (this.engines = { ...this.engines, places, cloud: { ...cloud, on: cloudOn }, school: { ...school, on: schoolOn } });
  }
  async cloudKeySet(_key: string) {
    this.check("cloudKeySet");
    return this.changeCloud({ key: "keychain" });
  }
  async cloudKeyRemove() {
    this.check("cloudKeyRemove");
    return this.changeCloud({ key: "none", agreedAt: null });
  }
  async cloudAgree(agree: boolean) {
    this.check("cloudAgree");
    return this.changeCloud({ agreedAt: agree ? ++this.count : null });
  }
  async cloudTest(): Promise<TestReport> {
    this.check("cloudTest");
    return this.tested(["models", "reply"]);
  }
  async schoolSet({ address, token }: SchoolInput) {
    this.check("schoolSet");
    const kept = token === null ? this.engines.school.token : token === "" ? "none" : "keychain";
    return this.changeSchool({ address, token: kept, kind: null, models: [], model: null, vision: null });
  }
  async schoolTest(): Promise<TestReport> {
    this.check("schoolTest");
    if (this.testSteps?.every(({ error }) => error === null) ?? true)
      this.changeSchool({ kind: "vllm", models: [{ id: "gemma-4-26b-a4b-it", contextLen: 32768 }], model: "gemma-4-26b-a4b-it", vision: true });
    return this.tested(["models", "reply", "structure"]);
  }
  async schoolModel(id: string) {
    this.check("schoolModel");
    return this.changeSchool({ model: id });
  }

  private changeCloud(part: Partial<EnginesState["cloud"]>): EnginesState {
    return (this.engines = { ...this.engines, cloud: { ...this.engines.cloud, ...part } });
  }
  private changeSchool(part: Partial<EnginesState["school"]>): EnginesState {
    return (this.engines = { ...this.engines, school: { ...this.engines.school, ...part } });
  }
  private tested(steps: TestReport["steps"][number]["step"][]): TestReport {
    const made = this.testSteps ?? steps.map((step) => ({ step, milliseconds: 120, error: null }));
    return { steps: made, state: this.engines, failed: made.find(({ error }) => error)?.error?.code ?? null };
  }
  private previewOf(feature: Feature, texts: SendPreview["texts"], image: PreparedImage | null): SendPreview {
    const badge = this.featureStates.find((one) => one.feature === feature)?.badge ?? BADGE;
    const hosts: Partial<Record<BadgeKind, string>> = { cloud: this.engines.cloud.host, school: this.engines.school.address };
    const needsConsent = badge.kind === "cloud" && this.engines.cloud.agreedAt === null;
    return { badge, host: hosts[badge.kind] ?? null, texts, image, needsConsent, ...this.preview };
  }

  private find(messageId: string) {
    for (const [id, conversation] of this.all) {
      const at = conversation.messages.findIndex((one) => one.id === messageId);
      if (at >= 0) return { id, conversation, at };
    }
    throw failure("not_found");
  }

  private async answer(id: string, before: Conversation, turns: Message[], onEvent: (event: ChatEvent) => void, versions: string[] = []) {
    const answerId = `a${++this.count}`;
    const requestId = `r${this.count}`;
    const empty = message({ id: answerId, speaker: "tutor", state: "streaming", badge: null, tokensPerSecond: null, seconds: null, versionIds: [...versions, answerId] });
    const conversation = { summary: before.summary, messages: [...turns, empty] };
    this.all.set(id, conversation);
    this.answering.push({
      requestId,
      answerId,
      send: onEvent,
      finish: (text, state = "complete") => {
        const saved: Message = { ...empty, text, state, badge: BADGE, tokensPerSecond: 10, seconds: 2 };
        this.all.set(id, { ...conversation, messages: [...turns, saved] });
        onEvent({ event: "finished", message: saved });
      },
    });
    if (this.holdTickets) await new Promise<void>((resolve) => (this.release = resolve));
    return { requestId, answerId, conversation };
  }
}
