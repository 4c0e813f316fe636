// Events over HTTP: pages, waiting for the next, server-sent events, and where a reader without a cursor begins.

import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { chunkBytes } from "../lib/client.mjs";
import { useCroft } from "../lib/croftd.mjs";
import { SseParser } from "../lib/sse.mjs";

const JSON_PAGE = { headers: { accept: "application/json" } };

describe("events", () => {
  const croft = useCroft();
  let api, project, workspace, operation, all;

  before(async () => {
    api = croft.admin;
    ({ workspace, id: project } = await api.makeProject());
    operation = (await api.run(project, "command.run", { shell: "echo out; echo err >&2; printf '\\377'" }, { correlationId: "talk/1 ü" })).id;
    all = await api.allEvents(`/v1/operations/${operation}/events`);
  });

  it("tell an operation from its beginning to its end", () => {
    const types = all.map((event) => event.type);
    assert.deepEqual([types[0], types[1], types.at(-1)], ["queued", "started", "completed"]);
    assert.ok(types.slice(2, -1).every((type) => type === "chunk"));
    for (const event of all) {
      assert.deepEqual([event.workspace, event.project, event.operation, event.correlationId], [workspace.id, project, operation, "talk/1 ü"]);
      assert.match(event.time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    }
    assert.equal(new Set(all.map((event) => event.cursor)).size, all.length);
    assert.deepEqual(all[0].data.type, "command.run");
    assert.equal(all.at(-1).data.result.exitCode, 0);
    const chunks = all.filter((event) => event.type === "chunk");
    assert.ok(chunks.some((event) => event.data.base64 && chunkBytes(event).includes(0xff)), "what is not UTF-8 comes as base64");
    assert.ok(chunks.some((event) => event.data.stream === "stderr" && event.data.text === "err\n"));
  });

  it("come in pages of the size that is asked for", async () => {
    const seen = [];
    let cursor = "";
    for (;;) {
      const page = (await api.get(`/v1/operations/${operation}/events?limit=2${cursor && `&cursor=${cursor}`}`, JSON_PAGE)).expect(200);
      assert.ok(page.items.length <= 2);
      seen.push(...page.items);
      assert.equal(typeof page.nextCursor, "string");
      if (!page.items.length) break;
      cursor = page.nextCursor;
    }
    assert.deepEqual(seen, all);
  });

  it("are the same by every way that leads to them", async () => {
    assert.deepEqual(await api.allEvents(`/v1/correlations/${encodeURIComponent("talk/1 ü")}/events?workspace=${workspace.id}`), all);
    const ofProject = await api.allEvents(`/v1/projects/${project}/events?from=start`);
    assert.deepEqual(ofProject.filter((event) => event.operation === operation), all);
    const sent = [];
    for await (const event of api.events(`/v1/operations/${operation}/events`)) sent.push(event);
    assert.deepEqual(sent, all);
  });

  it("are sent with their cursor as id and their type as event", async () => {
    const response = await api.open("GET", `/v1/operations/${operation}/events`, { headers: { accept: "text/event-stream" } });
    assert.match(response.headers["content-type"], /^text\/event-stream/);
    const parser = new SseParser();
    const messages = [];
    for await (const piece of response) messages.push(...parser.push(piece));
    const events = messages.filter((message) => message.data);
    assert.deepEqual(events.map((message) => [message.id, message.event]), all.map((event) => [event.cursor, event.type]));
  });

  it("resume behind Last-Event-ID, which wins over the cursor in the address", async () => {
    const target = `/v1/operations/${operation}/events`;
    for (const [i, { cursor }] of all.slice(0, -1).entries()) {
      const rest = [];
      for await (const event of api.events(`${target}?cursor=${all[0].cursor}`, { cursor })) rest.push(event);
      assert.deepEqual(rest, all.slice(i + 1));
    }
    const after = await api.get(target, { headers: { accept: "text/event-stream", "last-event-id": all.at(-1).cursor } });
    assert.equal(after.status, 204, "an EventSource must not come again when all was sent");
  });

  it("of a project begin with the next one, unless the start is asked for", async () => {
    const { items, nextCursor } = (await api.get(`/v1/projects/${project}/events?waitMs=0`, JSON_PAGE)).expect(200);
    assert.deepEqual(items, []);
    const waiting = api.get(`/v1/projects/${project}/events?waitMs=60000&cursor=${nextCursor}`, JSON_PAGE);
    const next = await api.run(project, "command.run", { argv: ["true"] });
    const [event] = (await waiting).expect(200).items;
    assert.deepEqual([event.type, event.operation], ["queued", next.id]);
  });

  it("are refused with parameters that are wrong", async () => {
    const target = `/v1/operations/${operation}/events`;
    for (const query of ["waitMs=-1", "waitMs=60001", "limit=0", "limit=1001", "from=middle", "color=red"])
      (await api.get(`${target}?${query}`, JSON_PAGE)).problem(400, "invalid_input");
  });
});
