// The jobs of benches/jobs in pixels, as the peers draw them. The `box` of a text is what its ink fills.

export const font = "Libertinus Serif";
export const fontFile = "LibertinusSerif-Bold.otf";

export const jobs = {
  tee: {
    width: 4500, height: 5400, ground: null,
    photos: [{ file: "photo.jpg", x: 300, y: 300, width: 3900, height: 2925, radius: 150 }],
    text: { words: "Happy Birthday Grace", size: 420, x: 2250, baseline: 3706, fill: "#ff69b4", stroke: "#ffffff", strokeWidth: 24,
      box: [115, 3400, 4377, 3817] },
    art: { file: "art.svg", x: 1550, y: 3900, width: 1400, height: 1400 },
  },
  mug: {
    width: 2700, height: 1105, ground: "#fdf6ec",
    photos: ["a", "b", "c", "d"].map((name, i) => ({ file: `mug-${name}.jpg`, x: 100 + i * 650, y: 100, width: 560, height: 560 })),
    text: { words: "Four of us, one mug", size: 200, x: 1350, baseline: 935, fill: "#2a4858", box: [450, 795, 2250, 983] },
  },
  sticker: {
    width: 900, height: 900, ground: "#fff4e0",
    photos: [{ file: "face.png", x: 150, y: 80, width: 600, height: 600 }],
    text: { words: "Stuck on you", size: 100, x: 450, baseline: 813, fill: "#7a3b2e" },
  },
  wrap: { width: 7200, height: 10800, ground: "#8ecae6", tile: { file: "face.png", side: 600 } },
  "wrap-tumble": { width: 7200, height: 10800, ground: "#8ecae6", tile: { file: "face.png", side: 600, turn: 25 } },
};

// Where a tile's copies stand: the corner of each, and its angle in degrees. The angles are not
// presswork's own, so pictures of a tumbling wrap are not compared.
export function places(job) {
  const { side, turn } = job.tile;
  const out = [];
  let seed = 7;
  const random = () => (seed = (seed * 16807) % 2147483647) / 2147483647;
  const columns = Math.ceil(job.width / side);
  for (let column = 0; column < columns; column++) {
    const drop = turn && column % 2 === 1 ? side / 2 : 0;
    for (let y = -drop; y < job.height; y += side) {
      out.push({ x: column * side, y, angle: turn ? (random() * 2 - 1) * turn : 0 });
    }
  }
  return out;
}

const escaped = (text) => text.replace(/&/g, "&amp;").replace(/</g, "&lt;");

// A job's text as an SVG of the canvas' width, no higher than the line, and where it lies.
export function textLine(job) {
  const { words, size, x, baseline, fill, stroke, strokeWidth } = job.text;
  // Ascenders, descenders and the stroke are well inside.
  const top = Math.floor(baseline - size - (strokeWidth ?? 0));
  const height = Math.ceil(baseline + size * 0.4 + (strokeWidth ?? 0)) - top;
  const line = stroke
    ? ` stroke="${stroke}" stroke-width="${strokeWidth}" stroke-linejoin="round" paint-order="stroke"`
    : "";
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${job.width}" height="${height}">` +
    `<text x="${x}" y="${baseline - top}" text-anchor="middle" font-family="${font}" font-weight="700" ` +
    `font-size="${size}" fill="${fill}"${line}>${escaped(words)}</text></svg>`;
  return { svg, left: 0, top, width: job.width, height };
}

// The boxes of a job's layers, NAME=LEFT,TOP,RIGHT,BOTTOM, inside which pictures are compared.
export function boxes(job) {
  const box = (name, x, y, width, height) => `${name}=${x},${y},${x + width},${y + height}`;
  const out = (job.photos ?? []).map((p) => box(p.file, p.x, p.y, p.width, p.height));
  if (job.text) out.push(`words=${job.text.box}`);
  if (job.art) out.push(box(job.art.file, job.art.x, job.art.y, job.art.width, job.art.height));
  if (job.tile) out.push(box(job.tile.file, 0, 0, job.width, job.height));
  return out;
}

export function arguments_() {
  const [name, assets, out] = process.argv.slice(2);
  if (!jobs[name] || !assets || !out) {
    console.error(`usage: node ${process.argv[1]} ${Object.keys(jobs).join("|")} ASSETS OUT.png`);
    process.exit(2);
  }
  return { name, job: jobs[name], assets, out };
}
