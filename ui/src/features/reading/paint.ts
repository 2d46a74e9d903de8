/** Draws strokes on a canvas, and the board as a picture on white paper. */
import { extent, type Point, type Stroke } from "./board.svelte";

/** How thick a line is at this pressure: half to one and a half times its width. */
function thickness(stroke: Stroke, pressure: number): number {
  return stroke.tool === "eraser" ? stroke.width : stroke.width * (0.5 + pressure);
}

const middle = (a: Point, b: Point) => ({ x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 });

/**
 * Draws `stroke` from its point number `from` on, in `ink`. Between the middles of neighbouring points it runs along curves
 * whose corners the points are: a hand's small shakes vanish, and what was drawn before stays as it is when more comes.
 */
export function paint(canvas: CanvasRenderingContext2D, stroke: Stroke, ink: string, from = 0): void {
  const { points } = stroke;
  const first = points[0];
  if (!first) return;
  canvas.save();
  canvas.globalCompositeOperation = stroke.tool === "eraser" ? "destination-out" : "source-over";
  canvas.strokeStyle = ink;
  canvas.fillStyle = ink;
  canvas.lineCap = "round";
  canvas.lineJoin = "round";
  if (points.length === 1) {
    canvas.beginPath();
    canvas.arc(first.x, first.y, thickness(stroke, first.pressure) / 2, 0, 2 * Math.PI);
    canvas.fill();
  }
  for (let at = Math.max(1, from); at < points.length; at++) {
    const [before, point] = [points[at - 1], points[at]];
    if (!before || !point) continue;
    const start = at === 1 ? before : middle(points[at - 2] ?? before, before);
    const end = at === points.length - 1 && from === 0 ? point : middle(before, point);
    canvas.lineWidth = thickness(stroke, (before.pressure + point.pressure) / 2);
    canvas.beginPath();
    canvas.moveTo(start.x, start.y);
    canvas.quadraticCurveTo(before.x, before.y, end.x, end.y);
    canvas.stroke();
  }
  canvas.restore();
}

/** What is drawn as a PNG: black on white, cut to what there is, twice its size. Base64 without the address before it. */
export function picture(strokes: readonly Stroke[], scale = 2): string {
  const { x, y, width, height } = extent(strokes);
  const ink = sheet(width * scale, height * scale);
  ink.scale(scale, scale);
  ink.translate(-x, -y);
  for (const stroke of strokes) paint(ink, stroke, "#111111");
  // The eraser leaves holes, so the paper comes below afterwards.
  const paper = sheet(width * scale, height * scale);
  paper.fillStyle = "#ffffff";
  paper.fillRect(0, 0, width * scale, height * scale);
  paper.drawImage(ink.canvas, 0, 0);
  return paper.canvas.toDataURL("image/png").replace(/^data:[^,]*,/, "");
}

function sheet(width: number, height: number): CanvasRenderingContext2D {
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext("2d");
  if (!context) throw new Error("this web view has no canvas");
  return context;
}
