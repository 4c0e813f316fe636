// A copy of the data folder, taken while croftd is stopped, is a backup: what docs/operations.md says about it.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { describe, it } from "node:test";
import { build, startCroft } from "../lib/croftd.mjs";

describe("a backup", () => {
  it("restored, has files, operations, cursors and an audit log that verifies", async (t) => {
    const croft = await startCroft(t);
    const { id: project } = await croft.admin.makeProject();
    const { operation } = await croft.admin.shell(project, "echo kept | tee file");
    const events = await croft.admin.allEvents(`/v1/operations/${operation.id}/events`);
    await croft.stop();
    const backup = fs.mkdtempSync(path.join(os.tmpdir(), "croft-backup-"));
    t.after(() => fs.rmSync(backup, { recursive: true }));
    execFileSync("cp", ["-a", `${croft.data}/.`, backup]);
    // On another machine the roles' users have other ids.
    for (const role of ["control", "stream", "audit"]) execFileSync("chown", ["-R", "54321:54321", path.join(backup, role)]);

    await croft.start();
    const later = (await croft.admin.shell(project, "echo lost >file")).operation;
    const future = (await croft.admin.allEvents(`/v1/operations/${later.id}/events`)).at(-1).cursor;
    await croft.stop();

    const restored = await startCroft(t, { data: backup });
    const api = restored.admin;
    const ahead = await api.get(`/v1/projects/${project}/events?waitMs=0&cursor=${future}`, { headers: { accept: "application/json" } });
    ahead.problem(400, "invalid_cursor");
    assert.equal((await api.get(`/v1/projects/${project}/files/file`)).text, "kept\n");
    assert.equal((await api.get(`/v1/operations/${operation.id}`)).expect(200).state, "completed");
    (await api.get(`/v1/operations/${later.id}`)).problem(404);
    const rest = await api.allEvents(`/v1/operations/${operation.id}/events`, events[1].cursor);
    assert.deepEqual(rest, events.slice(2));
    await restored.stop();
    const id = (role) => fs.statSync(path.join(backup, role)).uid;
    assert.equal(fs.statSync(path.join(backup, "control/croft.db")).uid, id("control"));
    execFileSync(path.join(build, "croft"), ["audit", "verify", path.join(backup, "audit")], { stdio: "pipe" });
  });
});
