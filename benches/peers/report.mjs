// One table from what run.sh left: times, ratios to presswork, sizes, peaks, likeness; above it what was
// measured with what, below it a verdict for every bar: report.mjs OUT JOBS PEERS
//
// Exits 1 where a bar is missed, or a program that was asked for has failed.
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, statSync } from "node:fs";
import { cpus } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const [out, jobs, asked] = process.argv.slice(2);
const here = dirname(fileURLToPath(import.meta.url));
const has = (name) => existsSync(`${out}/${name}`);
const read = (name) => (has(name) ? readFileSync(`${out}/${name}`, "utf8").trim() : "");
const result = (name) => (has(`${name}.json`) ? JSON.parse(read(`${name}.json`)).results[0] : null);
const programs = ["presswork", "floor", ...asked.split(" ").filter(Boolean)];
// How many times as long sharp has to take; the most bytes and memory; the most processor time, in floors.
const times = { tee: 8, "tee-dtg": 5, wrap: 8, "wrap-tumble": 4, mug: 5 };
const mostBytes = { "tee-dtg": 25_000_000 };
const mostPeak = { tee: 100e6, wrap: 100e6 };
const mostFloors = { tee: 1.5, wrap: 1.5 };

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

// What is known of a program's run of a job.
function figures(program, job) {
  const name = `${program}-${job}`;
  const timed = result(name);
  if (!timed) return null;
  return {
    runs: timed.times.length, wall: timed.median, cpu: timed.user + timed.system,
    bytes: statSync(`${out}/${name}.png`).size, peak: Number(read(`${name}.peak`)) * 1024,
  };
}

// Whether a picture is the same as presswork's, in words.
function likeness(program, job) {
  const name = `${program}-${job}`;
  if (program === "presswork" || program === "floor") return "";
  if (job === "wrap-tumble") return "not compared: angles are each program's own";
  const [layer, ssim, tile, ink] = read(`${name}.alike`).split(" ");
  const found = tile === undefined ? "NOT COMPARED" : `${ssim} (${layer}), ${tile}, ${ink} px`;
  return has(`${name}.differs`) ? `**NOT THE SAME WORK**: ${found}` : found;
}

const columns = ["job", "program", "runs", "wall s", "CPU s", "times", "CPU over the floor's", "MB", "peak MB",
  "least SSIM of a layer, of a tile, ink's bounds"];
const rows = [columns, columns.map(() => "---")];
const verdicts = [];
const judge = (job, what, holds, found) => verdicts.push({ job, what, holds, found });

for (const job of jobs.split(" ").filter(Boolean)) {
  const all = new Map(programs.map((program) => [program, figures(program, job)]));
  const own = all.get("presswork");
  const floor = all.get("floor");
  for (const [program, found] of all) {
    const row = (...cells) => rows.push([job, program, ...cells, ...columns.map(() => "")].slice(0, columns.length));
    if (found) {
      // A browser is many processes, of which the system tells the largest.
      const least = program === "chromium" ? "≥ " : "";
      row(found.runs, found.wall.toFixed(3), found.cpu.toFixed(3), (found.wall / own.wall).toFixed(2),
        program === "presswork" && floor ? (own.cpu / floor.cpu).toFixed(2) : "", (found.bytes / 1e6).toFixed(2),
        least + (found.peak / 1e6).toFixed(0), likeness(program, job));
    } else if (has(`${program}-${job}.none`)) {
      row("has no such job");
    } else if (program !== "floor" || mostFloors[job]) {
      row("**FAILED**");
      judge(job, `${program} does it`, false, "it failed");
    }
  }
  const sharp = all.get("sharp");
  if (sharp) {
    const ratio = sharp.wall / own.wall;
    judge(job, `sharp takes ${times[job]} times as long, or more`, ratio >= times[job], ratio.toFixed(2));
    judge(job, "the file is no larger than sharp's", own.bytes <= sharp.bytes, `${own.bytes} of ${sharp.bytes} bytes`);
    if (job !== "wrap-tumble") {
      const same = has(`sharp-${job}.alike`) && !has(`sharp-${job}.differs`);
      judge(job, "sharp's picture is the same", same, likeness("sharp", job));
    }
  } else {
    judge(job, "sharp's time, size and picture", null, "not measured");
  }
  if (mostBytes[job]) judge(job, `at most ${mostBytes[job]} bytes`, own.bytes <= mostBytes[job], String(own.bytes));
  if (mostPeak[job]) {
    judge(job, `a peak of ${mostPeak[job] / 1e6} MB at most`, own.peak <= mostPeak[job], `${(own.peak / 1e6).toFixed(1)} MB`);
  }
  if (mostFloors[job] && floor) {
    const ratio = own.cpu / floor.cpu;
    judge(job, `${mostFloors[job]} times the floor's CPU at most`, ratio <= mostFloors[job], ratio.toFixed(2));
  }
}

const commit = version("git", "-C", here, "describe", "--always", "--dirty");
const date = new Date().toISOString().slice(0, 10);
console.log(`${cpus()[0].model}, ${cpus().length} threads; ${date}; presswork ${commit}, rustc ${number(version("rustc", "--version"))};`);
console.log(`Node.js ${process.version}, sharp ${packaged("sharp")}, @napi-rs/canvas ${packaged("@napi-rs/canvas")} (Skia), ` +
  `ImageMagick ${number(version("convert", "--version"))}, Chromium ${number(version("chromium", "--version"))}, ` +
  `hyperfine ${number(version("hyperfine", "--version"))}; medians, each job's programs in turn.`);
const started = ["sharp", "canvas"].map((name) => [name, result(`start-${name}`)]).filter(([, timed]) => timed);
if (started.length) {
  const told = started.map(([name, { median, user, system }]) =>
    `${median.toFixed(3)} s (CPU ${(user + system).toFixed(3)}) with ${name === "canvas" ? "Skia's canvas" : name}`);
  console.log(`The start of Node.js and the import are within its peers' figures: ${told.join(", ")}.`);
}
console.log("Peaks are of the largest process of a program: a browser has many, and takes more.\n");
for (const row of rows) console.log(`| ${row.join(" | ")} |`);
console.log("\n| job | bar | found | |\n|---|---|---|---|");
for (const { job, what, holds, found } of verdicts) {
  console.log(`| ${job} | ${what} | ${found} | ${holds === null ? "–" : holds ? "held" : "**MISSED**"} |`);
}
process.exit(verdicts.some(({ holds }) => holds === false) ? 1 : 0);
