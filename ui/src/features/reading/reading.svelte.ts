/** Reading a picture: from a drawing or a photo to a text that a person has confirmed. Nothing is solved here. */
import { asIpcError, type Backend, type Badge, type IpcError, type PreparedImage, type Reading as Read, type ToolEvent, type ToolInput, type WaitReason } from "$lib/backend";
import { Board } from "./board.svelte";

export type Source = "board" | "photo";

/** Where a reading is. */
export type Step =
  /** Drawing, or looking for a photo. */
  | "make"
  /** The picture as it would be sent, and who would get it. */
  | "look"
  /** Somebody reads it. */
  | "work"
  /** What was read, to be confirmed or corrected. */
  | "confirm";

export interface Progress {
  readonly phase: "asking" | "queued" | "reading" | "waiting" | "writing";
  readonly position: number;
  readonly seconds: number;
  readonly reason: WaitReason;
  /** Grows with each wait, so that a countdown begins anew. */
  readonly waits: number;
}

const ASKING: Progress = { phase: "asking", position: 0, seconds: 0, reason: "busy", waits: 0 };
/** Larger files are not pictures from a camera. */
const LARGEST_FILE = 40e6;

export class Reading {
  source: Source = $state("board");
  step: Step = $state("make");
  readonly board = new Board();
  image: PreparedImage | null = $state.raw(null);
  /** A picture is being opened. */
  opening = $state(false);
  progress: Progress = $state.raw(ASKING);
  /** Who reads it, or has read it. */
  badge: Badge | null = $state.raw(null);
  /** What was read, as a person may have corrected it. */
  text = $state("");
  unsure = $state(false);
  error: IpcError | null = $state.raw(null);
  private requestId: string | null = null;
  private turn = 0;

  constructor(private readonly backend: Backend) {}

  /** What the tool is asked, for the preview too. */
  get input(): ToolInput | null {
    return this.image && { tool: "reading", imageId: this.image.id, handwriting: this.source === "board" };
  }

  choose(source: Source): void {
    this.stop();
    this.source = source;
    this.step = "make";
    this.error = null;
  }

  /** Lets a person pick a photo in the system's dialog. */
  async pick(): Promise<void> {
    await this.open(() => this.backend.imagePick());
  }

  /** Takes a picture in base64: the board, or what was pasted or dropped. */
  async take(base64: string): Promise<void> {
    await this.open(() => this.backend.imageTake(base64));
  }

  /** Takes a file that was pasted or dropped. */
  async takeFile(file: Blob): Promise<void> {
    if (file.size > LARGEST_FILE) {
      this.error = { code: "image_unreadable", message: `a file of ${file.size} bytes`, hint: null, requestId: null };
      return;
    }
    await this.take(await base64Of(file));
  }

  /** Has the picture read. */
  async read(): Promise<void> {
    const input = this.input;
    if (!input || this.step === "work") return;
    const turn = ++this.turn;
    this.error = null;
    this.badge = null;
    this.progress = ASKING;
    this.step = "work";
    try {
      const ticket = await this.backend.toolStart(input, null, (event) => {
        if (turn === this.turn) this.apply(event);
      });
      if (turn === this.turn && this.step === "work") this.requestId = ticket.requestId;
      // Stopped before there was anything to stop.
      else if (turn !== this.turn) this.backend.toolCancel(ticket.requestId).catch(() => undefined);
    } catch (thrown) {
      if (turn === this.turn) this.fail(asIpcError(thrown));
    }
  }

  /** Stops the reading; the picture stays. */
  stop(): void {
    this.turn++;
    if (this.requestId !== null) this.backend.toolCancel(this.requestId).catch(() => undefined);
    this.requestId = null;
    if (this.step === "work") this.step = "look";
  }

  /** Back to the drawing or to the choice of a photo; nothing that was drawn is lost. */
  back(): void {
    this.stop();
    this.step = "make";
    this.error = null;
  }

  /** After a text was handed to the tutor: the next one begins with an empty page. */
  finish(): void {
    this.back();
    if (this.source === "board") this.board.clear();
    this.image = null;
    this.text = "";
  }

  private async open(command: () => Promise<PreparedImage | null>): Promise<void> {
    if (this.opening) return;
    this.opening = true;
    this.error = null;
    try {
      const image = await command();
      if (image) {
        this.image = image;
        this.step = "look";
      }
    } catch (thrown) {
      this.error = asIpcError(thrown);
    } finally {
      this.opening = false;
    }
  }

  private apply(event: ToolEvent): void {
    const progress = this.progress;
    switch (event.event) {
      case "queued":
        this.progress = { ...progress, phase: "queued", position: event.position };
        break;
      case "started":
        this.badge = event.badge;
        this.progress = { ...progress, phase: "reading" };
        break;
      case "waiting":
        this.progress = { ...progress, phase: "waiting", seconds: event.seconds, reason: event.reason, waits: progress.waits + 1 };
        break;
      case "prefill":
        this.progress = { ...progress, phase: "reading" };
        break;
      case "writing":
        this.progress = { ...progress, phase: "writing" };
        break;
      case "finished": {
        const content = event.creation.content as Read;
        this.requestId = null;
        this.badge = event.creation.summary.badge;
        this.text = content.lines.map(({ text }) => text).join("\n\n");
        this.unsure = content.unsure;
        this.step = "confirm";
        break;
      }
      case "failed":
        this.fail(event.error);
        break;
      case "cancelled":
        this.requestId = null;
        this.step = "look";
        break;
    }
  }

  private fail(error: IpcError): void {
    this.requestId = null;
    this.error = error;
    this.step = "look";
  }
}

async function base64Of(file: Blob): Promise<string> {
  const address = await new Promise<string>((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(String(reader.result));
    reader.onerror = () => reject(reader.error ?? new Error("the file could not be read"));
    reader.readAsDataURL(file);
  });
  return address.replace(/^data:[^,]*,/, "");
}

const made = new WeakMap<Backend, Reading>();

/** The page's one reading: it stays as it is while somebody looks at another page. */
export function readingOf(backend: Backend): Reading {
  const known = made.get(backend);
  if (known) return known;
  // Belongs to no component: what it derives goes on when the page that asked first is gone.
  let fresh!: Reading;
  $effect.root(() => {
    fresh = new Reading(backend);
  });
  made.set(backend, fresh);
  return fresh;
}
