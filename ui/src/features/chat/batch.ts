/**
 * Gathers the events of a stream and hands them on in groups: text at most once in 50 ms and with a frame of the screen,
 * everything else at once.
 */
import type { ChatEvent } from "$lib/backend";

export const INTERVAL_MS = 50;

export interface Clock {
  now(): number;
  /** Calls `run` after `delay` milliseconds, with the next frame where frames are being drawn. */
  schedule(run: () => void, delay: number): () => void;
}

export const screenClock: Clock = {
  now: () => performance.now(),
  schedule(run, delay) {
    // A hidden page draws no frames, and its answer goes on.
    if (delay <= 0 && !document.hidden) {
      const frame = requestAnimationFrame(run);
      return () => cancelAnimationFrame(frame);
    }
    const timer = setTimeout(run, Math.max(0, delay));
    return () => clearTimeout(timer);
  },
};

export class EventBatch {
  private waiting: ChatEvent[] = [];
  private planned: (() => void) | null = null;
  private flushedAt = -Infinity;

  constructor(
    private readonly deliver: (events: ChatEvent[]) => void,
    private readonly clock: Clock = screenClock,
  ) {}

  push(event: ChatEvent): void {
    this.waiting.push(event);
    if (event.event !== "token") this.flush();
    else this.planned ??= this.clock.schedule(() => this.flush(), INTERVAL_MS - (this.clock.now() - this.flushedAt));
  }

  flush(): void {
    this.planned?.();
    this.planned = null;
    if (this.waiting.length === 0) return;
    const events = this.waiting;
    this.waiting = [];
    this.flushedAt = this.clock.now();
    this.deliver(events);
  }

  /** Forgets what waits; for an answer that nobody looks at any more. */
  drop(): void {
    this.planned?.();
    this.planned = null;
    this.waiting = [];
  }
}
