// What a job costs as it grows: processor seconds against canvas area, layers, a photo's
// megapixels and threads. Draws docs/images/scaling.svg and prints the table.
//
//   node benches/scaling/run.mjs PRESSWORK [RUNS]
//
// PRESSWORK is a release build. Costs are user and system time, the least of RUNS (3): other work on
// the machine adds to wall time, hardly to this. An exponent is the slope of the line through the
// points' logarithms, after the cost of an empty job is taken off.
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const here = dirname(fileURLToPath(import.meta.url))
const root = join(here, '..', '..')
const [program, runs = '3'] = process.argv.slice(2)
if (!program) throw new Error('usage: run.mjs PRESSWORK [RUNS]')
const work = mkdtempSync(join(tmpdir(), 'scaling-'))
const photo = join(root, 'benches/assets/photo.jpg')

/** Writes a template, gives its pin. */
function template(id, width, height, layers, fields = {}) {
  const folder = join(work, 'catalog', id, '1')
  mkdirSync(folder, { recursive: true })
  const surfaces = [{ name: 'front', width, height, layers }]
  const whole = { schema: 'presswork.template/1', name: id, profiles: ['plain-300'], fields, surfaces }
  writeFileSync(join(folder, 'template.json'), JSON.stringify(whole))
  return `${id}@1`
}

/** Processor seconds of one render, the least of some. */
function cost(id, pin, customization = {}, threads = 1) {
  const order = { schema: 'presswork.order/1', job_id: id, template: pin, profile: 'plain-300', outputs: ['png'], customization }
  const file = join(work, `${id}.json`)
  writeFileSync(file, JSON.stringify(order))
  const args = ['render', file, '--catalog', join(work, 'catalog'), '--profiles', join(root, 'render-profiles'),
    '--assets', join(work, 'assets'), '--out', join(work, 'out')]
  let least = Infinity
  let wall = Infinity
  for (let run = 0; run < Number(runs); run++) {
    const made = spawnSync('/usr/bin/time', ['-f', '%U %S %e', program, ...args],
      { env: { ...process.env, RAYON_NUM_THREADS: String(threads) }, encoding: 'utf8' })
    if (made.status !== 0) throw new Error(`${id}: ${made.stderr}${made.stdout}`)
    const [user, system, elapsed] = made.stderr.trim().split('\n').at(-1).split(' ').map(Number)
    least = Math.min(least, user + system)
    wall = Math.min(wall, elapsed)
  }
  return { cpu: least, wall }
}

/** Least squares through logarithms. */
function exponent(points) {
  const logs = points.map(([x, y]) => [Math.log(x), Math.log(y)])
  const mean = (i) => logs.reduce((sum, p) => sum + p[i], 0) / logs.length
  const [mx, my] = [mean(0), mean(1)]
  const sum = (f) => logs.reduce((total, p) => total + f(p), 0)
  return sum(([x, y]) => (x - mx) * (y - my)) / sum(([x]) => (x - mx) ** 2)
}

const box = (x, y, width, height) => ({ x, y, width, height })
const mm = (px) => (px / 300) * 25.4
mkdirSync(join(work, 'assets'), { recursive: true })

/** A photograph of so many megapixels, cut and scaled from the benchmark's. */
function asset(megapixels) {
  const width = Math.round(Math.sqrt((megapixels * 1e6 * 4) / 3) / 16) * 16
  const name = `photo-${megapixels}.jpg`
  const made = spawnSync('convert', [photo, '-resize', `${width}x${(width / 4) * 3}!`, '-sampling-factor', '4:2:0',
    '-interlace', 'none', '-quality', '90', join(work, 'assets', name)])
  if (made.status !== 0) throw new Error('ImageMagick is missing: apt-get install imagemagick')
  return name
}

const photoField = { photo: { type: 'image', by: 'customer', required: true } }
const empty = cost('empty', template('empty', mm(64), mm(64), [])).cpu
const curves = []

