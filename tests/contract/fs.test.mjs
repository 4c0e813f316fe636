// The operations on files, each through POST /operations, its result and what it leaves on disk.

import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { useCroft } from "../lib/croftd.mjs";
import { chunkBytes } from "../lib/client.mjs";

describe("operations on files", () => {
  const croft = useCroft();
  let api, project;

  before(async () => {
    api = croft.admin;
    project = (await api.makeProject()).id;
  });

  const run = (type, input) => api.run(project, type, input);
  const text = async (path) => (await api.get(`/v1/projects/${project}/files/${path}`)).text;

  async function done(type, input) {
    const operation = await run(type, input);
    assert.equal(operation.state, "completed", JSON.stringify(operation.error));
    return operation.result;
  }

  async function failed(code, type, input) {
    const operation = await run(type, input);
    assert.equal(operation.state, "failed", JSON.stringify(operation.result));
    assert.equal(operation.error.code, code, operation.error.detail);
  }

  const write = (path, content, more = {}) => done("fs.write", { path, content, parents: true, ...more });

  /** What the operation said on its stream `result`, a JSON object a line. */
  async function said(operation) {
    const events = await api.allEvents(`/v1/operations/${operation.id}/events`);
    const bytes = events.filter((event) => event.data.stream === "result").map(chunkBytes);
    return Buffer.concat(bytes).toString().split("\n").filter(Boolean).map((line) => JSON.parse(line));
  }

  it("fs.write and fs.read: text, bytes, parts, versions", async () => {
    const first = await write("rw/a", "one\n", { mode: "0640" });
    assert.deepEqual([first.created, first.sizeBytes, first.mode], [true, 4, "0640"]);
    assert.equal((await done("fs.read", { path: "rw/a" })).content, "one\n");
    await write("rw/b", undefined, { contentBase64: "AAH/" });
    assert.equal((await done("fs.read", { path: "rw/b" })).contentBase64, "AAH/");
    assert.equal((await done("fs.read", { path: "/project/rw/a", offset: 1, length: 2 })).content, "ne");
    await failed("precondition_failed", "fs.write", { path: "rw/a", content: "x", ifMatch: '"other"' });
    await failed("precondition_failed", "fs.write", { path: "rw/a", content: "x", ifNoneMatch: "*" });
    assert.equal((await write("rw/a", "two", { ifMatch: first.etag })).created, false);
    await failed("not_found", "fs.read", { path: "rw/missing" });
    await failed("not_found", "fs.write", { path: "no/such/folder/a", content: "x" });
  });

  it("fs.stat, fs.list and fs.chmod", async () => {
    for (const name of ["l/a", "l/b", "l/c", "l/sub/d"]) await write(name, name);
    const stat = await done("fs.stat", { path: "l/a" });
    assert.deepEqual([stat.type, stat.sizeBytes], ["file", 3]);
    const names = (result) => result.entries.map((entry) => entry.name);
    assert.deepEqual(names(await done("fs.list", { path: "l" })), ["a", "b", "c", "sub"]);
    assert.deepEqual(names(await done("fs.list", { path: "l", recursive: true })), ["a", "b", "c", "sub", "sub/d"]);
    assert.deepEqual(names(await done("fs.list", { path: "l", limit: 2 })), ["a", "b"]);
    assert.deepEqual(names(await done("fs.list", { path: "l", limit: 2, after: "b" })), ["c", "sub"]);
    await done("fs.chmod", { path: "l/a", mode: "0755" });
    assert.equal((await done("fs.stat", { path: "l/a" })).mode, "0755");
  });

  it("fs.mkdir, fs.move, fs.copy, fs.symlink and fs.remove", async () => {
    await done("fs.mkdir", { path: "t/one/two", parents: true });
    await failed("already_exists", "fs.mkdir", { path: "t/one" });
    await write("t/one/a", "a");
    await write("t/b", "b");
    await done("fs.copy", { path: "t/one", to: "t/copy", recursive: true });
    assert.equal(await text("t/copy/a"), "a");
    await failed("already_exists", "fs.move", { path: "t/b", to: "t/copy/a" });
    await done("fs.move", { path: "t/b", to: "t/copy/a", overwrite: true });
    assert.equal(await text("t/copy/a"), "b");
    await done("fs.symlink", { path: "t/link", to: "copy/a" });
    assert.equal(await text("t/link"), "b");
    assert.equal((await done("fs.stat", { path: "t/link" })).type, "symlink");
    await failed("already_exists", "fs.remove", { path: "t/copy" });
    await done("fs.remove", { path: "t/copy", recursive: true });
    await failed("not_found", "fs.stat", { path: "t/copy" });
  });

  it("fs.edit: all replacements or none", async () => {
    await write("edit", "one two two three\n");
    await failed("precondition_failed", "fs.edit", { path: "edit", edits: [{ old: "one", new: "1" }, { old: "two", new: "2" }] });
    assert.equal(await text("edit"), "one two two three\n");
    await done("fs.edit", { path: "edit", edits: [{ old: "one", new: "1" }, { old: "two", new: "2", all: true }] });
    assert.equal(await text("edit"), "1 2 2 three\n");
    await failed("precondition_failed", "fs.edit", { path: "edit", edits: [{ old: "absent", new: "x" }] });
  });

  it("fs.patch: all hunks of all files or none", async () => {
    await write("p/a", "1\n2\n3\n4\n");
    await write("p/b", "x\ny\n");
    const a = "--- a/a\n+++ b/a\n@@ -1,4 +1,4 @@\n 1\n-2\n+two\n 3\n 4\n";
    const wrong = "--- a/b\n+++ b/b\n@@ -1,2 +1,2 @@\n x\n-z\n+Z\n";
    await failed("precondition_failed", "fs.patch", { path: "p", patch: a + wrong });
    assert.equal(await text("p/a"), "1\n2\n3\n4\n");
    const made = "--- /dev/null\n+++ b/new\n@@ -0,0 +1 @@\n+made\n", gone = "--- a/b\n+++ /dev/null\n@@ -1,2 +0,0 @@\n-x\n-y\n";
    await done("fs.patch", { path: "p", patch: a + made + gone });
    assert.equal(await text("p/a"), "1\ntwo\n3\n4\n");
    assert.equal(await text("p/new"), "made\n");
    await failed("not_found", "fs.stat", { path: "p/b" });
    await failed("invalid_input", "fs.patch", { path: "p", patch: "--- a/../../etc/x\n+++ b/../../etc/x\n@@ -0,0 +1 @@\n+x\n" });
  });

  it("fs.search: text and expressions, in the files that are meant", async () => {
    await write("s/a.c", "int main\nMAIN\n");
    await write("s/b.txt", "main road\n");
    const found = async (input) => (await said(await run("fs.search", { path: "s", ...input }))).map((match) => `${match.path}:${match.line}`).sort();
    assert.deepEqual(await found({ pattern: "main" }), ["a.c:1", "b.txt:1"]);
    assert.deepEqual(await found({ pattern: "main", ignoreCase: true, include: ["*.c"] }), ["a.c:1", "a.c:2"]);
    assert.deepEqual(await found({ pattern: "^int +m", regex: true }), ["a.c:1"]);
    await failed("invalid_input", "fs.search", { path: "s", pattern: "(", regex: true });
  });

  it("fs.watch: changes as they happen, until it is cancelled", async () => {
    await done("fs.mkdir", { path: "w" });
    const { id } = (await api.operate(project, "fs.watch", { path: "w", recursive: true })).expect(202);
    let seen = "";
    for await (const event of api.events(`/v1/operations/${id}/events`)) {
      if (event.type === "started") write("w/made", "x");
      if (event.type === "chunk") seen += chunkBytes(event);
      if (seen.includes('"made"')) break;
    }
    await api.post(`/v1/operations/${id}/cancel`);
    const ended = await api.finished(id);
    assert.equal(ended.error?.code, "cancelled");
  });
});
