// A disk that is full: what would change something is refused and changes nothing, the rest goes on, and so does everything when there
// is room again.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { chunkBytes } from "../lib/client.mjs";
import { build, until, useCroft } from "../lib/croftd.mjs";

describe("a full disk", () => {
  const disk = fs.mkdtempSync(path.join(os.tmpdir(), "croft-disk-"));
  execFileSync("mount", ["-t", "tmpfs", "-o", "size=96m,mode=755", "croft-test", disk]);
  const croft = useCroft({ data: path.join(disk, "data") });
  after(() => {
    execFileSync("umount", [disk]);
    fs.rmdirSync(disk);
  });
  let api, workspace, project;

  before(async () => {
    api = croft.admin;
    ({ workspace, id: project } = await api.makeProject());
    await api.run(project, "fs.write", { path: "file", content: "old" });
  });

  const filler = path.join(disk, "filler");
  function fill() {
    const fd = fs.openSync(filler, "a");
    for (let size = 1 << 20; size >= 4096; size = Math.floor(size / 2))
      try {
        for (;;) fs.writeSync(fd, Buffer.alloc(size));
      } catch (error) {
        assert.equal(error.code, "ENOSPC");
      }
    fs.closeSync(fd);
  }
  const makeRoom = () => fs.rmSync(filler);
  const operations = async () => (await api.get(`/v1/projects/${project}/operations?limit=1000`)).expect(200).items.map((item) => item.id);

  /** Either the database or the audit log was first to find no room; both say that nothing was done, and to come again. */
  function refusedForRoom(answer) {
    const problem = answer.problem(answer.status);
    assert.ok(["storage_full", "audit_unavailable"].includes(problem.code), answer.text);
    assert.ok(problem.retryable);
  }

  it("refuses what would change something, and nothing is changed", async () => {
    const before = await operations();
    fill();
    try {
      refusedForRoom(await api.operate(project, "fs.write", { path: "file", content: "new" }));
      refusedForRoom(await api.put(`/v1/projects/${project}/files/other`, { body: "x" }));
      refusedForRoom(await api.post("/v1/workspaces", { json: { name: "more" } }));
      refusedForRoom(await api.post(`/v1/workspaces/${workspace.id}/keys`, { json: { name: "more", role: "viewer" } }));
      assert.deepEqual(await operations(), before);
      (await api.get(`/v1/projects/${project}`)).expect(200);
      (await api.get("/healthz")).expect(200);
    } finally {
      makeRoom();
    }
    assert.equal((await api.get(`/v1/projects/${project}/files/file`)).text, "old");
    assert.deepEqual((await api.get("/v1/workspaces")).expect(200).items.map((item) => item.id), [workspace.id]);
  });

  it("takes the same request, with the same key, when there is room again", async () => {
    const key = randomUUID();
    const write = () => api.operate(project, "fs.write", { path: "file", content: "newer" }, { key, wait: 30 });
    fill();
    try {
      refusedForRoom(await write());
    } finally {
      makeRoom();
    }
    const done = await until(async () => {
      const answer = await write();
      return answer.status === 200 && answer;
    }, "the request to be taken");
    assert.equal(done.json.state, "completed");
    assert.equal((await api.get(`/v1/projects/${project}/files/file`)).text, "newer");
  });

  it("refuses a message for which the log has no room, instead of keeping its sender waiting", async () => {
    const publish = () => api.post(`/v1/projects/${project}/streams/chat`, { json: { data: "x".repeat(250_000) } });
    fill();
    try {
      let answer;
      for (let kept = 0; kept < 1000 && (answer = await publish()).status === 201; kept++); // into the room that the log has reserved
      refusedForRoom(answer);
    } finally {
      makeRoom();
    }
    await until(async () => (await publish()).status === 201, "a message to be taken");
  });

  it("holds a command's output back, and loses none of it", async () => {
    const go = path.join(croft.data, "worker/projects", project, "go");
    await api.run(project, "fs.write", { path: "go", content: "" });
    const script = "i=0; while [ -e go ]; do i=$((i + 1)); echo $i; done; echo over";
    const { id } = (await api.operate(project, "command.run", { shell: script })).expect(202);
    const target = `/v1/operations/${id}/events`;
    for await (const event of api.events(target)) if (event.type === "chunk") break;
    const waiting = async () => Number((await api.get("/metrics")).text.match(/^croft_stream_appends_without_space_total (\d+)/m)?.[1] ?? 0);
    const before = await waiting();
    fill();
    try {
      await until(async () => (await waiting()) > before, "output to wait for room");
    } finally {
      makeRoom();
    }
    fs.rmSync(go);
    const operation = await api.finished(id);
    assert.equal(operation.state, "completed", JSON.stringify(operation.error));
    const text = Buffer.concat((await api.allEvents(target)).filter((event) => event.type === "chunk").map(chunkBytes)).toString();
    const lines = text.trimEnd().split("\n");
    assert.equal(lines.pop(), "over");
    assert.ok(lines.every((line, i) => line === String(i + 1)), "something is missing, or twice");
  });

  it("leaves an audit log that verifies", async () => {
    await croft.stop();
    execFileSync(path.join(build, "croft"), ["audit", "verify", path.join(croft.data, "audit")], { stdio: "pipe" });
    await croft.start();
    assert.equal((await api.get("/healthz")).status, 200);
  });
});
