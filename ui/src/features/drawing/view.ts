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
/** A small drawing is not blown up further than this to fill a large window. */
const LARGEST_FIT = 1.4;
/** Air around what is fitted in. */
const AIR = 24;

const within = (scale: number) => Math.min(LARGEST, Math.max(SMALLEST, scale));

/** What of a drawing is to be seen: the nodes of a map, without the paper around them; the whole of an illustration. */
export function contentOf({ width, height, nodes }: Size & { readonly nodes: readonly Box[] }): Box {
  if (nodes.length === 0) return { x: 0, y: 0, width, height };
  const x = Math.min(...nodes.map((node) => node.x));
  const y = Math.min(...nodes.map((node) => node.y));
  return { x, y, width: Math.max(...nodes.map((node) => node.x + node.width)) - x, height: Math.max(...nodes.map((node) => node.y + node.height)) - y };
}

/** All of it in the middle. */
export function fit(content: Box, room: Size): View {
  const scale = within(Math.min(LARGEST_FIT, (room.width - 2 * AIR) / content.width, (room.height - 2 * AIR) / content.height));
  return centred(content, room, scale);
}

/** In its own size, in the middle. */
export function actualSize(content: Box, room: Size): View {
  return centred(content, room, 1);
}

function centred(content: Box, room: Size, scale: number): View {
  const middle = (from: number, length: number, space: number) => space / 2 - (from + length / 2) * scale;
  return { scale, x: middle(content.x, content.width, room.width), y: middle(content.y, content.height, room.height) };
}

/** Larger or smaller by `factor`; what lies at (`x`, `y`) of the window stays there. */
export function zoom(view: View, factor: number, x: number, y: number): View {
  const scale = within(view.scale * factor);
  const real = scale / view.scale;
  return { scale, x: x - (x - view.x) * real, y: y - (y - view.y) * real };
}

/** Moved, but never so far that it is lost: a third of the window stays over it, or all of it where it is smaller. */
export function pan(view: View, dx: number, dy: number, content: Box, room: Size): View {
  const keep = (at: number, from: number, length: number, space: number) => {
    const [start, size] = [from * view.scale, length * view.scale];
    return Math.min(space * (2 / 3) - start, Math.max(space / 3 - start - size, at));
  };
  return { ...view, x: keep(view.x + dx, content.x, content.width, room.width), y: keep(view.y + dy, content.y, content.height, room.height) };
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
