// Runs the workloads one after the other, prints their table and writes it to BUILD/bench.json.

import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { build } from "../tests/lib/croftd.mjs";
import { startCroft, stopCroft } from "./lib/croft.mjs";
import { print } from "./lib/table.mjs";

const workloads = ["memory", "first_output", "run_true", "file", "output", "many_clients"];
const wanted = process.env.WORKLOADS ? process.env.WORKLOADS.split(/[\s,]+/) : workloads;

console.log(`${os.cpus().length} × ${os.cpus()[0].model}, Linux ${os.release()}, node ${process.version}`);
const rows = [];
for (const name of wanted) {
  const { measure } = await import(`./workloads/${name}.mjs`);
  const croft = await startCroft();
  process.stderr.write(`bench: ${name}\n`);
  try {
    rows.push(...(await measure(croft)));
  } finally {
    await stopCroft(croft);
  }
}
print(rows);
fs.writeFileSync(path.join(build, "bench.json"), `${JSON.stringify(rows, null, 2)}\n`);
const missed = rows.filter((r) => r.met === false).length;
console.log(missed ? `${missed} missed: docs/performance.md says why` : "every goal is met");

