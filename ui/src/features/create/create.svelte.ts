/** The tools: what can be made, what is being made, what lies open. Components read it and call it. */
import { asIpcError, type Backend, type Badge, type BadgeKind, type Creation, type DrawingView, type ExportFormat, type IpcError, type ToolEvent, type ToolInput, type Work } from "$lib/backend";
import { i18n } from "$lib/i18n/index.svelte";
import { announcer } from "$lib/shared/announcer.svelte";
import { Creations } from "./creations.svelte";
import { emptyForm, formOf, TOOLS, type Form, type FormTool } from "./forms";
import { reduce, STARTING, type Making } from "./making";

/** A tool's work that came to nothing, with what was asked for. */
export interface Failure {
  input: ToolInput;
  error: IpcError;
  /** Who could do it instead, if the person says so. */
  instead: Badge | null;
}

interface Run {
  input: ToolInput;
  /** Resolves when the program is through with it; a cancelled one still is at work for a moment. */
  over: Promise<void>;
  end: () => void;
  requestId: string | null;
  /** Stop as soon as there is something to stop. */
  stopping: boolean;
}

/** Longer than any engine takes to stop; whoever takes longer answers with a refusal, which is shown. */
const LONGEST_END_MS = 5_000;

export type Screen = "home" | "form" | "making" | "open";

export interface CreateHooks {
  /** The page of the tools is wanted. */
  onShow(): void;
  /** An engine failed: it may be gone for other tools as well. */
  onFailure(): void;
}

export class Create {
  screen: Screen = $state("home");
  /** Whose form is open. */
  tool: FormTool = $state("quiz");
  /** What was filled in, by tool; kept until the program ends. */
  readonly forms: Record<FormTool, Form> = $state(Object.fromEntries(TOOLS.map(({ tool }) => [tool, emptyForm(tool)])) as Record<FormTool, Form>);
  /** The tool at work, and what was asked of it. */
  making: Making | null = $state.raw(null);
  input: ToolInput | null = $state.raw(null);
  failure: Failure | null = $state.raw(null);
  creation: Creation | null = $state.raw(null);
  drawing: DrawingView | null = $state.raw(null);
  opening = $state(false);
  openError: IpcError | null = $state.raw(null);
  /** A step that could not be saved; the next one tries again with all that was done. */
  saveError: IpcError | null = $state.raw(null);
  readonly creations: Creations;
  private run: Run | null = null;
  /** The program does one at a time: the next one waits for the end of this. */
  private before: Promise<void> = Promise.resolve();
  private wanted: string | null = null;
  private saving: Promise<void> = Promise.resolve();

  constructor(
    private readonly backend: Backend,
    private readonly hooks: CreateHooks,
    private readonly now: () => number = () => performance.now(),
  ) {
    this.creations = new Creations(backend);
  }

  readonly busy = $derived(this.making !== null);

  home(): void {
    this.leave();
    this.screen = "home";
  }

  openForm(tool: FormTool): void {
    this.leave();
    this.tool = tool;
    this.screen = "form";
  }

  /** Back to what is being made. */
  showMaking(): void {
    this.leave();
    this.screen = "making";
  }

  /** Begins; `engine` names one that was offered, otherwise it is the one chosen in Settings. */
  async start(input: ToolInput, engine: BadgeKind | null = null): Promise<void> {
    if (this.run) return;
    let end: () => void = () => undefined;
    const over = new Promise<void>((resolve) => (end = resolve));
    const run: Run = { input, over, end, requestId: null, stopping: false };
    const before = this.before;
    this.before = over;
    this.leave();
    this.run = run;
    this.input = input;
    this.failure = null;
    this.making = STARTING;
    this.screen = "making";
    this.hooks.onShow();
    await Promise.race([before, new Promise((resolve) => setTimeout(resolve, LONGEST_END_MS))]);
    if (run.stopping) return run.end();
    try {
      const ticket = await this.backend.toolStart(input, engine, (event) => this.take(run, event));
      run.requestId = ticket.requestId;
      if (run.stopping) this.sendCancel(ticket.requestId);
    } catch (thrown) {
      run.end();
      if (this.run === run) this.fail(run, asIpcError(thrown), null);
    }
  }

