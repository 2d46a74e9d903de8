/** How a drawing lies in its window: how large, and where its corner is. Lengths in CSS pixels. */
export interface View {
  /** Pixels for each unit of the drawing. */
  readonly scale: number;
  readonly x: number;
  readonly y: number;
}

export interface Size {
  readonly width: number;
  readonly height: number;
}

export interface Box extends Size {
  readonly x: number;
  readonly y: number;
}

export const SMALLEST = 0.25;
export const LARGEST = 4;
/** One press of a zoom button. */
export const STEP = 1.25;
/** Air around a drawing that is fitted in. */
const AIR = 24;

const within = (scale: number) => Math.min(LARGEST, Math.max(SMALLEST, scale));

/** The whole drawing in the middle, not larger than it was drawn. */
export function fit(drawing: Size, room: Size): View {
  const scale = within(Math.min(1, (room.width - 2 * AIR) / drawing.width, (room.height - 2 * AIR) / drawing.height));
  return centred(drawing, room, scale);
}

/** In its own size, in the middle. */
export function actualSize(drawing: Size, room: Size): View {
  return centred(drawing, room, 1);
}

function centred(drawing: Size, room: Size, scale: number): View {
  return { scale, x: (room.width - drawing.width * scale) / 2, y: (room.height - drawing.height * scale) / 2 };
}

/** Larger or smaller by `factor`; what lies at (`x`, `y`) of the window stays there. */
export function zoom(view: View, factor: number, x: number, y: number): View {
  const scale = within(view.scale * factor);
  const real = scale / view.scale;
  return { scale, x: x - (x - view.x) * real, y: y - (y - view.y) * real };
}

/** Moved, but never so far that less than a third of the window's width or height would show it. */
export function pan(view: View, dx: number, dy: number, drawing: Size, room: Size): View {
  return keep({ ...view, x: view.x + dx, y: view.y + dy }, drawing, room);
}

function keep(view: View, drawing: Size, room: Size): View {
  const bound = (at: number, length: number, space: number) => Math.min(space * (2 / 3), Math.max(space / 3 - length, at));
  return { ...view, x: bound(view.x, drawing.width * view.scale, room.width), y: bound(view.y, drawing.height * view.scale, room.height) };
}

/** Moved just so far that `box` (in units of the drawing) is in sight. */
export function reveal(view: View, box: Box, room: Size): View {
  const shift = (from: number, length: number, space: number) => {
    if (from < AIR) return AIR - from;
    const over = from + length - (space - AIR);
    return over > 0 ? -Math.min(over, from - AIR) : 0;
  };
  return {
    ...view,
    x: view.x + shift(view.x + box.x * view.scale, box.width * view.scale, room.width),
    y: view.y + shift(view.y + box.y * view.scale, box.height * view.scale, room.height),
  };
}
