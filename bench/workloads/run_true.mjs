// command.run of `true` in an instance that runs: the cost of an operation that does nothing, and how many a second there are.

import { makeRunningProject, runCommand } from "../lib/croft.mjs";
import { alternate, throughput } from "../lib/measure.mjs";
import { startPodman, startSandboxAgent } from "../lib/peers.mjs";
import { row } from "../lib/table.mjs";
import { Wire } from "../lib/wire.mjs";

const SECONDS = 2, ROUNDS = 5;
const TRUE = JSON.stringify({ command: "/usr/bin/true", args: [] });

async function peerRun(wire) {
  const answer = await wire.request("POST", "/v1/processes/run", { "Content-Type": "application/json" }, TRUE);
  if (answer.status !== 200) throw new Error(`sandbox-agent: ${answer.status} ${answer.body}`);
}

/** Both at the same number of clients, in turn. */
async function rates(croft, run, agent, count) {
  const mine = await Wire.openMany(croft.url, count), theirs = await Wire.openMany(agent.url, count);
  const samples = await alternate({ ours: () => throughput(mine, SECONDS, run), agent: () => throughput(theirs, SECONDS, peerRun) }, ROUNDS);
  for (const wire of [...mine, ...theirs]) wire.close();
  return samples;
}

export async function measure(croft) {
  const agent = await startSandboxAgent();
  const container = await startPodman();
  const project = await makeRunningProject(croft);
  const run = (wire) => runCommand(croft, wire, project, ["/usr/bin/true"]);
  try {
    const mine = await Wire.open(croft.url), theirs = await Wire.open(agent.url);
    const latency = await alternate({
      ours: () => run(mine),
      agent: () => peerRun(theirs),
      podman: () => container.exec("/usr/bin/true").then(() => undefined),
    }, 100);
    mine.close();
    theirs.close();
    const one = await rates(croft, run, agent, 1);
    const many = await rates(croft, run, agent, 16);
    return [
      row("command.run true, p50", "ms", latency.ours, "sandbox-agent", latency.agent, { atMost: 1 }),
      row("command.run true, p50", "ms", latency.ours, "podman exec", latency.podman, { atMost: 0.03 }),
      row("command.run true, 1 client", "operations/s", one.ours, "sandbox-agent", one.agent, { atLeast: 1.2 }),
      row("command.run true, 16 clients", "operations/s", many.ours, "sandbox-agent", many.agent, { atLeast: 1.2 }),
    ];
  } finally {
    await container.stop();
    await agent.stop();
  }
}
