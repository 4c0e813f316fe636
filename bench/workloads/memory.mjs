// Proportional set size: of all roles when nothing happens, and of one more instance that waits.

import fs from "node:fs";
import { startCroft, stopCroft, makeRunningProject } from "../lib/croft.mjs";
import { limitRow } from "../lib/table.mjs";

const INSTANCES = 8;

function pssMib(pids) {
  let kib = 0;
  for (const pid of pids) kib += Number(/^Pss:\s+(\d+)/m.exec(fs.readFileSync(`/proc/${pid}/smaps_rollup`, "utf8"))[1]);
  return kib / 1024;
}

const everything = (croft) => pssMib([croft.process.pid, ...croft.descendants().map((p) => p.pid)]);

export async function measure() {
  const croft = await startCroft();
  try {
    const idle = everything(croft);
    await makeRunningProject(croft);
    const one = everything(croft);
    for (let i = 0; i < INSTANCES; i++) await makeRunningProject(croft);
    return [
      limitRow("memory: all roles idle", "MiB", [idle], 40),
      limitRow("memory: one more idle instance", "MiB", [(everything(croft) - one) / INSTANCES], 1),
    ];
  } finally {
    await stopCroft(croft);
  }
}
