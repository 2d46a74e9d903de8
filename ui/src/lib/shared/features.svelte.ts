/** Where each feature runs now, or why it does not: asked of the program again whenever something changes that it depends on. */
import type { Backend, Badge, Feature, FeatureState } from "$lib/backend";

export class Features {
  list: FeatureState[] = $state.raw([]);
  /** Whether the list has come once: until then nothing is known, which is not the same as unavailable. */
  loaded = $state(false);
  private asked = 0;

  constructor(private readonly backend: Backend) {}

  /** The state of `feature`; `null` where it is not known yet or does not exist for this profile. */
  of(feature: Feature): FeatureState | null {
    const found = this.list.find((one) => one.feature === feature);
    return found && !found.hidden ? found : null;
  }

  /** Who will do it; `null` where nobody can. */
  badge(feature: Feature): Badge | null {
    return this.of(feature)?.badge ?? null;
  }

  /** Asks again. An answer that is overtaken by a later question is dropped; a failed one leaves what was known. */
  async load(): Promise<void> {
    const turn = ++this.asked;
    try {
      const list = await this.backend.features();
      if (turn !== this.asked) return;
      this.list = list;
      this.loaded = true;
    } catch {
      // Locked, or the program is ending: nothing to show, and nothing that a person could do about it here.
    }
  }

  /** Asks now and whenever `watched` gives something else, and when a network comes or goes. Returns how to stop. */
  follow(watched: () => unknown): () => void {
    const again = () => void this.load();
    const stop = $effect.root(() => {
      const key = $derived(JSON.stringify(watched()));
      $effect(() => {
        void key;
        again();
      });
    });
    const names = ["online", "offline"] as const;
    for (const name of names) window.addEventListener(name, again);
    return () => {
      stop();
      for (const name of names) window.removeEventListener(name, again);
    };
  }
}
