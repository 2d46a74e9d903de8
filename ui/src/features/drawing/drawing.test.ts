import { describe, expect, it } from "vitest";
import type { Node } from "$lib/backend";
import { follow, treeBelow } from "./branches";
import { actualSize, contentOf, fit, LARGEST, pan, reveal, SMALLEST, zoom } from "./view";

const drawing = { x: 0, y: 0, width: 1000, height: 500 };
const room = { width: 800, height: 600 };

describe("the view", () => {
  it("fits the whole drawing in, in the middle, and blows a small one up only a little", () => {
    const view = fit(drawing, room);
    expect(view.scale).toBeCloseTo(0.752);
    expect(view.x).toBeCloseTo(24);
    expect(view.y + (drawing.height * view.scale) / 2).toBeCloseTo(300);
    expect(fit({ x: 7, y: 7, width: 100, height: 100 }, room).scale).toBe(1.4);
    expect(actualSize(drawing, room)).toEqual({ scale: 1, x: -100, y: 50 });
  });

  it("of a map leaves the paper around its nodes out", () => {
    const box = (x: number, y: number) => ({ x, y, width: 100, height: 40 });
    const content = contentOf({ width: 2000, height: 2000, nodes: [box(300, 200), box(900, 500)] });
    expect(content).toEqual({ x: 300, y: 200, width: 700, height: 340 });
    const view = fit(content, room);
    expect(view.scale).toBeCloseTo((room.width - 48) / 700);
    expect(view.x + 650 * view.scale).toBeCloseTo(400);
    expect(view.y + 370 * view.scale).toBeCloseTo(300);
    expect(contentOf({ width: 5, height: 6, nodes: [] })).toEqual({ x: 0, y: 0, width: 5, height: 6 });
  });

  it("keeps what lies under the pointer while zooming, within limits", () => {
    const view = fit(drawing, room);
    const [x, y] = [123, 456];
    const larger = zoom(view, 1.7, x, y);
    expect((x - larger.x) / larger.scale).toBeCloseTo((x - view.x) / view.scale);
    expect((y - larger.y) / larger.scale).toBeCloseTo((y - view.y) / view.scale);
    expect(zoom(view, 1000, 0, 0).scale).toBe(LARGEST);
    expect(zoom(view, 0.0001, 0, 0).scale).toBe(SMALLEST);
  });

  it("cannot be dragged out of sight", () => {
    for (const [dx, dy] of [[1e6, 1e6], [-1e6, -1e6]] as const) {
      const view = pan(fit(drawing, room), dx, dy, drawing, room);
      expect(view.x).toBeLessThan(room.width);
      expect(view.x + drawing.width * view.scale).toBeGreaterThan(0);
      expect(view.y).toBeLessThan(room.height);
      expect(view.y + drawing.height * view.scale).toBeGreaterThan(0);
    }
  });

  it("moves only as far as a box needs to be seen", () => {
    const view = { scale: 2, x: 0, y: 0 };
    expect(reveal(view, { x: 100, y: 100, width: 50, height: 20 }, room)).toEqual(view);
    const moved = reveal(view, { x: 600, y: 400, width: 50, height: 20 }, room);
    expect(600 * 2 + moved.x + 100).toBeCloseTo(room.width - 24);
    expect(400 * 2 + moved.y + 40).toBeCloseTo(room.height - 24);
    expect(reveal({ scale: 1, x: -500, y: 0 }, { x: 100, y: 50, width: 50, height: 20 }, room).x).toBeCloseTo(-76);
  });
});

const node = (id: number, parent: number | null, level: Node["level"], y: number, left: boolean, branch = 1): Node => ({ id, parent, level, branch, label: `n${id}`, x: 0, y, width: 10, height: 10, left });
/** A root with two branches on the right and one on the left; leaves on the first and on the left one. */
const nodes: Node[] = [
  node(0, null, "root", 100, false, 0),
  node(1, 0, "branch", 50, false, 1),
  node(2, 1, "leaf", 20, false, 1),
  node(3, 1, "leaf", 60, false, 1),
  node(4, 0, "branch", 160, false, 2),
  node(5, 0, "branch", 90, true, 3),
  node(6, 5, "leaf", 95, true, 3),
];

describe("the arrow keys", () => {
  it("begin at the root and follow its branches to both sides", () => {
    expect(follow(nodes, null, "ArrowRight")).toBe(0);
    expect(follow(nodes, 0, "ArrowRight")).toBe(1);
    expect(follow(nodes, 0, "ArrowLeft")).toBe(5);
    expect(follow(nodes, 5, "ArrowLeft")).toBe(6);
    expect(follow(nodes, 6, "ArrowRight")).toBe(5);
    expect(follow(nodes, 5, "ArrowRight")).toBe(0);
    expect(follow(nodes, 1, "ArrowLeft")).toBe(0);
    expect(follow(nodes, 3, "Home")).toBe(0);
  });

  it("go up and down among those of the same level and side", () => {
    expect(follow(nodes, 2, "ArrowDown")).toBe(3);
    expect(follow(nodes, 3, "ArrowDown")).toBe(3);
    expect(follow(nodes, 4, "ArrowUp")).toBe(1);
    expect(follow(nodes, 5, "ArrowDown")).toBe(5);
  });

  it("stay where the way ends, and leave other keys alone", () => {
    expect(follow(nodes, 4, "ArrowRight")).toBe(4);
    expect(follow(nodes, 6, "ArrowLeft")).toBe(6);
    expect(follow(nodes, 1, "a")).toBeNull();
    expect(follow([], null, "ArrowRight")).toBeNull();
  });

  it("walk the same tree as the list", () => {
    const [root] = treeBelow(nodes, null);
    expect(root?.children.map(({ node: { id } }) => id)).toEqual([1, 4, 5]);
    expect(root?.children[0]?.children.map(({ node: { id } }) => id)).toEqual([2, 3]);
  });
});
