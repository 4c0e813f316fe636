// A new project to the first byte of its first command's output: what a person waits for who opens a project.

import { makeProject, sse, startCommand } from "../lib/croft.mjs";
import { alternate } from "../lib/measure.mjs";
import { bwrap, firstOutput, makeBundle, makeRoot, podman, runc } from "../lib/peers.mjs";
import { row } from "../lib/table.mjs";
import { Wire } from "../lib/wire.mjs";

const COMMAND = ["/usr/bin/echo", "hello"];

export async function measure(croft) {
  const calls = await Wire.open(croft.url);
  let unused;
  async function ours() {
    const events = unused ?? (await Wire.open(croft.url));
    const begin = performance.now();
    const project = await makeProject(croft, calls);
    let seen = "";
    const output = events.stream("GET", `/v1/projects/${project}/events?from=start`, sse(croft), (bytes) => (seen += bytes.latin1Slice()).includes("event: chunk"));
    await startCommand(croft, calls, project, COMMAND);
    await output;
    const took = performance.now() - begin;
    events.close();
    unused = await Wire.open(croft.url); // opening a connection is not what is measured
    return took;
  }
  const root = makeRoot();
  const bundle = makeBundle(root, COMMAND);
  const samples = await alternate({
    ours,
    bwrap: () => firstOutput(bwrap(...COMMAND)),
    runc: () => firstOutput(runc(bundle)),
    podman: () => firstOutput(podman(root, ...COMMAND)),
  }, 40);
  calls.close();
  unused.close();
  const name = "new project to first output, p50";
  return [
    row(name, "ms", samples.ours, "bwrap", samples.bwrap, { atMost: 2 }),
    row(name, "ms", samples.ours, "runc", samples.runc, { atMost: 0.4 }),
    row(name, "ms", samples.ours, "podman", samples.podman, { atMost: 0.06 }),
  ];
}
