// GET /v1/ws: many subscriptions, input, signals and sizes over one WebSocket; and tickets for those who cannot set headers.

import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { useCroft } from "../lib/croftd.mjs";
import { Socket } from "../lib/websocket.mjs";

describe("a WebSocket", () => {
  const croft = useCroft();
  let api, project, workspace;
  const bearer = () => ({ authorization: `Bearer ${croft.admin.key}` });
  const open = () => Socket.open(croft.url, "/v1/ws", bearer());

  before(async () => {
    api = croft.admin;
    ({ workspace, id: project } = await api.makeProject());
  });

  it("follows an operation, feeds it and tells its end", async () => {
    const socket = await open();
    const { id } = (await api.operate(project, "command.run", { argv: ["cat"], stdinOpen: true })).expect(202);
    socket.send({ type: "subscribe", id: "s", operation: id });
    await socket.next((message) => message.type === "subscribed");
    await socket.next((message) => message.event?.type === "started");
    socket.send({ type: "input", id: "1", operation: id, data: "typed\n" });
    socket.send({ type: "input", id: "2", operation: id, eof: true });
    const chunk = await socket.next((message) => message.event?.type === "chunk");
    assert.deepEqual([chunk.id, chunk.event.data.text], ["s", "typed\n"]);
    await socket.next((message) => message.event?.type === "completed");
    assert.equal((await socket.next((message) => message.type === "ended")).reason, "complete");
    await socket.close();
  });

  it("goes on behind a cursor after it was lost", async () => {
    const done = await api.shell(project, "seq 100000");
    const target = { operation: done.operation.id };
    const first = await open();
    first.send({ type: "subscribe", id: "a", ...target });
    const seen = [await first.next((message) => message.event?.type === "started")];
    first.connection.destroy();
    const second = await open();
    second.send({ type: "subscribe", id: "b", ...target, cursor: seen[0].event.cursor });
    await second.next((message) => message.type === "ended");
    const kept = await api.allEvents(`/v1/operations/${done.operation.id}/events`, seen[0].event.cursor);
    assert.ok(kept.length > 1);
    await second.close();
  });

  it("holds several subscriptions, of which each can be left", async () => {
    const socket = await open();
    socket.send({ type: "subscribe", id: "project", project });
    socket.send({ type: "subscribe", id: "chat", project, stream: "chat" });
    await socket.next((message) => message.type === "subscribed" && message.id === "chat");
    (await api.post(`/v1/projects/${project}/streams/chat`, { json: { data: "hello" } })).expect(201);
    assert.equal((await socket.next((message) => message.id === "chat")).event.data.data, "hello");
    socket.send({ type: "unsubscribe", id: "chat" });
    assert.equal((await socket.next((message) => message.type === "ended" && message.id === "chat")).reason, "unsubscribed");
    await api.run(project, "command.run", { argv: ["true"] });
    await socket.next((message) => message.id === "project" && message.event?.type === "completed");
    await socket.close();
  });

  it("answers what cannot be followed, and goes on", async () => {
    const socket = await open();
    socket.send({ type: "subscribe", id: "x", operation: "op_00000000000000000000000000" });
    const refused = await socket.next((message) => message.type === "error");
    assert.deepEqual([refused.id, refused.error.status], ["x", 404]);
    socket.send({ type: "ping", id: "still" });
    assert.equal((await socket.next((message) => message.type === "pong")).id, "still");
    await socket.close();
  });

  for (const [what, message, code] of [["no JSON", "{", 1007], ["an unknown type", { type: "dance" }, 1007], ["an unknown member", { type: "ping", id: "1", more: 1 }, 1008]])
    it(`closes on ${what}`, async () => {
      const socket = await open();
      socket.send(message);
      assert.equal(await socket.end(), code);
    });

  it("is refused without a credential, and without an upgrade", async () => {
    assert.equal((await Socket.open(croft.url, "/v1/ws")).status, 401);
    (await api.get("/v1/ws")).problem(426, "upgrade_required");
  });

  it("opens with a ticket, once, and for its path alone", async () => {
    const ticket = async () => (await api.post("/v1/tickets", { json: { path: "/v1/ws" } })).expect(201).ticket;
    const used = await ticket();
    const socket = await Socket.open(croft.url, `/v1/ws?ticket=${used}`);
    socket.send({ type: "ping", id: "1" });
    await socket.next((message) => message.type === "pong");
    await socket.close();
    assert.equal((await Socket.open(croft.url, `/v1/ws?ticket=${used}`)).status, 401);
    const other = croft.client(undefined);
    (await other.get(`/v1/projects/${project}/events?ticket=${await ticket()}`, { headers: { accept: "application/json" } })).problem(401);
    other.close();
  });

  it("closes when its key is revoked", async () => {
    const key = (await api.post(`/v1/workspaces/${workspace.id}/keys`, { json: { name: "k", role: "viewer" } })).expect(201);
    const socket = await Socket.open(croft.url, "/v1/ws", { authorization: `Bearer ${key.secret}` });
    socket.send({ type: "subscribe", id: "p", project });
    await socket.next((message) => message.type === "subscribed");
    assert.equal((await api.delete(`/v1/workspaces/${workspace.id}/keys/${key.id}`)).status, 204);
    assert.equal(await socket.end(), 1008);
  });
});
