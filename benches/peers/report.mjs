// One table from what run.sh left: times, ratios to presswork, bars, sizes, peaks, likeness; above it what was
// measured with what.
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, statSync } from "node:fs";
import { cpus } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const out = process.argv[2];
const here = dirname(fileURLToPath(import.meta.url));
const read = (name) => (existsSync(`${out}/${name}`) ? readFileSync(`${out}/${name}`, "utf8").trim() : "");
const peers = ["presswork", "sharp", "skia", "magick", "chromium", "floor"];
// How many times as long sharp has to take.
const bars = { tee: 8, "tee-dtg": 5, wrap: 8, "wrap-tumble": 4, mug: 5 };

const version = (command, ...args) => {
  try {
    return execFileSync(command, args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
  } catch {
    return "";
  }
};
const number = (text) => /\d+(\.\d+)+(-\d+)?/.exec(text)?.[0] ?? "?";
const packaged = (name) => {
  const file = join(here, "node_modules", name, "package.json");
  return existsSync(file) ? JSON.parse(readFileSync(file, "utf8")).version : "?";
};

const rows = [["job", "program", "wall s", "CPU s", "times", "bar", "CPU over the floor's", "MB", "peak MB", "SSIM, worst tile"]];
for (const job of Object.keys(bars)) {
  const results = new Map();
  for (const peer of peers) {
    const json = read(`${peer}-${job}.json`);
    if (json) results.set(peer, JSON.parse(json).results[0]);
  }
  const own = results.get("presswork");
  if (!own) continue;
  const cpu = (result) => result.user + result.system;
  for (const peer of peers) {
    const found = results.get(peer);
    if (!found) {
      if (existsSync(`${out}/${peer}-${job}.failed`)) rows.push([job, peer, "failed", "", "", "", "", "", "", ""]);
      continue;
    }
    const floor = results.get("floor");
    rows.push([
      job, peer, found.median.toFixed(3), cpu(found).toFixed(3), (found.median / own.median).toFixed(2),
      peer === "sharp" ? bars[job] : "",
      peer === "presswork" && floor ? (cpu(own) / cpu(floor)).toFixed(2) : "",
      (statSync(`${out}/${peer}-${job}.png`).size / 1e6).toFixed(2),
      (Number(read(`${peer}-${job}.peak`)) * 1024 / 1e6).toFixed(0), read(`${peer}-${job}.alike`),
    ]);
  }
}
const commit = version("git", "-C", here, "describe", "--always", "--dirty");
const date = new Date().toISOString().slice(0, 10);
console.log(`${cpus()[0].model}, ${cpus().length} threads; ${date}; presswork ${commit}, rustc ${number(version("rustc", "--version"))};`);
console.log(`Node.js ${process.version}, sharp ${packaged("sharp")}, @napi-rs/canvas ${packaged("@napi-rs/canvas")} (Skia), ` +
  `ImageMagick ${number(version("convert", "--version"))}, Chromium ${number(version("chromium", "--version"))}, ` +
  `hyperfine ${number(version("hyperfine", "--version"))}; medians, each job's programs in turn\n`);
rows.splice(1, 0, rows[0].map(() => "---"));
for (const row of rows) console.log(`| ${row.join(" | ")} |`);
