// JSON, paths, keys and cursors that are wrong: each gets a problem document that says what, and nothing is changed.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { before, describe, it } from "node:test";
import { useCroft } from "../lib/croftd.mjs";

describe("bad input", () => {
  const croft = useCroft();
  let api, workspace, project;

  before(async () => {
    api = croft.admin;
    ({ workspace, id: project } = await api.makeProject());
  });

  const operations = () => `/v1/projects/${project}/operations`;
  const post = (body, headers = {}) =>
    api.post(operations(), { body, headers: { "content-type": "application/json", "idempotency-key": randomUUID(), ...headers } });
  const count = async () => (await api.get(`${operations()}?limit=1000`)).expect(200).items.length;

  async function unchanged(work) {
    const before = await count();
    await work();
    assert.equal(await count(), before, "something was made of it");
  }

  const good = '{"type":"fs.mkdir","input":{"path":"x"}}';
  const broken = {
    "nothing": "",
    "half an object": good.slice(0, -1),
    "two objects": good + good,
    "a list": "[]",
    "a text": '"type"',
    "a comment": `/* */${good}`,
    "a name twice": '{"type":"fs.mkdir","type":"fs.remove","input":{"path":"x"}}',
    "a name twice, deeper": '{"type":"fs.mkdir","input":{"path":"x","path":"y"}}',
    "a single quote": good.replaceAll('"', "'"),
    "a trailing comma": '{"type":"fs.mkdir","input":{"path":"x",}}',
    "a control character": '{"type":"fs.mkdir","input":{"path":"x\u0001"}}',
    "half a surrogate": '{"type":"fs.mkdir","input":{"path":"\\ud800"}}',
    "bytes that are not UTF-8": Buffer.from('{"type":"fs.mkdir","input":{"path":"\xff"}}', "latin1"),
    "UTF-8 longer than need be": Buffer.from('{"type":"fs.mkdir","input":{"path":"\xc0\xaf"}}', "latin1"),
    "a mark of byte order": Buffer.from(`\ufeff${good}`),
    "100,000 levels": `{"type":"fs.mkdir","input":${'{"a":'.repeat(100_000)}1${"}".repeat(100_000)}}`,
    "100,000 lists": `{"type":"fs.mkdir","input":${"[".repeat(100_000)}${"]".repeat(100_000)}}`,
    "65 levels": `{"type":"fs.mkdir","input":${'{"a":'.repeat(64)}1${"}".repeat(64)}}`,
  };
  for (const [name, body] of Object.entries(broken))
    it(`JSON: ${name}`, () => unchanged(async () => {
      const problem = (await post(body)).problem(400);
      assert.match(problem.code, /^invalid_(json|input)$/);
      assert.ok(problem.detail.length > 0);
    }));

  const wrong = {
    "an unknown field": { type: "fs.mkdir", input: { path: "x" }, color: "red" },
    "an unknown field of the input": { type: "fs.mkdir", input: { path: "x", color: "red" } },
    "no type": { input: { path: "x" } },
    "no input": { type: "fs.mkdir" },
    "an unknown type": { type: "fs.format", input: {} },
    "a number for a text": { type: "fs.mkdir", input: { path: 7 } },
    "null for a text": { type: "fs.mkdir", input: { path: null } },
    "a text for an object": { type: "fs.mkdir", input: "x" },
    "a text for a number": { type: "fs.mkdir", input: { path: "x" }, timeoutMs: "10" },
    "a negative time": { type: "fs.mkdir", input: { path: "x" }, timeoutMs: -1 },
    "a time beyond all numbers": { type: "fs.mkdir", input: { path: "x" }, timeoutMs: 1e300 },
    "half a millisecond": { type: "fs.mkdir", input: { path: "x" }, timeoutMs: 0.5 },
    "a time over the limit": { type: "fs.mkdir", input: { path: "x" }, timeoutMs: 86_400_001 },
    "argv and shell": { type: "command.run", input: { argv: ["true"], shell: "true" } },
    "neither argv nor shell": { type: "command.run", input: {} },
    "an empty argv": { type: "command.run", input: { argv: [] } },
    "NUL in an argument": { type: "command.run", input: { argv: ["echo", "a\0b"] } },
    "NUL in the environment": { type: "command.run", input: { argv: ["env"], env: { A: "b\0c" } } },
    "= in a variable's name": { type: "command.run", input: { argv: ["env"], env: { "A=B": "c" } } },
    "a terminal without width": { type: "command.run", input: { argv: ["true"], pty: { cols: 0, rows: 24 } } },
    "base64 that is none": { type: "fs.write", input: { path: "x", contentBase64: "%%%" } },
    "two contents": { type: "fs.write", input: { path: "x", content: "a", contentBase64: "Yg==" } },
  };
  for (const [name, json] of Object.entries(wrong))
    it(`fields: ${name}`, () => unchanged(async () => {
      (await api.post(operations(), { json, headers: { "idempotency-key": randomUUID() } })).problem(400, "invalid_input");
    }));

  it("a body that is too large", () => unchanged(async () => {
    (await post(`{"type":"fs.write","input":{"path":"x","content":"${"x".repeat(3 << 20)}"}}`)).problem(413);
  }));

  it("a body that is no JSON", () => unchanged(async () => {
    (await post(good, { "content-type": "text/plain" })).problem(415, "unsupported_media_type");
  }));

  it("unknown parameters of the query", async () => {
    (await api.get("/v1/workspaces?color=red")).problem(400, "invalid_input");
    (await api.get("/v1/workspaces?limit=0")).problem(400);
    (await api.get("/v1/workspaces?limit=many")).problem(400);
    (await api.get("/v1/workspaces?limit=10&limit=20")).problem(400);
  });

  it("identifiers of another kind, length or alphabet", async () => {
    for (const id of [workspace.id, `${project}0`, project.slice(0, -1), project.toUpperCase(), `prj_${"u".repeat(26)}`, "prj_", "..", "%2e%2e", "%00"])
      assert.ok([400, 404].includes((await api.get(`/v1/projects/${id}`)).status), id);
  });

  const paths = {
    "NUL": "a\0b",
    "nothing": "",
    "4,097 bytes": "a/".repeat(2048) + "b",
    "a name of 256 bytes": "x".repeat(256),
  };
  for (const [name, at] of Object.entries(paths))
    it(`paths: ${name}`, async () => {
      const answer = await api.operate(project, "fs.write", { path: at, content: "x" }, { wait: 30 });
      if (answer.status === 200) assert.equal(answer.json.error?.code, "invalid_input", JSON.stringify(answer.json));
      else answer.problem(400, "invalid_input");
    });

  it("paths: .. ends at the root of the instance", async () => {
    const { error } = await api.run(project, "fs.write", { path: "../../../../../../etc/croft-test", content: "x" });
    assert.ok(error, "it was written");
    const read = await api.run(project, "fs.read", { path: `${"../".repeat(50)}project/../etc/shadow` });
    assert.equal(read.state, "failed");
  });

  it("paths: a newline is a character like others", async () => {
    const name = "new\nline";
    assert.equal((await api.run(project, "fs.write", { path: name, content: "x" })).state, "completed");
    const { result } = await api.run(project, "fs.list", { path: "." });
    assert.ok(JSON.stringify(result).includes("new\\nline"));
    assert.equal((await api.run(project, "fs.remove", { path: name })).state, "completed");
  });

  it("paths: loops of links, devices and fifos end the operation and not the instance", async () => {
    await api.shell(project, "ln -s loop loop; mkfifo fifo; mkdir -p folder");
    const runtime = async () => {
      const { operation } = await api.shell(project, "true");
      return (await api.allEvents(`/v1/operations/${operation.id}/events`)).find((event) => event.type === "started").data.runtime;
    };
    const before = await runtime();
    for (const at of ["loop", "loop/x", "fifo", "/dev/zero", "/dev/tty", "folder"]) {
      const operation = await api.run(project, "fs.read", { path: at });
      assert.equal(operation.state, "failed", at);
      assert.notEqual(operation.error.code, "internal", at);
    }
    for (const at of ["loop/x", "folder", "/dev/null", "/usr/x"]) {
      const operation = await api.run(project, "fs.write", { path: at, content: "x" });
      assert.equal(operation.state, "failed", at);
      assert.notEqual(operation.error.code, "internal", at);
    }
    assert.equal(await runtime(), before);
  });

  it("an idempotency key that is missing, too long, or used for something else", () => unchanged(async () => {
    (await api.post(operations(), { body: good, headers: { "content-type": "application/json" } })).problem(400, "idempotency_key_required");
    (await post(good, { "idempotency-key": "x".repeat(256) })).problem(400);
    (await post(good, { "idempotency-key": "" })).problem(400);
  }));

  it("an idempotency key that is used again", async () => {
    const key = randomUUID();
    const first = (await post(good, { "idempotency-key": key })).expect(202);
    const before = await count();
    (await post(good.replace('"x"', '"y"'), { "idempotency-key": key })).problem(422, "idempotency_key_reused");
    const again = await post(good, { "idempotency-key": key });
    assert.equal(again.expect(202).id, first.id);
    assert.equal(again.headers["idempotent-replayed"], "true");
    assert.equal(await count(), before);
  });

  it("cursors that are forged, foreign or cut", async () => {
    const second = await api.makeProject();
    const { operation } = await api.shell(second.id, "echo x");
    const events = await api.allEvents(`/v1/operations/${operation.id}/events`);
    const cursor = events[1].cursor;
    const read = (text, of = project) => api.get(`/v1/projects/${of}/events?waitMs=0&cursor=${encodeURIComponent(text)}`, { headers: { accept: "application/json" } });
    (await read(cursor, second.id)).expect(200);
    const flipped = cursor.replace(/.$/, (last) => (last === "0" ? "1" : "0"));
    for (const text of [cursor, flipped]) (await read(text)).problem(400, "invalid_cursor");
    for (const text of [flipped, cursor.slice(0, -2), `${cursor}00`, cursor.toUpperCase() === cursor ? "x" : cursor.toUpperCase(), "0".repeat(cursor.length), "'; --", "\0"])
      (await read(text, second.id)).problem(400);
  });
});
