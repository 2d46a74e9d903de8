/** The whiteboard as a person uses it, and what lies on it. */
import { at } from "./page.mjs";

/** Draws a line through these points, given as parts of the board's width and height. */
export async function draw(page, ...points) {
  const box = await at(page, "board").boundingBox();
  const [first, ...rest] = points.map(([x, y]) => [box.x + x * box.width, box.y + y * box.height]);
  await page.mouse.move(...first);
  await page.mouse.down();
  for (const point of rest) await page.mouse.move(...point, { steps: 5 });
  await page.mouse.up();
}

export const strokes = (page) => at(page, "board").getAttribute("data-strokes").then(Number);

/** How much ink lies at this part of the board, 0 to 255. */
export const inkAt = (page, x, y) =>
  at(page, "board").evaluate((canvas, [x, y]) => canvas.getContext("2d").getImageData(Math.round(x * canvas.width), Math.round(y * canvas.height), 1, 1).data[3], [x, y]);

/** The tests read the canvas; the page itself never does. */
export const READS = { expected: [/willReadFrequently/] };
