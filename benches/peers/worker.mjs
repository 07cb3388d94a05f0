// A render worker as a Node.js shop would write it: amqplib, sharp, pdfkit and the AWS SDK, for the
// orders of benches/fleet. Takes orders from the queue `node.orders`, reads pictures from the bucket,
// keeps PNG and PDF there and tells `node.results`.
//
//   AMQP_URL, S3_ENDPOINT, BUCKET, ASSETS (folder with the font), AWS_…: where everything is
//   UNDER_WAY: how many orders at once (2)
import amqp from "amqplib";
import PDFDocument from "pdfkit";
import { GetObjectCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { createHash } from "node:crypto";
import { draw } from "./draw.mjs";
import { fontFile, jobs } from "./jobs.mjs";

const { AMQP_URL, S3_ENDPOINT, BUCKET, ASSETS, UNDER_WAY = "2" } = process.env;
const s3 = new S3Client({ endpoint: S3_ENDPOINT, forcePathStyle: true });

async function get(key) {
  const answer = await s3.send(new GetObjectCommand({ Bucket: BUCKET, Key: key }));
  return Buffer.from(await answer.Body.transformToByteArray());
}

async function put(key, body, type) {
  await s3.send(new PutObjectCommand({ Bucket: BUCKET, Key: key, Body: body, ContentType: type }));
  return { key, bytes: body.length, sha256: createHash("sha256").update(body).digest("hex") };
}

// The same page in points, photos as they came.
function pdf(job, pictures) {
  const pt = (px) => (px * 72) / 300;
  const doc = new PDFDocument({ size: [pt(job.width), pt(job.height)], margin: 0 });
  const parts = [];
  doc.on("data", (part) => parts.push(part));
  const done = new Promise((resolve) => doc.on("end", () => resolve(Buffer.concat(parts))));
  if (job.ground) doc.rect(0, 0, pt(job.width), pt(job.height)).fill(job.ground);
  for (const { file, x, y, width, height } of job.photos ?? []) {
    doc.save().rect(pt(x), pt(y), pt(width), pt(height)).clip();
    doc.image(pictures.get(file), pt(x), pt(y), { cover: [pt(width), pt(height)], align: "center", valign: "center" });
    doc.restore();
  }
  const { words, size, x, baseline, fill } = job.text;
  doc.font(`${ASSETS}/${fontFile}`).fontSize(pt(size)).fillColor(fill);
  doc.text(words, pt(x) - doc.widthOfString(words) / 2, pt(baseline), { baseline: "alphabetic", lineBreak: false });
  doc.end();
  return done;
}

async function render(order) {
  const job = jobs[order.template.replace(/^bench-|@1$/g, "")];
  const files = [...(job.photos ?? []), ...(job.art ? [job.art] : [])].map((part) => part.file);
  const pictures = new Map(await Promise.all(files.map(async (file) => [file, await get(`assets/${file}`)])));
  const wanted = { ...job, text: { ...job.text, words: order.customization.words } };
  const kept = [];
  for (const output of order.outputs) {
    const body = output === "pdf"
      ? await pdf(wanted, pictures)
      : await (await draw(wanted, (file) => pictures.get(file))).toBuffer();
    kept.push(await put(`node/${order.job_id}/front.${output}`, body, output === "pdf" ? "application/pdf" : "image/png"));
  }
  return kept;
}

const connection = await amqp.connect(AMQP_URL);
const channel = await connection.createConfirmChannel();
await channel.assertQueue("node.orders", { durable: true });
await channel.assertQueue("node.results", { durable: true });
await channel.prefetch(Number(UNDER_WAY));
await channel.consume("node.orders", async (message) => {
  const order = JSON.parse(message.content.toString());
  const artifacts = await render(order);
  const event = Buffer.from(JSON.stringify({ job_id: order.job_id, artifacts }));
  channel.sendToQueue("node.results", event, { persistent: true, messageId: order.job_id });
  await channel.waitForConfirms();
  channel.ack(message);
});
console.log("ready");
process.on("SIGTERM", () => process.exit(0));
