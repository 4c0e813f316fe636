// 4 KiB written and read. Ours is synced to the disk, replaced atomically and in the audit log before it is acknowledged.

import { randomBytes } from "node:crypto";
import { makeRunningProject } from "../lib/croft.mjs";
import { alternate } from "../lib/measure.mjs";
import { startNginx, startSandboxAgent } from "../lib/peers.mjs";
import { row } from "../lib/table.mjs";
import { Wire } from "../lib/wire.mjs";

const content = randomBytes(4096);
const bytes = { "Content-Type": "application/octet-stream" };

function check(name, answer) {
  if (answer.status < 200 || answer.status > 204) throw new Error(`${name}: ${answer.status} ${answer.body}`);
  return answer;
}

export async function measure(croft) {
  const agent = await startSandboxAgent();
  const nginx = await startNginx();
  const project = await makeRunningProject(croft);
  const [mine, theirs, plain] = await Promise.all([Wire.open(croft.url), Wire.open(agent.url), Wire.open(nginx.url)]);
  const ours = { Authorization: croft.headers.Authorization, ...bytes };
  const target = { croft: `/v1/projects/${project}/files/file`, agent: "/v1/fs/file?path=/project/file", nginx: "/file" };
  try {
    const put = await alternate({
      ours: async () => void check("croft", await mine.request("PUT", target.croft, ours, content)),
      agent: async () => void check("sandbox-agent", await theirs.request("PUT", target.agent, bytes, content)),
    }, 200);
    check("nginx", await plain.request("PUT", target.nginx, bytes, content));
    const get = await alternate({
      ours: async () => void check("croft", await mine.request("GET", target.croft, ours)),
      agent: async () => void check("sandbox-agent", await theirs.request("GET", target.agent)),
      nginx: async () => void check("nginx", await plain.request("GET", target.nginx)),
    }, 300);
    return [
      row("4 KiB file PUT, p50", "ms", put.ours, "sandbox-agent", put.agent, { atMost: 1 }),
      row("4 KiB file GET, p50", "ms", get.ours, "sandbox-agent", get.agent, { atMost: 0.6 }),
      row("4 KiB file GET, p50", "ms", get.ours, "nginx", get.nginx, { atMost: 1.5 }),
    ];
  } finally {
    for (const wire of [mine, theirs, plain]) wire.close();
    await nginx.stop();
    await agent.stop();
  }
}
