// A job by Skia's canvas.
import { createCanvas, loadImage, GlobalFonts } from "@napi-rs/canvas";
import { writeFile } from "node:fs/promises";
import { arguments_, font, fontFile, places } from "./jobs.mjs";

const { job, assets, out } = arguments_();
GlobalFonts.registerFromPath(`${assets}/${fontFile}`, font);
const canvas = createCanvas(job.width, job.height);
const context = canvas.getContext("2d");
context.imageSmoothingQuality = "high";
if (job.ground) {
  context.fillStyle = job.ground;
  context.fillRect(0, 0, job.width, job.height);
}
for (const photo of job.photos ?? []) {
  const image = await loadImage(`${assets}/${photo.file}`);
  const scale = Math.max(photo.width / image.width, photo.height / image.height);
  const [width, height] = [photo.width / scale, photo.height / scale];
  context.save();
  if (photo.radius) {
    context.beginPath();
    context.roundRect(photo.x, photo.y, photo.width, photo.height, photo.radius);
    context.clip();
  }
  context.drawImage(image, (image.width - width) / 2, (image.height - height) / 2, width, height,
    photo.x, photo.y, photo.width, photo.height);
  context.restore();
}
if (job.text) {
  const { words, size, x, baseline, fill, stroke, strokeWidth } = job.text;
  context.font = `bold ${size}px "${font}"`;
  context.textAlign = "center";
  if (stroke) {
    context.lineJoin = "round";
    context.strokeStyle = stroke;
    context.lineWidth = strokeWidth;
    context.strokeText(words, x, baseline);
  }
  context.fillStyle = fill;
  context.fillText(words, x, baseline);
}
if (job.art) {
  const { file, x, y, width, height } = job.art;
  const image = await loadImage(`${assets}/${file}`);
  const scale = Math.min(width / image.width, height / image.height);
  const [w, h] = [image.width * scale, image.height * scale];
  // Vector art is rasterised at the size it is asked for.
  image.width = Math.round(w);
  image.height = Math.round(h);
  context.drawImage(image, x + (width - w) / 2, y + (height - h) / 2, w, h);
}
if (job.tile) {
  const image = await loadImage(`${assets}/${job.tile.file}`);
  const { side } = job.tile;
  for (const { x, y, angle } of places(job)) {
    context.save();
    context.translate(x + side / 2, y + side / 2);
    context.rotate((angle * Math.PI) / 180);
    context.drawImage(image, -side / 2, -side / 2, side, side);
    context.restore();
  }
}
await writeFile(out, await canvas.encode("png"));