  cancel(): void {
    const run = this.run;
    if (!run) return;
    run.stopping = true;
    if (run.requestId !== null) this.sendCancel(run.requestId);
    // What was asked for is dropped at once; the end that the program reports finds nobody any more.
    this.end();
    announcer.say(i18n.t.tools.making.cancelled);
    this.backToForm(run.input);
  }

  /** The failed one once more, as it was asked for. */
  retry(engine: BadgeKind | null = null): void {
    if (this.failure) void this.start(this.failure.input, engine);
  }

  /** From a failure back to the form it came from. */
  change(): void {
    if (this.failure) this.backToForm(this.failure.input);
  }

  async open(id: string): Promise<void> {
    this.leave();
    this.wanted = id;
    this.opening = true;
    this.screen = "open";
    try {
      const creation = await this.backend.creationGet(id);
      if (this.wanted === id) await this.show(creation);
    } catch (thrown) {
      if (this.wanted === id) this.openError = asIpcError(thrown);
    } finally {
      if (this.wanted === id) this.opening = false;
    }
  }

  /** Keeps what a person did; it shows at once and is saved behind. */
  work(work: Work): void {
    const creation = this.creation;
    if (!creation || creation.work === work) return;
    this.creation = { ...creation, work };
    const { id } = creation.summary;
    // One after the other, so that an older step never lands on a newer one.
    this.saving = this.saving.then(async () => {
      try {
        const saved = await this.backend.creationWork(id, work);
        this.saveError = null;
        this.creations.upsert(saved.summary);
      } catch (thrown) {
        this.saveError = asIpcError(thrown);
      }
    });
  }

  /** Saves the open creation as a file; whether a place was chosen. */
  async export(format: ExportFormat): Promise<boolean> {
    if (!this.creation) return false;
    return this.backend.creationExport(this.creation.summary.id, format);
  }

  private take(run: Run, event: ToolEvent): void {
    if (event.event === "finished" || event.event === "failed" || event.event === "cancelled") run.end();
    if (this.run !== run || !this.making) return;
    switch (event.event) {
      case "finished":
        this.end();
        this.creations.upsert(event.creation.summary);
        announcer.say(i18n.t.tools.making.done(event.creation.summary.title));
        // Who went on to something else is not torn away from it.
        if (this.screen === "making") {
          this.screen = "open";
          void this.show(event.creation);
        }
        return;
      case "failed":
        this.fail(run, event.error, event.instead);
        return;
      case "cancelled":
        this.end();
        if (this.screen === "making") this.backToForm(run.input);
        return;
      default:
        this.announce(this.making, (this.making = reduce(this.making, event, this.now())));
    }
  }

  private announce(before: Making, making: Making): void {
    const words = i18n.t.tools.making;
    if (making.phase === "queued" && (before.phase !== "queued" || before.position !== making.position)) announcer.say(words.queued(making.position));
    if (making.phase === "reading" && before.phase !== "reading") announcer.say(words.reading);
    if (making.phase === "waiting" && before.phase !== "waiting") announcer.say(words.waits[making.reason]);
    if (making.items > before.items && this.input) announcer.say(words.items[this.input.tool](making.items, making.of));
  }

  private fail(run: Run, error: IpcError, instead: Badge | null): void {
    this.end();
    this.failure = { input: run.input, error, instead };
    this.hooks.onFailure();
  }

  private end(): void {
    this.run = null;
    this.making = null;
  }

  private backToForm(input: ToolInput): void {
    this.failure = null;
    const back = formOf(input);
    if (back) this.forms[back.tool] = back.form;
    if (back) this.openForm(back.tool);
    else this.home();
  }

  private async show(creation: Creation): Promise<void> {
    const { id } = creation.summary;
    this.wanted = id;
    this.creation = creation;
    this.drawing = null;
    if (creation.content.tool !== "mindMap" && creation.content.tool !== "illustration") return;
    try {
      const drawing = await this.backend.creationDrawing(id);
      if (this.wanted === id) this.drawing = drawing;
    } catch (thrown) {
      if (this.wanted === id) this.openError = asIpcError(thrown);
    }
  }

  private leave(): void {
    this.wanted = null;
    this.opening = false;
    this.openError = null;
    this.saveError = null;
    this.creation = null;
    this.drawing = null;
  }

  private sendCancel(requestId: string): void {
    this.backend.toolCancel(requestId).catch(() => undefined);
  }
}
