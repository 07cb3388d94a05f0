// What a job costs as it grows: processor seconds against canvas area, layers, a photo's
// megapixels, a pattern's prints, the corners of a path and threads. Draws docs/images/scaling.svg and
// prints the table.
//
//   node benches/scaling/run.mjs PRESSWORK [RUNS]
//
// PRESSWORK is a release build. Costs are user and system time to the millisecond, the median of RUNS
// (5). What a cost follows is found by least squares of the relative errors: a + b x^e, where a, what does
// not grow, and b are at least 0 and e is one of 0, 0.01 … 2. Where a job without any of what is counted
// can be made, it is a point too. Where the last point is not dearer than the first by a tenth, there is no
// exponent to be told. Threads are no size of a job: of them it is told how much dearer the dearest
// point is than the cheapest. Exits 1 where an exponent is above 1.1.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const here = dirname(fileURLToPath(import.meta.url))
const root = join(here, '..', '..')
const [program, runs = '5'] = process.argv.slice(2)
if (!program || !(Number(runs) >= 1)) fail('usage: run.mjs PRESSWORK [RUNS]')
const photo = join(root, 'benches/assets/photo.jpg')
if (!existsSync(photo)) fail(`${photo} is missing: run benches/peers/setup.sh`)
const work = mkdtempSync(join(tmpdir(), 'scaling-'))
/** The steepest growth that is let pass: in proportion, and what noise adds. */
const STEEPEST = 1.1

function fail(why) {
  console.error(why)
  process.exit(2)
}

/** Writes a template, gives its pin. */
function template(id, width, height, layers, fields = {}) {
  const folder = join(work, 'catalog', id, '1')
  mkdirSync(folder, { recursive: true })
  const surfaces = [{ name: 'front', width, height, layers }]
  const whole = { schema: 'presswork.template/1', name: id, profiles: ['plain-300'], fields, surfaces }
  writeFileSync(join(folder, 'template.json'), JSON.stringify(whole))
  return `${id}@1`
}

/** Processor seconds of a render, the median of some. */
function cost(id, pin, customization = {}, threads = 1) {
  const order = { schema: 'presswork.order/1', job_id: id, template: pin, profile: 'plain-300', outputs: ['png'], customization }
  const file = join(work, `${id}.json`)
  writeFileSync(file, JSON.stringify(order))
  const args = ['render', file, '--catalog', join(work, 'catalog'), '--profiles', join(root, 'render-profiles'),
    '--assets', join(work, 'assets'), '--out', join(work, 'out')]
  const all = []
  for (let run = 0; run < Number(runs); run++) {
    // The shell's own clock counts milliseconds; GNU time tells hundredths.
    const made = spawnSync('bash', ['-c', 'TIMEFORMAT="%3U %3S"; time "$@"', 'bash', program, ...args],
      { env: { ...process.env, LC_ALL: 'C', RAYON_NUM_THREADS: String(threads) }, encoding: 'utf8' })
    if (made.status !== 0) throw new Error(`${id}: ${made.stderr}${made.stdout}`)
    const [user, system] = made.stderr.trim().split('\n').at(-1).split(' ').map(Number)
    all.push(user + system)
  }
  all.sort((a, b) => a - b)
  return (all[Math.floor((all.length - 1) / 2)] + all[Math.ceil((all.length - 1) / 2)]) / 2
}

/** a + b x^e through points: for each e the best a and b, and of all the best. */
function fit(points) {
  let best = null
  for (let step = 0; step <= 200; step++) {
    const e = step / 100
    // Errors are relative, so each point counts as 1/y, and a perfect fit is 1 everywhere.
    const [u, v] = [points.map(([, y]) => 1 / y), points.map(([x, y]) => x ** e / y)]
    const dot = (p, q) => p.reduce((sum, value, i) => sum + value * q[i], 0)
    const sum = (p) => p.reduce((total, value) => total + value, 0)
    const det = dot(u, u) * dot(v, v) - dot(u, v) ** 2
    let [a, b] = [(sum(u) * dot(v, v) - sum(v) * dot(u, v)) / det, (sum(v) * dot(u, u) - sum(u) * dot(u, v)) / det]
    if (!(a >= 0)) [a, b] = [0, sum(v) / dot(v, v)]
    if (!(b >= 0)) [a, b] = [sum(u) / dot(u, u), 0]
    const error = Math.sqrt(points.reduce((total, [x, y]) => total + ((a + b * x ** e) / y - 1) ** 2, 0) / points.length)
    if (best === null || error < best.error) best = { a, b, e, error }
  }
  const at = (x) => best.a + best.b * x ** best.e
  const xs = points.map(([x]) => x)
  const [least, most] = [at(Math.min(...xs)), at(Math.max(...xs))]
  best.grows = most - least >= 0.1 * most
  return best
}

