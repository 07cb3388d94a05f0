// Draws a job with sharp (libvips), as its own documentation would have it.
import sharp from "sharp";
import { readFile } from "node:fs/promises";
import { places, textLine } from "./jobs.mjs";

const nothing = { r: 0, g: 0, b: 0, alpha: 0 };

// `asset` gives what sharp reads a picture from: a path, or bytes. `png` are sharp's settings of the file.
export async function draw(job, asset, png = {}) {
  const layers = [];

  for (const photo of job.photos ?? []) {
    let image = sharp(asset(photo.file)).resize(photo.width, photo.height, { fit: "cover" });
    if (photo.radius) {
      const { width, height, radius } = photo;
      const mask = `<svg width="${width}" height="${height}"><rect width="${width}" height="${height}" rx="${radius}"/></svg>`;
      image = image.composite([{ input: Buffer.from(mask), blend: "dest-in" }]).ensureAlpha();
    }
    const { data, info } = await image.raw().toBuffer({ resolveWithObject: true });
    layers.push({ input: data, raw: info, left: photo.x, top: photo.y });
  }
  if (job.text) {
    const { svg, left, top } = textLine(job);
    layers.push({ input: Buffer.from(svg), left, top });
  }
  if (job.art) {
    const { file, x, y, width, height } = job.art;
    const input = await sharp(await bytes(asset(file)))
      .resize(width, height, { fit: "contain", background: nothing })
      .raw().toBuffer({ resolveWithObject: true });
    layers.push({ input: input.data, raw: input.info, left: x, top: y });
  }
  if (job.tile?.turn) {
    // Decoded once; then all are turned, as many at a time as sharp has threads for.
    const tile = await sharp(asset(job.tile.file)).ensureAlpha().raw().toBuffer({ resolveWithObject: true });
    const turned = await Promise.all(places(job).map((place) => turnedTile(job, tile, place)));
    layers.push(...turned.filter((layer) => layer));
  } else if (job.tile) {
    layers.push({ input: asset(job.tile.file), tile: true, gravity: "northwest" });
  }

  const background = job.ground ?? nothing;
  const canvas = sharp({ create: { width: job.width, height: job.height, channels: job.ground ? 3 : 4, background }, limitInputPixels: false });
  let picture = canvas.composite(layers);
  if (job.ground) picture = picture.removeAlpha();
  return picture.withMetadata({ density: 300 }).png(png);
}

// A turned copy of a tile where it stands; nothing where it lies beyond the canvas.
async function turnedTile(job, tile, { x, y, angle }) {
  const { side } = job.tile;
  const turned = sharp(tile.data, { raw: tile.info }).rotate(angle, { background: nothing });
  let { data, info } = await turned.raw().toBuffer({ resolveWithObject: true });
  let left = Math.round(x + side / 2 - info.width / 2);
  let top = Math.round(y + side / 2 - info.height / 2);
  // What lies beyond the canvas is cut off: sharp refuses it otherwise.
  const cut = {
    left: Math.max(0, -left), top: Math.max(0, -top),
    width: Math.min(info.width, job.width - left) - Math.max(0, -left),
    height: Math.min(info.height, job.height - top) - Math.max(0, -top),
  };
  if (cut.width <= 0 || cut.height <= 0) return null;
  if (cut.width < info.width || cut.height < info.height) {
    ({ data, info } = await sharp(data, { raw: info }).extract(cut).raw().toBuffer({ resolveWithObject: true }));
    left += cut.left;
    top += cut.top;
  }
  return { input: data, raw: info, left, top };
}

const bytes = (source) => (typeof source === "string" ? readFile(source) : source);
