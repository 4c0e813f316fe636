// The way of an operation, from the request to its last event.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { before, describe, it } from "node:test";
import { useCroft, until } from "../lib/croftd.mjs";

describe("an operation", () => {
  const croft = useCroft();
  let api, project;

  before(async () => {
    api = croft.admin;
    project = (await api.makeProject()).id;
  });

  it("is queued, started, gives its output and completes", async () => {
    const operation = (await api.operate(project, "command.run", { argv: ["echo", "hello"] })).expect(202);
    assert.match(operation.id, /^op_[0-9a-hjkmnp-tv-z]{26}$/);
    const events = [];
    for await (const event of api.events(`/v1/operations/${operation.id}/events`)) events.push(event);
    assert.deepEqual(events.map((e) => e.type), ["queued", "started", "chunk", "completed"]);
    assert.deepEqual(events[2].data, { stream: "stdout", text: "hello\n" });
    assert.equal(events[3].data.result.exitCode, 0);
    for (const event of events) assert.equal(event.operation, operation.id);
  });

  it("answers 200 with the end when the client waits", async () => {
    const answer = await api.operate(project, "command.run", { shell: "exit 7" }, { wait: 30 });
    const operation = answer.expect(200);
    assert.equal(operation.state, "completed");
    assert.equal(operation.result.exitCode, 7);
  });

  it("is the same one when the key is repeated, while it runs and after", async () => {
    const key = randomUUID();
    const first = await api.operate(project, "command.run", { shell: "echo once >>count; cat", stdinOpen: true }, { key });
    const second = await api.operate(project, "command.run", { shell: "echo once >>count; cat", stdinOpen: true }, { key });
    assert.equal(second.expect(202).id, first.expect(202).id);
    assert.equal(second.headers["idempotent-replayed"], "true");
    (await api.operate(project, "command.run", { shell: "true" }, { key })).problem(422, "idempotency_key_reused");
    await api.started(first.json.id);
    (await api.post(`/v1/operations/${first.json.id}/input`, { json: { data: "", eof: true } })).expect(204);
    assert.equal((await api.finished(first.json.id)).result.exitCode, 0);
    assert.equal((await api.get(`/v1/projects/${project}/files/count`)).text, "once\n");
  });

  it("takes input, and ends of its own when the input does", async () => {
    const operation = (await api.operate(project, "command.run", { argv: ["wc", "-c"], stdinOpen: true })).expect(202);
    await api.started(operation.id);
    (await api.post(`/v1/operations/${operation.id}/input`, { json: { data: "four" } })).expect(204);
    (await api.post(`/v1/operations/${operation.id}/input`, { json: { dataBase64: "AAEC", eof: true } })).expect(204);
    await api.finished(operation.id);
    const events = await api.allEvents(`/v1/operations/${operation.id}/events`);
    assert.equal(events.find((e) => e.type === "chunk").data.text.trim(), "7");
  });

  it("passes signals on", async () => {
    const operation = (await api.operate(project, "command.run", { shell: "trap 'echo caught; exit 5' INT; echo set; while :; do sleep 0.05; done" })).expect(202);
    for await (const event of api.events(`/v1/operations/${operation.id}/events`))
      if (event.type === "chunk" && event.data.text.includes("set")) break;
    (await api.post(`/v1/operations/${operation.id}/signal`, { json: { signal: "SIGINT" } })).expect(204);
    assert.equal((await api.finished(operation.id)).result.exitCode, 5);
  });

  it("is cancelled while it runs", async () => {
    const operation = (await api.operate(project, "command.run", { argv: ["sleep", "1000"] })).expect(202);
    await api.started(operation.id);
    const answer = await api.post(`/v1/operations/${operation.id}/cancel`);
    assert.ok([200, 202, 204].includes(answer.status), answer.text);
    const ended = await api.finished(operation.id);
    assert.equal(ended.state, "failed");
    assert.equal(ended.error.code, "cancelled");
  });

  it("is ended when its time is over", async () => {
    const ended = await api.run(project, "command.run", { argv: ["sleep", "1000"] }, { timeoutMs: 200 });
    assert.equal(ended.error.code, "timeout");
  });

  it("gives a terminal of the size that was asked for, and resizes it", async () => {
    const script = "stty size; trap 'stty size; exit 0' WINCH; while :; do sleep 0.05; done";
    const operation = (await api.operate(project, "command.run", { shell: script, pty: { cols: 91, rows: 31 } })).expect(202);
    let seen = "";
    for await (const event of api.events(`/v1/operations/${operation.id}/events`)) {
      if (event.type !== "chunk") continue;
      assert.equal(event.data.stream, "pty");
      seen += event.data.text;
      if (seen.includes("31 91") && !seen.includes("20 50"))
        await until(async () => (await api.post(`/v1/operations/${operation.id}/resize`, { json: { cols: 50, rows: 20 } })).status === 204, "resize");
    }
    assert.match(seen, /31 91[\s\S]*20 50/);
  });

  it("leaves a background process alive between operations", async () => {
    const background = await api.run(project, "command.run", { shell: "while :; do date +%N >beat; sleep 0.05; done", background: true });
    assert.equal(background.state, "completed", JSON.stringify(background));
    const read = async () => (await api.get(`/v1/projects/${project}/files/beat`)).text;
    await until(async () => (await read()).length > 1, "the first beat");
    const first = await read();
    await until(async () => (await read()) !== first, "another beat");
  });
});
