// How instances and their operations end when somebody else decides it: the worker dies, the project is deleted.

import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { describe, it } from "node:test";
import { until, useCroft } from "../lib/croftd.mjs";

describe("an operation that runs", () => {
  const croft = useCroft({ settings: { "restart.stable": "0s" } });
  const begin = async (project) => {
    const { id } = (await croft.admin.operate(project, "command.run", { shell: "echo begun >>runs; exec sleep 3600" })).expect(202);
    await croft.admin.started(id);
    await until(() => sleeping().length === 1, "the command to run");
    return id;
  };
  const sleeping = () => croft.descendants().filter((process) => process.name === "sleep");

  it("ends as lost with its worker, and is not run again", async () => {
    const { id } = await croft.admin.makeProject();
    const operation = await begin(id);
    const [command] = sleeping();
    croft.kill("worker");
    const { state, error } = await croft.admin.finished(operation);
    assert.deepEqual([state, error.code], ["failed", "worker_lost"]);
    await until(() => !fs.existsSync(`/proc/${command.pid}`), "the command to be gone");
    const { stdout } = await croft.admin.shell(id, "cat runs");
    assert.equal(stdout, "begun\n");
  });

  it("goes on without control, and is told of when control is back", async () => {
    const { id } = await croft.admin.makeProject();
    const { id: operation } = (await croft.admin.operate(id, "command.run",
      { shell: "echo begun >>runs; read line; echo got $line", stdinOpen: true })).expect(202);
    await croft.admin.started(operation);
    const [before] = croft.pids("control");
    croft.kill("control");
    await until(() => croft.pids("control").some((pid) => pid !== before), "another control");
    await until(async () => (await croft.admin.get("/readyz")).status === 200, "every role to be ready");
    (await croft.admin.post(`/v1/operations/${operation}/input`, { json: { data: "it\n", eof: true } })).expect(204);
    const finished = await croft.admin.finished(operation);
    assert.equal(finished.state, "completed");
    assert.equal((await croft.admin.shell(id, "cat runs")).stdout, "begun\n");
  });

  it("ends with its project, of which nothing stays", async () => {
    const { id } = await croft.admin.makeProject();
    await begin(id);
    const [command] = sleeping();
    const folder = path.join(croft.data, "worker/projects", id);
    assert.ok(fs.existsSync(folder));
    (await croft.admin.delete(`/v1/projects/${id}`)).expect(204);
    await until(() => !fs.existsSync(`/proc/${command.pid}`) && !fs.existsSync(folder), "command and folder to be gone");
    await until(() => fs.readdirSync(path.join(croft.data, "worker/trash")).length === 0, "the trash to be emptied");
    (await croft.admin.get(`/v1/projects/${id}`)).problem(404);
    (await croft.admin.operate(id, "command.run", { argv: ["true"] })).problem(404);
  });
});