const box = (x, y, width, height) => ({ x, y, width, height })
const mm = (px) => (px / 300) * 25.4
mkdirSync(join(work, 'assets'), { recursive: true })

/** A photograph of so many megapixels, cut and scaled from the benchmark's. */
function asset(megapixels) {
  const width = Math.round(Math.sqrt((megapixels * 1e6 * 4) / 3) / 16) * 16
  const name = `photo-${megapixels}.jpg`
  const made = spawnSync('convert', [photo, '-resize', `${width}x${(width / 4) * 3}!`, '-sampling-factor', '4:2:0',
    '-interlace', 'none', '-quality', '90', join(work, 'assets', name)], { encoding: 'utf8' })
  if (made.error) throw new Error('ImageMagick is missing: apt-get install imagemagick')
  if (made.status !== 0) throw new Error(`ImageMagick does not make ${name}: ${made.stderr}`)
  return name
}

/** One path of so many corners, round a circle of always the same length and breadth. */
function star(corners) {
  const name = `star-${corners}.svg`
  const at = (i) => {
    const [angle, radius] = [(i / corners) * 2 * Math.PI, i % 2 ? 480 : 470]
    return `${(500 + radius * Math.cos(angle)).toFixed(3)} ${(500 + radius * Math.sin(angle)).toFixed(3)}`
  }
  const path = Array.from({ length: corners }, (_, i) => at(i)).join('L')
  writeFileSync(join(work, 'assets', name),
    `<svg xmlns="http://www.w3.org/2000/svg" width="1000" height="1000" viewBox="0 0 1000 1000"><path fill="#2060a0" d="M${path}Z"/></svg>`)
  return name
}

const field = (name) => ({ [name]: { type: 'image', by: 'customer', required: true } })
const curves = []

{ // Canvas area: an opaque photo that fills it.
  const name = asset(12)
  const points = [1, 2, 4, 8, 16, 32].map((megapixels) => {
    const side = Math.sqrt(megapixels * 1e6)
    const layers = [{ id: 'photo', box: box(0, 0, mm(side), mm(side)), photo: { field: 'photo', fit: 'fill' } }]
    return [megapixels, cost(`area-${megapixels}`, template(`area-${megapixels}`, mm(side), mm(side), layers, field('photo')), { photo: name })]
  })
  curves.push({ title: 'canvas, megapixels', points })
}
{ // Layers: rounded shapes of one size, all over each other.
  const points = [0, 8, 32, 128, 512].map((count) => {
    const layers = Array.from({ length: count }, (_, i) => ({
      id: `l${i}`, box: box(2 + (i % 16) * 3, 2 + Math.floor(i / 16), 40, 40),
      shape: { shape: { rect: { radius: 6 } }, fill: ['#c03050', '#2060a0', '#f0c020'][i % 3] }, opacity: 0.8,
    }))
    return [count, cost(`layers-${count}`, template(`layers-${count}`, 100, 100, layers))]
  })
  curves.push({ title: 'layers', points })
}
{ // The photo's megapixels, on one canvas.
  const layers = [{ id: 'photo', box: box(0, 0, mm(1000), mm(750)), photo: { field: 'photo', fit: 'fill' } }]
  const pin = template('photo', mm(1000), mm(750), layers, field('photo'))
  const points = [1, 3, 6, 12, 24, 48].map((megapixels) => [megapixels, cost(`photo-${megapixels}`, pin, { photo: asset(megapixels) })])
  curves.push({ title: 'photo, megapixels', points })
}
{ // A pattern's prints: of one size, each turned, on one canvas, ever closer.
  const side = 240
  const cell = { width: 10, height: 10, layers: [{ id: 'dot', shape: { shape: { rect: { radius: 2 } }, fill: '#c03050' } }] }
  const points = [0, 64, 256, 1024, 4096].map((count) => {
    const step = count ? side / Math.sqrt(count) : 0
    const pattern = { cell, arrange: 'grid', step_x: step, step_y: step, turn: 25, seed: 7 }
    const layers = count ? [{ id: 'prints', pattern }] : []
    return [count, cost(`prints-${count}`, template(`prints-${count}`, side, side, layers))]
  })
  curves.push({ title: 'prints of a pattern', points })
}
{ // Corners of one path.
  const art = (layers) => template(`corners-${layers.length}`, mm(1000), mm(1000), layers, layers.length ? field('art') : {})
  const [bare, pin] = [art([]), art([{ id: 'art', box: box(0, 0, mm(1000), mm(1000)), art: { field: 'art' } }])]
  const points = [0, 8_000, 32_000, 128_000, 512_000].map((corners) =>
    [corners, cost(`corners-${corners}`, corners ? pin : bare, corners ? { art: star(corners) } : {})])
  curves.push({ title: 'corners of a path', points })
}
{ // Threads: the processor time of the same job; more threads should not make it dearer.
  const layers = [{ id: 'photo', box: box(0, 0, mm(4000), mm(3000)), photo: { field: 'photo', fit: 'fill' } }]
  const pin = template('threads', mm(4000), mm(4000), layers, field('photo'))
  const name = asset(12)
  const points = [1, 2, 4, 8].map((threads) => [threads, cost(`threads-${threads}`, pin, { photo: name }, threads)])
  curves.push({ title: 'threads', points, flat: true })
}
rmSync(work, { recursive: true })

