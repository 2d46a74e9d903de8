/** The whiteboard as data: what was drawn, in the order in which it was, and how far one went back in it. */

/** A point on the board, in its own units; `pressure` 0 to 1, 0.5 where a device has none. */
export interface Point {
  readonly x: number;
  readonly y: number;
  readonly pressure: number;
}

export interface Stroke {
  readonly tool: "pen" | "eraser";
  /** Width in units of the board at middle pressure. */
  readonly width: number;
  readonly points: readonly Point[];
}

type Action = Stroke | "clear";

/** The board's own units; the page scales it. */
export const WIDTH = 1000;
export const HEIGHT = 500;
export const PENS = { thin: 3, thick: 7 } as const;
export const ERASER = 36;
/** Closer than this to the point before, a point says nothing new. */
const STEP = 1.2;

export class Board {
  /** Everything done so far; what was undone stands behind `at`. */
  private actions: readonly Action[] = $state.raw([]);
  private at = $state(0);
  /** The stroke that is being drawn. */
  current: Stroke | null = $state.raw(null);

  readonly canUndo = $derived(this.at > 0);
  readonly canRedo = $derived(this.at < this.actions.length);
  /** What is to be seen, the oldest first: everything since the board was last cleared. */
  readonly strokes: readonly Stroke[] = $derived.by(() => {
    const done = this.actions.slice(0, this.at);
    return done.slice(done.lastIndexOf("clear") + 1).filter((action) => action !== "clear");
  });
  /** Nothing was drawn: rubbing alone leaves an empty board. */
  readonly empty = $derived(!this.strokes.some(({ tool }) => tool === "pen"));

  begin(tool: Stroke["tool"], width: number, point: Point): void {
    this.end();
    this.current = { tool, width, points: [inside(point)] };
  }

  /** Goes on with the stroke; points that add nothing are left out. */
  extend(points: readonly Point[]): void {
    if (!this.current) return;
    const known = [...this.current.points];
    for (const point of points.map(inside)) {
      const last = known[known.length - 1];
      if (last && Math.hypot(point.x - last.x, point.y - last.y) >= STEP) known.push(point);
    }
    this.current = { ...this.current, points: known };
  }

  /** Puts the stroke down; what was undone before it is gone. */
  end(): void {
    if (!this.current) return;
    this.add(this.current);
    this.current = null;
  }

  /** Forgets the stroke, as when a finger turns out to scroll. */
  cancel(): void {
    this.current = null;
  }

  undo(): void {
    this.end();
    if (this.canUndo) this.at--;
  }

  redo(): void {
    if (this.current === null && this.canRedo) this.at++;
  }

  /** Clears the board; undo brings everything back. */
  clear(): void {
    this.end();
    if (this.strokes.length > 0) this.add("clear");
  }

  private add(action: Action): void {
    this.actions = [...this.actions.slice(0, this.at), action];
    this.at = this.actions.length;
  }
}

function inside({ x, y, pressure }: Point): Point {
  const within = (value: number, most: number) => Math.min(most, Math.max(0, value));
  return { x: within(x, WIDTH), y: within(y, HEIGHT), pressure: within(pressure, 1) };
}

/** The part of the board that is drawn on, with a margin, in whole units. */
export function extent(strokes: readonly Stroke[], margin = 24): { x: number; y: number; width: number; height: number } {
  const drawn = strokes.filter(({ tool }) => tool === "pen").flatMap(({ points }) => points);
  if (drawn.length === 0) return { x: 0, y: 0, width: WIDTH, height: HEIGHT };
  const xs = drawn.map(({ x }) => x);
  const ys = drawn.map(({ y }) => y);
  const x = Math.floor(Math.max(0, Math.min(...xs) - margin));
  const y = Math.floor(Math.max(0, Math.min(...ys) - margin));
  return { x, y, width: Math.ceil(Math.min(WIDTH, Math.max(...xs) + margin)) - x, height: Math.ceil(Math.min(HEIGHT, Math.max(...ys) + margin)) - y };
}
