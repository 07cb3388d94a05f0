// A job by sharp (libvips) with the fastest PNG that is packed at all: larger files.
import { draw } from "./draw.mjs";
import { arguments_ } from "./jobs.mjs";

const { job, assets, out } = arguments_();
await (await draw(job, (file) => `${assets}/${file}`, { compressionLevel: 1 })).toFile(out);
