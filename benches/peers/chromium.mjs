// A job by headless Chromium: a page of HTML, its screenshot.
import puppeteer from "puppeteer-core";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { arguments_, font, fontFile, places, textLine } from "./jobs.mjs";

const { job, assets, out } = arguments_();
const url = (file) => pathToFileURL(resolve(assets, file)).href;
const at = (x, y, width, height) => `position:absolute;left:${x}px;top:${y}px;width:${width}px;height:${height}px`;
const parts = [];
for (const p of job.photos ?? []) {
  parts.push(`<img src="${url(p.file)}" style="${at(p.x, p.y, p.width, p.height)};object-fit:cover;border-radius:${p.radius ?? 0}px">`);
}
if (job.text) {
  const { svg, left, top, width, height } = textLine(job);
  parts.push(`<div style="${at(left, top, width, height)}">${svg}</div>`);
}
if (job.art) {
  const { file, x, y, width, height } = job.art;
  parts.push(`<img src="${url(file)}" style="${at(x, y, width, height)};object-fit:contain">`);
}
if (job.tile) {
  const { file, side } = job.tile;
  for (const { x, y, angle } of places(job)) {
    parts.push(`<img src="${url(file)}" style="${at(x, y, side, side)};transform:rotate(${angle}deg)">`);
  }
}
const html = `<!doctype html><style>@font-face{font-family:"${font}";font-weight:700;` +
  `src:url(${url(fontFile)})}html,body{margin:0;overflow:hidden;` +
  `background:${job.ground ?? "transparent"}}</style>${parts.join("")}`;

const folder = await mkdtemp(join(tmpdir(), "presswork-peer-"));
const page_file = join(folder, "page.html");
await writeFile(page_file, html);
const browser = await puppeteer.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--allow-file-access-from-files", "--force-color-profile=srgb"],
  userDataDir: join(folder, "profile"),
});
try {
  const page = await browser.newPage();
  await page.setViewport({ width: job.width, height: job.height });
  await page.goto(pathToFileURL(page_file).href, { waitUntil: "load" });
  await page.evaluate(() => document.fonts.ready);
  await page.screenshot({ path: out, omitBackground: !job.ground, captureBeyondViewport: false });
} finally {
  await browser.close();
  await rm(folder, { recursive: true, force: true });
}
