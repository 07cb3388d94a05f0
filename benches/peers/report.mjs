// One table from what run.sh left: times, ratios to sharp and to presswork, sizes, peaks, likeness.
import { existsSync, readFileSync, statSync } from "node:fs";
import { cpus } from "node:os";

const out = process.argv[2];
const read = (name) => (existsSync(`${out}/${name}`) ? readFileSync(`${out}/${name}`, "utf8").trim() : "");
const peers = ["presswork", "sharp", "skia", "magick", "chromium", "floor"];
const rows = [["job", "program", "wall s", "CPU s", "times presswork's wall", "CPU", "MB", "peak MB", "SSIM, worst tile"]];
for (const job of ["tee", "tee-dtg", "wrap", "wrap-tumble", "mug"]) {
  const results = new Map();
  for (const peer of peers) {
    const json = read(`${peer}-${job}.json`);
    if (json) results.set(peer, JSON.parse(json).results[0]);
  }
  const own = results.get("presswork");
  if (!own) continue;
  for (const peer of peers) {
    const found = results.get(peer);
    if (!found) continue;
    const cpu = found.user + found.system;
    rows.push([
      job, peer, found.median.toFixed(3), cpu.toFixed(3), (found.median / own.median).toFixed(2),
      (cpu / (own.user + own.system)).toFixed(2),
      (statSync(`${out}/${peer}-${job}.png`).size / 1e6).toFixed(2),
      (Number(read(`${peer}-${job}.peak`)) * 1024 / 1e6).toFixed(0), read(`${peer}-${job}.alike`),
    ]);
  }
}
console.log(`${cpus()[0].model}, ${cpus().length} threads; Node.js ${process.version}; medians of one run in turn\n`);
rows.splice(1, 0, rows[0].map(() => "---"));
for (const row of rows) console.log(`| ${row.join(" | ")} |`);
