/** Models on their way, as the program reports them. */
import { asIpcError, type Backend, type IpcError, type Transfer } from "$lib/backend";
import { isActive, partOfAll } from "./transfers";

export class Transfers {
  list: Transfer[] = $state.raw([]);
  /** The program has told what is under way, or cannot. */
  loaded = $state(false);
  /** The last command that failed, until the next one. */
  error: IpcError | null = $state.raw(null);
  private wasActive = new Set<string>();

  /** `onEnd` is told of each transfer that came to its end while the page was there. */
  constructor(
    private readonly backend: Backend,
    private readonly onEnd: (transfer: Transfer) => void,
  ) {}

  /** How far all that is under way is, 0 to 1; `null` where nothing is. */
  get part(): number | null {
    return partOfAll(this.list);
  }

  async watch(): Promise<void> {
    try {
      await this.backend.transfersWatch((transfers) => this.take(transfers));
    } catch {
      this.loaded = true;
    }
  }

  take(transfers: Transfer[]): void {
    this.list = transfers;
    this.loaded = true;
    const ended = transfers.filter(({ id, state }) => state.state === "done" && this.wasActive.has(id));
    this.wasActive = new Set(transfers.filter(isActive).map(({ id }) => id));
    for (const transfer of ended) this.onEnd(transfer);
  }

  import(sourceId: string, modelId: string): Promise<Transfer | null> {
    return this.attempt(() => this.backend.transferImport(sourceId, modelId));
  }

  download(offerId: string): Promise<Transfer | null> {
    return this.attempt(() => this.backend.transferDownload(offerId));
  }

  export(modelId: string): Promise<Transfer | null> {
    return this.attempt(() => this.backend.transferExport(modelId));
  }

  async pause(id: string): Promise<void> {
    await this.attempt(() => this.backend.transferPause(id));
  }

  async resume(id: string): Promise<void> {
    await this.attempt(() => this.backend.transferResume(id));
  }

  async cancel(id: string): Promise<void> {
    await this.attempt(() => this.backend.transferCancel(id));
  }

  private async attempt<T>(command: () => Promise<T>): Promise<T | null> {
    this.error = null;
    try {
      return await command();
    } catch (thrown) {
      this.error = asIpcError(thrown);
      return null;
    }
  }
}
