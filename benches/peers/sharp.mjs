// A job by sharp (libvips).
import { draw } from "./draw.mjs";
import { arguments_ } from "./jobs.mjs";

const { job, assets, out } = arguments_();
await (await draw(job, (file) => `${assets}/${file}`)).toFile(out);
