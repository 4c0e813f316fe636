// What an operation is said to have used is the kernel's account of its instance, whatever the command does to hide it.

import assert from "node:assert/strict";
import fs from "node:fs";
import { before, describe, it } from "node:test";
import { useCroft } from "../lib/croftd.mjs";

const MEMORY = 48 << 20;
const hasResettablePeak = fs.existsSync("/sys/fs/cgroup/memory");

// A process that the command has left: no rusage of the command or its children tells of it.
const orphan = `
import os, time
held = bytearray(b'x') * ${MEMORY}
while time.process_time() < 0.4: pass
with open('used.part', 'w') as file: file.write(str(int(time.process_time() * 1000)))
os.rename('used.part', 'used')
`;

describe("the usage of an operation", () => {
  const croft = useCroft();
  let api, project;

  before(async () => {
    api = croft.admin;
    project = (await api.makeProject()).id;
    (await api.put(`/v1/projects/${project}/files/orphan.py`, { body: orphan })).expect(201);
  });

  it("has what was used by processes that the command disowned", async () => {
    const { operation, stdout } = await api.shell(project, "(setsid python3 orphan.py &); until [ -e used ]; do sleep 0.01; done; cat used");
    const { usage } = operation;
    assert.ok(usage.cpuMs >= Number(stdout), `${usage.cpuMs} of ${stdout}`);
    if (hasResettablePeak) assert.ok(usage.memoryPeakBytes >= MEMORY, String(usage.memoryPeakBytes));
  });

  it("has nothing of what was used before it", async () => {
    const { operation, stdout } = await api.shell(project, "cat used");
    assert.ok(operation.usage.cpuMs < Number(stdout));
    assert.ok(operation.usage.memoryPeakBytes < MEMORY, String(operation.usage.memoryPeakBytes));
    assert.ok(operation.usage.memoryPeakBytes > 0);
  });

  it("is there, too, when it failed", async () => {
    const operation = await api.run(project, "command.run", { argv: ["python3", "-c", "while True: pass"] }, { timeoutMs: 300 });
    assert.equal(operation.error.code, "timeout");
    assert.ok(operation.usage.cpuMs > 0);
  });
});
