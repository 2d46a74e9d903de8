/** Puts the parts together: one backend, one set of controllers, one page at a time. */
import { getContext, setContext } from "svelte";
import type { AppInfo, Backend, SetupState } from "$lib/backend";
import { i18n } from "$lib/i18n/index.svelte";
import { announcer } from "$lib/shared/announcer.svelte";
import { Engines } from "$lib/shared/engines.svelte";
import { Features } from "$lib/shared/features.svelte";
import { Model } from "$lib/shared/model.svelte";
import { Transfers } from "$lib/shared/transfers.svelte";
import { Chat } from "$features/chat/chat.svelte";
import { Create } from "$features/create/create.svelte";
import { Conversations } from "$features/conversations/conversations.svelte";
import { followSystem, SettingsStore } from "$features/settings/settings.svelte";

export type View = "chat" | "create" | "reading" | "settings";
export const SECTIONS = ["profile", "reading", "who", "models", "network", "about"] as const;
export type Section = (typeof SECTIONS)[number];

export class App {
  view: View = $state("chat");
  /** Which section of Settings is open. */
  section: Section = $state("reading");
  /** How far the first run is; null until that is known. */
  setup: SetupState | null = $state.raw(null);
  /** Whether the first run could be asked for; where it could not, the chat says what is wrong. */
  setupFailed = $state(false);
  info: AppInfo | null = $state.raw(null);
  /** The list of conversations is open as a drawer (narrow windows). */
  drawer = $state(false);
  readonly model: Model;
  readonly settings: SettingsStore;
  readonly transfers: Transfers;
  /** Where each feature runs, or why it does not. */
  readonly features: Features;
  readonly engines: Engines;
  readonly chat: Chat;
  readonly conversations: Conversations;
  readonly create: Create;
  private begun = false;

  constructor(readonly backend: Backend) {
    this.model = new Model(backend);
    this.settings = new SettingsStore(backend);
    this.features = new Features(backend);
    this.engines = new Engines(backend, () => void this.features.load());
    this.transfers = new Transfers(backend, ({ kind, model }) => {
      if (kind !== "export") announcer.say(i18n.t.transfer.arrived(model));
      void this.model.load().catch(() => undefined);
      void this.refreshInfo();
    });
    this.chat = new Chat(backend, { onSummary: (summary) => this.conversations.upsert(summary) });
    this.conversations = new Conversations(backend, {
      onRename: (summary) => this.chat.renamed(summary),
      onRemove: (id) => {
        if (this.chat.conversation?.summary.id === id) this.chat.startNew();
      },
    });
    this.create = new Create(backend, { onShow: () => this.show("create"), onFailure: () => void this.features.load() });
  }

  /** What the window shows as a whole. */
  get stage(): "nothing" | "lock" | "setup" | "app" {
    if (this.setupFailed) return "app";
    if (this.setup === null) return "nothing";
    if (this.setup.locked) return "lock";
    return this.setup.done ? "app" : "setup";
  }

  start(): () => void {
    void this.backend.setupGet().then(
      (setup) => this.takeSetup(setup),
      () => {
        this.setupFailed = true;
        this.begin();
      },
    );
    return followSystem(() => this.settings.value);
  }

  /** Takes the first run's state over; behind the lock everything else waits. */
  takeSetup(setup: SetupState): void {
    this.setup = setup;
    if (!setup.locked) this.begin();
  }

  /** Fetches what the first screen needs; a part that fails leaves the others working. */
  private begin(): void {
    if (this.begun) return;
    this.begun = true;
    const isFirstRun = this.setup?.done === false;
    void this.settings.load().then(
      () => (isFirstRun ? this.settings.suggestLanguage() : undefined),
      () => undefined,
    );
    void this.conversations.load();
    void this.model.watch();
    void this.transfers.watch();
    void this.engines.load();
    this.features.follow(() => [this.model.status.state, this.settings.value?.modelId, this.setup?.profile.kind]);
    void this.refreshInfo();
  }

  private async refreshInfo(): Promise<void> {
    await this.backend.appInfo().then(
      (info) => (this.info = info),
      () => undefined,
    );
  }

  startNew(): void {
    this.chat.startNew();
    this.show("chat");
  }

  open(id: string): void {
    void this.chat.open(id);
    this.show("chat");
  }

  /** Puts a question into the composer, for the person to send; an answer that is being written is not left for it. */
  compose(question: string): void {
    if (!this.chat.busy) this.chat.startNew();
    const { draft } = this.chat;
    this.chat.draft = draft.trim() === "" ? question : `${draft}\n${question}`;
    this.show("chat");
  }

  show(view: View): void {
    this.view = view;
    this.drawer = false;
  }

  showSection(section: Section): void {
    this.section = section;
    this.show("settings");
  }
}

const KEY = Symbol("app");

export function provideApp(app: App): void {
  setContext(KEY, app);
}

export function useApp(): App {
  return getContext<App>(KEY);
}
