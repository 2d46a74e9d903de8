import { describe, expect, it } from "vitest";
import { Board, ERASER, extent, HEIGHT, PENS, WIDTH, type Point } from "./board.svelte";

const at = (x: number, y: number, pressure = 0.5): Point => ({ x, y, pressure });

/** Draws a line of three points beginning at `x`. */
function draw(board: Board, x: number, tool: "pen" | "eraser" = "pen") {
  board.begin(tool, tool === "pen" ? PENS.thin : ERASER, at(x, 10));
  board.extend([at(x + 10, 20), at(x + 20, 30)]);
  board.end();
}
const places = (board: Board) => board.strokes.map(({ points }) => points[0]?.x);

describe("the whiteboard", () => {
  it("keeps strokes in the order in which they were drawn", () => {
    const board = new Board();
    expect(board.empty).toBe(true);
    draw(board, 1);
    draw(board, 2);
    expect(places(board)).toEqual([1, 2]);
    expect(board.empty).toBe(false);
  });

  it("shows what is being drawn apart, and forgets what was broken off", () => {
    const board = new Board();
    board.begin("pen", 3, at(5, 5));
    expect(board.strokes).toEqual([]);
    expect(board.current?.points).toHaveLength(1);
    board.cancel();
    expect([board.current, board.canUndo]).toEqual([null, false]);
  });

  it("undoes and redoes step by step, to both ends and no further", () => {
    const board = new Board();
    [1, 2, 3].forEach((x) => draw(board, x));
    board.undo();
    board.undo();
    expect(places(board)).toEqual([1]);
    board.redo();
    expect(places(board)).toEqual([1, 2]);
    for (let i = 0; i < 5; i++) board.undo();
    expect([places(board), board.canUndo, board.canRedo]).toEqual([[], false, true]);
    for (let i = 0; i < 5; i++) board.redo();
    expect([places(board), board.canRedo]).toEqual([[1, 2, 3], false]);
  });

  it("forgets what was undone as soon as something new is drawn", () => {
    const board = new Board();
    draw(board, 1);
    draw(board, 2);
    board.undo();
    draw(board, 3);
    expect([places(board), board.canRedo]).toEqual([[1, 3], false]);
  });

  it("clears everything, and undo brings it back", () => {
    const board = new Board();
    draw(board, 1);
    draw(board, 2);
    board.clear();
    expect([board.strokes, board.empty]).toEqual([[], true]);
    draw(board, 3);
    expect(places(board)).toEqual([3]);
    board.undo();
    board.undo();
    expect(places(board)).toEqual([1, 2]);
  });

  it("does not count clearing an empty board", () => {
    const board = new Board();
    board.clear();
    expect(board.canUndo).toBe(false);
  });

  it("treats rubbing as a stroke of its own: undone alone, and no drawing by itself", () => {
    const board = new Board();
    draw(board, 1, "eraser");
    expect(board.empty).toBe(true);
    draw(board, 2);
    draw(board, 3, "eraser");
    expect(board.strokes.map(({ tool }) => tool)).toEqual(["eraser", "pen", "eraser"]);
    board.undo();
    expect(board.strokes.map(({ tool }) => tool)).toEqual(["eraser", "pen"]);
  });

  it("leaves out points that say nothing new and holds the rest on the board", () => {
    const board = new Board();
    board.begin("pen", 3, at(10, 10));
    board.extend([at(10.3, 10.2), at(10.4, 10.3), at(20, 10), at(-50, HEIGHT + 90), at(WIDTH + 5, 20, 7)]);
    expect(board.current?.points).toEqual([at(10, 10), at(20, 10), at(0, HEIGHT), at(WIDTH, 20, 1)]);
  });

  it("puts a stroke down before another begins or something is undone", () => {
    const board = new Board();
    board.begin("pen", 3, at(1, 1));
    board.begin("pen", 3, at(2, 2));
    expect(places(board)).toEqual([1]);
    board.undo();
    expect([places(board), board.current]).toEqual([[1], null]);
  });
});

describe("the picture's frame", () => {
  it("is what was drawn with a margin, within the board", () => {
    const board = new Board();
    draw(board, 100);
    expect(extent(board.strokes)).toEqual({ x: 76, y: 0, width: 68, height: 54 });
  });

  it("does not grow with what was only rubbed", () => {
    const board = new Board();
    draw(board, 100);
    const before = extent(board.strokes);
    draw(board, 600, "eraser");
    expect(extent(board.strokes)).toEqual(before);
  });

  it("is the whole board where nothing was drawn", () => {
    expect(extent([])).toEqual({ x: 0, y: 0, width: WIDTH, height: HEIGHT });
  });
});
