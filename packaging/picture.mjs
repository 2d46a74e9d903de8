/**
 * A PNG of a virtual screen: `node picture.mjs XWD PNG`, where XWD is the file that `Xvfb -fbdir` keeps current.
 * Waits until the screen shows something, and fails when it stays one surface of few colours.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { crc32, deflateSync } from "node:zlib";

/** An empty window has a handful of colours; a page with smoothed text has far more. */
const COLOURS = 24;
const PATIENCE = 30_000;

const [source, target] = process.argv.slice(2);
const deadline = Date.now() + PATIENCE;
let screen;
do {
  screen = read(readFileSync(source));
  if (screen.colours >= COLOURS) break;
  await new Promise((resolve) => setTimeout(resolve, 200));
} while (Date.now() < deadline);
writeFileSync(target, png(screen));
console.log(`${screen.width} × ${screen.height} pixels, ${screen.colours} colours: ${target}`);
process.exitCode = screen.colours >= COLOURS ? 0 : 1;

/** Width, height, rows of red, green and blue behind PNG's filter byte, number of colours. */
function read(file) {
  const word = (idx) => file.readUInt32BE(4 * idx);
  const [header, width, height, bits, stride, colormap] = [word(0), word(4), word(5), word(11), word(12), word(19)];
  const isLittle = word(7) === 0;
  if (bits !== 32) throw new Error(`${bits} bits for a pixel: this reads screens of 24 and 32`);
  const pixels = header + 12 * colormap;
  const rows = Buffer.alloc(height * (1 + 3 * width));
  const seen = new Set();
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const at = pixels + y * stride + 4 * x;
      const colour = (isLittle ? file.readUInt32LE(at) : file.readUInt32BE(at)) & 0xffffff;
      seen.add(colour);
      rows.writeUIntBE(colour, y * (1 + 3 * width) + 1 + 3 * x, 3);
    }
  }
  return { width, height, rows, colours: seen.size };
}

function png({ width, height, rows }) {
  const size = Buffer.alloc(13);
  size.writeUInt32BE(width, 0);
  size.writeUInt32BE(height, 4);
  // 8 bits, red green blue, no interlacing.
  size.set([8, 2, 0, 0, 0], 8);
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  return Buffer.concat([signature, chunk("IHDR", size), chunk("IDAT", deflateSync(rows)), chunk("IEND", Buffer.alloc(0))]);
}

function chunk(name, data) {
  const body = Buffer.concat([Buffer.from(name), data]);
  const frame = Buffer.alloc(8 + body.length);
  frame.writeUInt32BE(data.length, 0);
  body.copy(frame, 4);
  frame.writeUInt32BE(crc32(body), 4 + body.length);
  return frame;
}
