/** The list of conversations. A deleted one keeps its place for ten seconds, with the way back. */
import type { Backend, ConversationSummary } from "$lib/backend";
import { i18n } from "$lib/i18n/index.svelte";
import { announcer } from "$lib/shared/announcer.svelte";

export const UNDO_MS = 10_000;

export type Age = "today" | "yesterday" | "earlier";
export interface Row {
  summary: ConversationSummary;
  /** Deleted; it can still be brought back. */
  removed: boolean;
}

export class Conversations {
  list: ConversationSummary[] = $state.raw([]);
  loaded = $state(false);
  /** The list could not be read. */
  failed = $state(false);
  query = $state("");
  private removed: Record<string, ConversationSummary> = $state({});
  private readonly timers = new Map<string, ReturnType<typeof setTimeout>>();

  constructor(
    private readonly backend: Backend,
    private readonly hooks: { onRename(summary: ConversationSummary): void; onRemove(id: string): void },
  ) {}

  readonly rows: Row[] = $derived.by(() => {
    const rows = [
      ...this.list.filter(({ id }) => !(id in this.removed)).map((summary) => ({ summary, removed: false })),
      ...Object.values(this.removed).map((summary) => ({ summary, removed: true })),
    ];
    const query = fold(this.query.trim());
    return rows.filter(({ summary }) => query === "" || fold(summary.title).includes(query)).sort((a, b) => b.summary.updatedAt - a.summary.updatedAt);
  });

  async load(): Promise<void> {
    try {
      this.list = await this.backend.conversations();
      this.failed = false;
    } catch {
      this.failed = true;
    } finally {
      this.loaded = true;
    }
  }

  /** Takes a new or changed conversation into the list. */
  upsert(summary: ConversationSummary): void {
    this.list = [summary, ...this.list.filter(({ id }) => id !== summary.id)];
  }

  async rename(id: string, title: string): Promise<void> {
    const wanted = title.trim();
    const before = this.list.find((summary) => summary.id === id);
    if (!before || wanted === "" || wanted === before.title) return;
    this.replace({ ...before, title: wanted });
    try {
      this.replace(await this.backend.rename(id, wanted));
    } catch {
      this.replace(before);
    }
  }

  async remove(id: string): Promise<void> {
    const summary = this.list.find((one) => one.id === id);
    if (!summary) return;
    this.removed[id] = summary;
    this.hooks.onRemove(id);
    announcer.say(i18n.t.conversations.removedLong(summary.title || i18n.t.conversations.untitled));
    try {
      await this.backend.remove(id);
    } catch {
      delete this.removed[id];
      return;
    }
    this.timers.set(
      id,
      setTimeout(() => {
        this.list = this.list.filter((one) => one.id !== id);
        delete this.removed[id];
        this.timers.delete(id);
      }, UNDO_MS),
    );
  }

  async undo(id: string): Promise<void> {
    clearTimeout(this.timers.get(id));
    this.timers.delete(id);
    try {
      const summary = await this.backend.restore(id);
      this.list = [...this.list.filter((one) => one.id !== id), summary];
    } catch {
      this.list = this.list.filter((one) => one.id !== id);
    } finally {
      delete this.removed[id];
    }
  }

  private replace(summary: ConversationSummary): void {
    this.list = this.list.map((one) => (one.id === summary.id ? summary : one));
    this.hooks.onRename(summary);
  }
}

/** For searching: without capitals and accents. */
function fold(text: string): string {
  return text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
}

/** How long ago, in days of the calendar. */
export function ageOf(time: number, now: number): Age {
  const midnight = new Date(now).setHours(0, 0, 0, 0);
  if (time >= midnight) return "today";
  return time >= new Date(midnight).setDate(new Date(midnight).getDate() - 1) ? "yesterday" : "earlier";
}