for (const curve of curves) {
  const { title, points, flat } = curve
  const costs = points.map(([, y]) => y)
  curve.fit = flat ? null : fit(points)
  let law = ''
  if (flat) {
    curve.said = `${(Math.max(...costs) / Math.min(...costs)).toFixed(2)} times the least`
  } else {
    const { a, b, e, error, grows } = curve.fit
    curve.said = grows ? `exponent ${e.toFixed(2)}` : 'does not grow'
    law = `${a.toFixed(3)} s + ${b.toPrecision(3)} s x^${e.toFixed(2)}, off by ${(error * 100).toFixed(1)} %`
  }
  console.log([title.padEnd(20), curve.said.padEnd(21), law.padEnd(48), points.map(([x, y]) => `${x}: ${y.toFixed(3)} s`).join('  ')].join(' '))
}

/** Small charts with logarithmic axes: points, and the curve that was found. */
function draw() {
  const [w, h, pad] = [320, 220, 46]
  const high = Math.ceil(curves.length / 2) * h
  const out = [`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${w * 2} ${high}" font-family="sans-serif" font-size="11">`,
    `<rect width="${w * 2}" height="${high}" fill="#fff"/>`]
  curves.forEach((curve, i) => {
    const [left, top] = [(i % 2) * w, Math.floor(i / 2) * h]
    // What has none of it has no place on such an axis.
    const points = curve.points.filter(([x]) => x > 0)
    const xs = points.map(([x]) => Math.log10(x))
    const ys = points.map(([, y]) => Math.log10(y))
    const [x0, x1] = [Math.min(...xs), Math.max(...xs)]
    const [y0, y1] = [Math.floor(Math.min(...ys)), Math.ceil(Math.max(...ys))]
    const px = (x) => left + pad + ((x - x0) / (x1 - x0)) * (w - pad - 20)
    const py = (y) => top + h - 34 - ((y - y0) / (y1 - y0 || 1)) * (h - 34 - 30)
    out.push(`<text x="${left + pad}" y="${top + 18}" font-weight="bold">${curve.title}: ${curve.said}</text>`)
    for (let y = y0; y <= y1; y++) {
      out.push(`<path d="M${px(x0)} ${py(y)}H${px(x1)}" stroke="#ddd"/><text x="${left + pad - 6}" y="${py(y) + 4}" text-anchor="end">${10 ** y} s</text>`)
    }
    const at = (x, y) => `${px(x).toFixed(1)} ${py(y).toFixed(1)}`
    const found = ({ a, b, e }) => Array.from({ length: 41 }, (_, i) => x0 + ((x1 - x0) * i) / 40)
      .map((x) => at(x, Math.log10(a + b * 10 ** (x * e))))
    const line = curve.fit ? found(curve.fit) : xs.map((x, i) => at(x, ys[i]))
    out.push(`<path d="M${line.join('L')}" fill="none" stroke="#c03050"/>`)
    points.forEach(([x, y]) => {
      const [cx, cy] = [px(Math.log10(x)), py(Math.log10(y))]
      out.push(`<circle cx="${cx.toFixed(1)}" cy="${cy.toFixed(1)}" r="3.5" fill="#c03050"/><text x="${cx.toFixed(1)}" y="${top + h - 16}" text-anchor="middle">${x}</text>`)
    })
  })
  out.push('</svg>')
  return out.join('\n') + '\n'
}
writeFileSync(join(root, 'docs/images/scaling.svg'), draw())

const steep = curves.filter(({ fit }) => fit?.grows && fit.e > STEEPEST)
for (const { title, fit } of steep) console.error(`${title}: the exponent ${fit.e.toFixed(2)} is above ${STEEPEST}`)
process.exit(steep.length ? 1 : 0)
