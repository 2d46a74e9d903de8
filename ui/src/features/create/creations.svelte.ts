/** What the tools made earlier. A deleted one keeps its place for ten seconds, with the way back. */
import type { Backend, CreationSummary } from "$lib/backend";
import { i18n } from "$lib/i18n/index.svelte";
import { announcer } from "$lib/shared/announcer.svelte";

export const UNDO_MS = 10_000;

export interface Row {
  summary: CreationSummary;
  /** Deleted; it can still be brought back. */
  removed: boolean;
}

export class Creations {
  list: CreationSummary[] = $state.raw([]);
  loaded = $state(false);
  /** The list could not be read. */
  failed = $state(false);
  private removed: Record<string, CreationSummary> = $state({});
  private readonly timers = new Map<string, ReturnType<typeof setTimeout>>();

  constructor(private readonly backend: Backend) {}

  /** The latest first. What was read from a picture belongs to the page that reads pictures. */
  readonly rows: Row[] = $derived.by(() => {
    const rows = [
      ...this.list.filter(({ id }) => !(id in this.removed)).map((summary) => ({ summary, removed: false })),
      ...Object.values(this.removed).map((summary) => ({ summary, removed: true })),
    ];
    return rows.filter(({ summary }) => summary.tool !== "reading").sort((a, b) => b.summary.createdAt - a.summary.createdAt);
  });

  async load(): Promise<void> {
    try {
      this.list = await this.backend.creationList();
      this.failed = false;
    } catch {
      this.failed = true;
    } finally {
      this.loaded = true;
    }
  }

  /** Takes a new or changed creation into the list. */
  upsert(summary: CreationSummary): void {
    this.list = [summary, ...this.list.filter(({ id }) => id !== summary.id)];
  }

  async remove(id: string): Promise<void> {
    const summary = this.list.find((one) => one.id === id);
    if (!summary) return;
    this.removed[id] = summary;
    announcer.say(i18n.t.tools.list.removedLong(summary.title));
    try {
      await this.backend.creationDelete(id);
    } catch {
      delete this.removed[id];
      announcer.say(i18n.t.tools.list.notRemoved);
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
      await this.backend.creationRestore(id);
    } catch {
      this.list = this.list.filter((one) => one.id !== id);
    } finally {
      delete this.removed[id];
    }
  }
}
