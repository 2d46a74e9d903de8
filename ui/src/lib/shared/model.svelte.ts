/** The model's state and the list of models. */
import { asIpcError, type Backend, type Badge, type ModelStatus, type ModelSummary } from "$lib/backend";

export class Model {
  status: ModelStatus = $state.raw({ state: "loading" });
  list: ModelSummary[] = $state.raw([]);
  loaded = $state(false);

  constructor(private readonly backend: Backend) {}

  /** Who would answer now; `null` while nobody is there. */
  get badge(): Badge | null {
    return this.status.state === "ready" || this.status.state === "resting" ? this.status.badge : null;
  }

  async watch(): Promise<void> {
    try {
      await this.backend.watchModel((status) => (this.status = status));
    } catch (thrown) {
      this.status = { state: "failed", error: asIpcError(thrown) };
    }
  }

  async load(): Promise<void> {
    this.list = await this.backend.models();
    this.loaded = true;
  }

  async select(id: string | null): Promise<void> {
    this.list = await this.backend.selectModel(id);
  }

  async remove(id: string): Promise<void> {
    this.list = await this.backend.modelRemove(id);
  }
}
