/** Puts the parts together: one backend, one set of controllers, one page at a time. */
import { getContext, setContext } from "svelte";
import type { AppInfo, Backend } from "$lib/backend";
import { Model } from "$lib/shared/model.svelte";
import { Chat } from "$features/chat/chat.svelte";
import { Conversations } from "$features/conversations/conversations.svelte";
import { followSystem, SettingsStore } from "$features/settings/settings.svelte";

export type View = "chat" | "settings";

export class App {
  view: View = $state("chat");
  info: AppInfo | null = $state.raw(null);
  /** The list of conversations is open as a drawer (narrow windows). */
  drawer = $state(false);
  readonly model: Model;
  readonly settings: SettingsStore;
  readonly chat: Chat;
  readonly conversations: Conversations;

  constructor(readonly backend: Backend) {
    this.model = new Model(backend);
    this.settings = new SettingsStore(backend);
    this.chat = new Chat(backend, { onSummary: (summary) => this.conversations.upsert(summary) });
    this.conversations = new Conversations(backend, {
      onRename: (summary) => this.chat.renamed(summary),
      onRemove: (id) => {
        if (this.chat.conversation?.summary.id === id) this.chat.startNew();
      },
    });
  }

  /** Fetches what the first screen needs; a part that fails leaves the others working. */
  start(): () => void {
    void this.settings.load().catch(() => undefined);
    void this.conversations.load();
    void this.model.watch();
    void this.backend.appInfo().then(
      (info) => (this.info = info),
      () => undefined,
    );
    return followSystem(() => this.settings.value);
  }

  startNew(): void {
    this.chat.startNew();
    this.show("chat");
  }

  open(id: string): void {
    void this.chat.open(id);
    this.show("chat");
  }

  show(view: View): void {
    this.view = view;
    this.drawer = false;
  }
}

const KEY = Symbol("app");

export function provideApp(app: App): void {
  setContext(KEY, app);
}

export function useApp(): App {
  return getContext<App>(KEY);
}
