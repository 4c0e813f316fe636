// 512 MiB of a command's output to one client: through the event log, framed as events, against bytes through a pipe.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { makeRunningProject, sse, startCommand } from "../lib/croft.mjs";
import { alternate, scale } from "../lib/measure.mjs";
import { startNode, startPodman } from "../lib/peers.mjs";
import { row } from "../lib/table.mjs";
import { Wire } from "../lib/wire.mjs";

const MIB = Math.max(16, Math.round(512 * Math.min(1, scale * 2)));
const COMMAND = ["/bin/sh", "-c", `yes 'a line of output, as long as lines of output are' | head -c ${MIB << 20}`];
const END = "event: completed";

async function ours(croft, project) {
  const calls = await Wire.open(croft.url), events = await Wire.open(croft.url);
  const begin = performance.now();
  const operation = await startCommand(croft, calls, project, COMMAND);
  let tail = "", received = 0;
  await events.stream("GET", `/v1/operations/${operation}/events`, sse(croft), (bytes) => {
    received += bytes.length;
    tail = (tail + bytes.latin1Slice(Math.max(0, bytes.length - 4096))).slice(-8192);
    return tail.includes(END);
  });
  const took = performance.now() - begin;
  if (received < MIB << 20) throw new Error(`only ${received} bytes came`);
  calls.close();
  events.close();
  return MIB / (took / 1000);
}

async function throughNode(url) {
  const wire = await Wire.open(url);
  let received = 0;
  const begin = performance.now();
  await wire.stream("GET", "/", {}, (bytes) => (received += bytes.length) >= MIB << 20);
  const took = performance.now() - begin;
  wire.close();
  return MIB / (took / 1000);
}

async function throughPodman(argv) {
  let received = 0;
  const begin = performance.now();
  const child = spawn(argv[0], argv.slice(1), { stdio: ["ignore", "pipe", "ignore"] });
  child.stdout.on("data", (bytes) => (received += bytes.length));
  await once(child, "close");
  if (received !== MIB << 20) throw new Error(`only ${received} bytes came`);
  return MIB / ((performance.now() - begin) / 1000);
}

export async function measure(croft) {
  const node = await startNode(COMMAND);
  const container = await startPodman();
  const project = await makeRunningProject(croft);
  try {
    const samples = await alternate({
      ours: () => ours(croft, project),
      node: () => throughNode(node.url),
      podman: () => throughPodman(container.execArgv(...COMMAND)),
    }, 3);
    const name = `${MIB} MiB of command output`;
    return [
      row(name, "MB/s", samples.ours, "node piping a child", samples.node, { atLeast: 1 }),
      row(name, "MB/s", samples.ours, "podman exec", samples.podman, { atLeast: 3 }),
    ];
  } finally {
    await container.stop();
    await node.stop();
  }
}
