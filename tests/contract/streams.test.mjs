// Named streams: messages of chat, presence and agents.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { before, describe, it } from "node:test";
import { until, useCroft } from "../lib/croftd.mjs";

describe("a named stream", () => {
  const croft = useCroft();
  let api, project;
  const at = (name) => `/v1/projects/${project}/streams/${name}`;
  const publish = (name, data, headers = {}, more = {}) => api.post(at(name), { json: { data, ...more }, headers });

  before(async () => {
    api = croft.admin;
    project = (await api.makeProject()).id;
  });

  it("gives back what was published, in order, to who asks from its start", async () => {
    const values = ["text", 1, null, { nested: ["ü", true] }, "x".repeat(60_000)];
    for (const value of values) assert.match((await publish("chat", value)).expect(201).id, /^[0-9a-hjkmnp-tv-z]{26}$/);
    const events = await api.allEvents(`${at("chat")}/events?from=start`);
    assert.deepEqual(events.map((event) => event.data.data), values);
    for (const event of events) assert.deepEqual([event.type, event.operation, event.data.stream], ["chunk", null, "chat"]);
  });

  it("takes a message once under one key", async () => {
    const key = { "idempotency-key": randomUUID() };
    const first = await publish("once", 1, key);
    const again = await publish("once", 1, key);
    assert.equal(again.expect(201).id, first.expect(201).id);
    assert.equal(first.headers["idempotent-replayed"], undefined);
    assert.equal(again.headers["idempotent-replayed"], "true");
    assert.equal((await api.allEvents(`${at("once")}/events?from=start`)).length, 1);
  });

  it("reaches a reader who waits, and nobody else's", async () => {
    const cut = new AbortController();
    const heard = [];
    const listening = (async () => {
      for await (const event of api.events(`${at("live")}/events?from=start`, { signal: cut.signal })) heard.push(event.data.data);
    })().catch(() => {});
    await publish("other", "no");
    await publish("live", "yes", {}, { correlationId: "talk" });
    await until(() => heard.length > 0, "the message");
    cut.abort();
    await listening;
    assert.deepEqual(heard, ["yes"]);
    const [event] = (await api.get(`/v1/correlations/talk/events?workspace=${(await api.get("/v1/workspaces")).json.items.at(-1).id}`, { headers: { accept: "application/json" } })).expect(200).items;
    assert.equal(event?.data.data, "yes");
  });

  it("refuses what is no message", async () => {
    (await api.post(at("chat"), { json: {} })).problem(400, "invalid_input");
    (await api.post(at("chat"), { json: { data: 1, more: 2 } })).problem(400, "invalid_input");
    (await publish("x".repeat(65), 1)).problem(400, "invalid_input");
    (await publish("chat", "x".repeat(3 << 20))).problem(413);
    for (const key of ["", "k".repeat(256)])
      (await publish("chat", 1, { "idempotency-key": key })).problem(400, "idempotency_key_invalid");
  });
});

describe("figures", () => {
  const croft = useCroft();

  it("count operations", async () => {
    const { id } = await croft.admin.makeProject();
    await croft.admin.run(id, "command.run", { argv: ["true"] });
    await croft.admin.run(id, "command.run", { argv: ["/nonexistent"] });
    const figure = (text, name) => Number(new RegExp(`^${name} (\\d+)$`, "m").exec(text)?.[1]);
    await until(async () => {
      const { text } = await croft.admin.get("/metrics");
      return figure(text, "croft_operations_admitted_total") === 2 && figure(text, "croft_operations_running") === 0 &&
        figure(text, "croft_operations_completed_total") + figure(text, "croft_operations_failed_total") === 2;
    }, "the figures to be pushed");
  });
});
