/** Who answers besides this computer: the state on the page « Who answers », and every change of it. */
import { asIpcError, type Backend, type EnginesInput, type EnginesState, type IpcError, type Place, type Places, type SchoolInput, type TestReport } from "$lib/backend";

/** The two engines that are not on this computer. */
export type Remote = "cloud" | "school";
/** What can be under way for one of them. */
export type Doing = "saving" | "testing";

export class Engines {
  state: EnginesState | null = $state.raw(null);
  doing: Record<Remote, Doing | null> = $state({ cloud: null, school: null });
  /** How the last test of each went; gone when something about that engine changes. */
  reports: Record<Remote, TestReport | null> = $state.raw({ cloud: null, school: null });
  errors: Record<Remote | "places", IpcError | null> = $state.raw({ cloud: null, school: null, places: null });

  /** `onchange` is called after each change that was saved. */
  constructor(
    private readonly backend: Backend,
    private readonly onchange: () => void = () => undefined,
  ) {}

  async load(): Promise<void> {
    try {
      this.state = await this.backend.enginesGet();
    } catch (thrown) {
      this.errors = { ...this.errors, places: asIpcError(thrown) };
    }
  }

  /** Switches one of them on or off. */
  async turn(remote: Remote, on: boolean): Promise<boolean> {
    return this.change(remote, () => this.backend.enginesSet(this.input(remote === "cloud" ? { cloudOn: on } : { schoolOn: on })));
  }

  /** Chooses where a group of features runs. */
  async place(group: keyof Places, place: Place): Promise<boolean> {
    return this.change("places", () => {
      const input = this.input({});
      return this.backend.enginesSet({ ...input, places: { ...input.places, [group]: place } });
    });
  }

  /** Hands the key over; nothing of it stays here. */
  async setKey(key: string): Promise<boolean> {
    return this.change("cloud", () => this.backend.cloudKeySet(key));
  }

  async removeKey(): Promise<boolean> {
    return this.change("cloud", () => this.backend.cloudKeyRemove());
  }

  /** An adult agrees to what is sent, or takes that back. */
  async agree(agreed: boolean): Promise<boolean> {
    return this.change("cloud", () => this.backend.cloudAgree(agreed));
  }

  async setSchool(input: SchoolInput): Promise<boolean> {
    return this.change("school", () => this.backend.schoolSet(input));
  }

  async setModel(id: string): Promise<boolean> {
    return this.change("school", () => this.backend.schoolModel(id));
  }

  /** Tests one of them; the steps are in `reports`. */
  async test(remote: Remote): Promise<void> {
    if (this.doing[remote] !== null) return;
    this.begin(remote, "testing");
    try {
      const report = await (remote === "cloud" ? this.backend.cloudTest() : this.backend.schoolTest());
      this.state = report.state;
      this.reports = { ...this.reports, [remote]: report };
      this.onchange();
    } catch (thrown) {
      this.errors = { ...this.errors, [remote]: asIpcError(thrown) };
    } finally {
      this.doing[remote] = null;
    }
  }

  private input(changes: Partial<EnginesInput>): EnginesInput {
    const { cloud, school, places } = this.state ?? EMPTY;
    return { cloudOn: cloud.on, schoolOn: school.on, places, ...changes };
  }

  private begin(remote: Remote, what: Doing): void {
    this.doing[remote] = what;
    this.reports = { ...this.reports, [remote]: null };
    this.errors = { ...this.errors, [remote]: null };
  }

  /** Makes a change; where it fails, what is in force is asked for again, so that no switch lies. */
  private async change(what: Remote | "places", command: () => Promise<EnginesState>): Promise<boolean> {
    if (what === "places") this.errors = { ...this.errors, places: null };
    else this.begin(what, "saving");
    try {
      this.state = await command();
      this.onchange();
      return true;
    } catch (thrown) {
      await this.load();
      this.errors = { ...this.errors, [what]: asIpcError(thrown) };
      return false;
    } finally {
      if (what !== "places") this.doing[what] = null;
    }
  }
}

const EMPTY = {
  cloud: { on: false },
  school: { on: false },
  places: { questions: "device", drawings: "device", reading: "device", secondAnswer: "device" } satisfies Places,
};