{ // Canvas area: an opaque photo that fills it.
  const name = asset(12)
  const points = [1, 2, 4, 8, 16, 32].map((megapixels) => {
    const side = Math.sqrt(megapixels * 1e6)
    const layers = [{ id: 'photo', box: box(0, 0, mm(side), mm(side)), photo: { field: 'photo', fit: 'fill' } }]
    return [megapixels, cost(`area-${megapixels}`, template(`area-${megapixels}`, mm(side), mm(side), layers, photoField), { photo: name }).cpu]
  })
  // The decoding of the photo is the same for all.
  const decode = Math.min(points[0][1], points[1][1]) - (points[1][1] - points[0][1])
  curves.push({ title: 'canvas, megapixels', points, off: Math.max(0, Math.min(decode, points[0][1] * 0.95)) })
}
{ // Layers: rounded shapes of one size, all over each other.
  const points = [8, 32, 128, 512].map((count) => {
    const layers = Array.from({ length: count }, (_, i) => ({
      id: `l${i}`, box: box(2 + (i % 16) * 3, 2 + Math.floor(i / 16), 40, 40),
      shape: { shape: { rect: { radius: 6 } }, fill: ['#c03050', '#2060a0', '#f0c020'][i % 3] }, opacity: 0.8,
    }))
    return [count, cost(`layers-${count}`, template(`layers-${count}`, 100, 100, layers)).cpu]
  })
  const none = cost('layers-0', template('layers-0', 100, 100, [])).cpu
  curves.push({ title: 'layers', points, off: none })
}
{ // The photo's megapixels, on one canvas.
  const layers = [{ id: 'photo', box: box(0, 0, mm(1000), mm(750)), photo: { field: 'photo', fit: 'fill' } }]
  const pin = template('photo', mm(1000), mm(750), layers, photoField)
  const points = [1, 3, 6, 12, 24, 48].map((megapixels) => [megapixels, cost(`photo-${megapixels}`, pin, { photo: asset(megapixels) }).cpu])
  curves.push({ title: 'photo, megapixels', points, off: empty })
}
{ // Threads: the processor time of the same job; more threads should not make it dearer.
  const layers = [{ id: 'photo', box: box(0, 0, mm(4000), mm(3000)), photo: { field: 'photo', fit: 'fill' } }]
  const pin = template('threads', mm(4000), mm(4000), layers, photoField)
  const name = asset(12)
  const points = [1, 2, 4, 8].map((threads) => [threads, cost(`threads-${threads}`, pin, { photo: name }, threads).cpu])
  curves.push({ title: 'threads', points, off: 0 })
}
rmSync(work, { recursive: true })

for (const curve of curves) {
  const fit = curve.points.map(([x, y]) => [x, y - curve.off]).filter(([, y]) => y > 0.004)
  curve.exponent = exponent(fit)
  console.log(`${curve.title.padEnd(20)} exponent ${curve.exponent.toFixed(2)}   ` +
    curve.points.map(([x, y]) => `${x}: ${y.toFixed(3)} s`).join('  '))
}

/** Four small charts with logarithmic axes. */
function draw() {
  const [w, h, pad] = [320, 220, 46]
  const out = [`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${w * 2} ${h * 2}" font-family="sans-serif" font-size="11">`,
    `<rect width="${w * 2}" height="${h * 2}" fill="#fff"/>`]
  curves.forEach((curve, i) => {
    const [left, top] = [(i % 2) * w, Math.floor(i / 2) * h]
    const xs = curve.points.map(([x]) => Math.log10(x))
    const ys = curve.points.map(([, y]) => Math.log10(y))
    const [x0, x1] = [Math.min(...xs), Math.max(...xs)]
    const [y0, y1] = [Math.floor(Math.min(...ys)), Math.ceil(Math.max(...ys))]
    const px = (x) => left + pad + ((x - x0) / (x1 - x0)) * (w - pad - 14)
    const py = (y) => top + h - 34 - ((y - y0) / (y1 - y0 || 1)) * (h - 34 - 30)
    out.push(`<text x="${left + pad}" y="${top + 18}" font-weight="bold">${curve.title}: exponent ${curve.exponent.toFixed(2)}</text>`)
    for (let y = y0; y <= y1; y++) {
      out.push(`<path d="M${px(x0)} ${py(y)}H${px(x1)}" stroke="#ddd"/><text x="${left + pad - 6}" y="${py(y) + 4}" text-anchor="end">${10 ** y} s</text>`)
    }
    curve.points.forEach(([x, y]) => {
      const [cx, cy] = [px(Math.log10(x)), py(Math.log10(y))]
      out.push(`<circle cx="${cx.toFixed(1)}" cy="${cy.toFixed(1)}" r="3.5" fill="#c03050"/><text x="${cx.toFixed(1)}" y="${top + h - 16}" text-anchor="middle">${x}</text>`)
    })
    out.push(`<path d="M${curve.points.map(([x, y]) => `${px(Math.log10(x)).toFixed(1)} ${py(Math.log10(y)).toFixed(1)}`).join('L')}" fill="none" stroke="#c03050"/>`)
  })
  out.push('</svg>')
  return out.join('\n') + '\n'
}
writeFileSync(join(root, 'docs/images/scaling.svg'), draw())
