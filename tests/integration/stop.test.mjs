// SIGTERM: what runs gets its time, what waits is kept, and the roles end in an order that loses nothing.

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { chunkBytes } from "../lib/client.mjs";
import { startCroft, until } from "../lib/croftd.mjs";

const types = (events) => events.map((event) => event.type);
const output = (events) => Buffer.concat(events.filter((e) => e.type === "chunk").map(chunkBytes)).toString();

/** Starts a command that prints "ready" first, and answers its operation when it has. */
async function begin(api, project, script) {
  const { id } = (await api.operate(project, "command.run", { shell: `echo ready; ${script}` })).expect(202);
  for await (const event of api.events(`/v1/operations/${id}/events`)) if (event.type === "chunk") break;
  return id;
}

async function eventsOf(croft, id) {
  return croft.admin.allEvents(`/v1/operations/${id}/events`);
}

describe("an orderly stop", () => {
  it("lets a command end that ends in time", async (t) => {
    const croft = await startCroft(t, { settings: { "stop.grace": "20s" } });
    const { id: project } = await croft.admin.makeProject();
    const id = await begin(croft.admin, project, "sleep 2; echo done; exit 3");
    const reader = croft.admin.events(`/v1/operations/${id}/events`);
    const events = [(await reader.next()).value]; // it reads before the stop begins
    const read = (async () => {
      for await (const event of reader) events.push(event);
    })();
    const told = new Date().toISOString();
    await croft.stop();
    await read;
    assert.deepEqual(types(events).slice(-1), ["completed"], "a reader gets the last event before the gateway ends");
    await croft.start();
    const operation = (await croft.admin.get(`/v1/operations/${id}`)).expect(200);
    assert.equal(operation.state, "completed");
    assert.equal(operation.result.exitCode, 3);
    assert.ok(operation.endedAt > told, "it has outlived the SIGTERM");
    assert.equal(output(await eventsOf(croft, id)), "ready\ndone\n");
  });

  it("ends as lost what does not end, with one last event, before croftd ends", async (t) => {
    const croft = await startCroft(t, { settings: { "stop.grace": "2s" } });
    const { id: project } = await croft.admin.makeProject();
    const id = await begin(croft.admin, project, "sleep 600");
    await croft.stop();
    await croft.start();
    const operation = (await croft.admin.get(`/v1/operations/${id}`)).expect(200);
    assert.equal(operation.state, "failed");
    assert.equal(operation.error.code, "worker_lost");
    assert.deepEqual(types(await eventsOf(croft, id)), ["queued", "started", "chunk", "failed"]);
  });

  it("shows readers the end of a command that will not end", async (t) => {
    const croft = await startCroft(t, { settings: { "stop.grace": "4s" } });
    const { id: project } = await croft.admin.makeProject();
    const id = await begin(croft.admin, project, "trap '' TERM; while :; do sleep 1; done");
    const reader = croft.admin.events(`/v1/operations/${id}/events`);
    const events = [(await reader.next()).value];
    const read = (async () => {
      for await (const event of reader) events.push(event);
    })();
    await croft.stop();
    await read;
    assert.equal(events.at(-1).type, "failed");
    assert.equal(events.at(-1).data.error.code, "worker_lost");
  });

  it("keeps what waits for its turn, and starts it next time", async (t) => {
    const croft = await startCroft(t, { settings: { "stop.grace": "2s", "operations.running": "1" } });
    const { id: project } = await croft.admin.makeProject();
    const first = await begin(croft.admin, project, "sleep 600");
    const second = (await croft.admin.operate(project, "command.run", { shell: "echo later" })).expect(202).id;
    await croft.stop();
    await croft.start();
    assert.equal((await croft.admin.finished(second)).state, "completed");
    assert.equal((await croft.admin.get(`/v1/operations/${first}`)).expect(200).state, "failed");
    assert.deepEqual(types(await eventsOf(croft, second)), ["queued", "started", "chunk", "completed"]);
  });

  it("ends control and worker first, the two logs last", async (t) => {
    const croft = await startCroft(t);
    await until(async () => (await croft.admin.get("/readyz")).status === 200, "every role to be ready");
    await croft.stop();
    const ended = [...croft.log.matchAll(/croftd\[\d+\]: (\w+) 0 ended$/gm)].map((match) => match[1]);
    assert.deepEqual(ended.slice(0, 2).sort(), ["control", "worker"]);
    assert.deepEqual(ended.slice(2, 3), ["gateway"]);
    assert.deepEqual(ended.slice(3).sort(), ["audit", "stream"]);
  });
});
