/** Where models can be copied from; looked up anew while somebody looks at the list. */
import { asIpcError, type Backend, type IpcError, type ModelSource, type PickKind, type SourceModel } from "$lib/backend";

/** A stick is seen within so many milliseconds. */
const EVERY = 2500;

export class Sources {
  list: ModelSource[] = $state.raw([]);
  loaded = $state(false);
  picking = $state(false);
  error: IpcError | null = $state.raw(null);
  /** What was picked last: it comes first, and is shown also where it holds nothing. */
  picked: string | null = $state(null);
  private asking = false;

  constructor(private readonly backend: Backend) {}

  /** Looks now and then every few seconds. Returns how to stop. */
  follow(): () => void {
    void this.look();
    const timer = setInterval(() => void this.look(), EVERY);
    return () => clearInterval(timer);
  }

  async look(): Promise<void> {
    if (this.asking || this.picking) return;
    this.asking = true;
    try {
      this.list = await this.backend.sourcesList();
      this.loaded = true;
    } catch {
      // A stick that is just being pulled out: the next look tells.
      this.loaded = true;
    } finally {
      this.asking = false;
    }
  }

  async pick(kind: PickKind): Promise<ModelSource | null> {
    if (this.picking) return null;
    this.picking = true;
    this.error = null;
    try {
      const source = await this.backend.sourcePick(kind);
      if (source) {
        this.picked = source.id;
        this.list = [source, ...this.list.filter(({ id }) => id !== source.id)];
      }
      return source;
    } catch (thrown) {
      this.error = asIpcError(thrown);
      return null;
    } finally {
      this.picking = false;
    }
  }
}

/** A model together with the place where it lies. */
export interface Found {
  /** Unique on the page. */
  key: string;
  source: ModelSource;
  model: SourceModel;
}

/** All models of all places: what was picked first, then as the program orders them. */
export function found(sources: readonly ModelSource[], picked: string | null): Found[] {
  const order = [...sources].sort((a, b) => Number(b.id === picked) - Number(a.id === picked));
  return order.flatMap((source) => source.models.map((model) => ({ key: `${source.id}/${model.id}`, source, model })));
}

/** The one to suggest: it can be copied, is not here yet and fits; else one that can be copied at all. */
export function best(all: readonly Found[]): Found | null {
  const usable = all.filter(({ model }) => model.problem === null && !model.installed);
  return usable.find(({ model }) => model.fits) ?? usable[0] ?? null;
}
