// The WebSocket: many subscriptions and orders on one connection; and the tickets that open it for browsers.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { before, describe, it } from "node:test";
import { chunkBytes } from "../lib/client.mjs";
import { useCroft } from "../lib/croftd.mjs";
import { Socket } from "../lib/websocket.mjs";

describe("a WebSocket", () => {
  const croft = useCroft();
  let api, project;

  before(async () => {
    api = croft.admin;
    project = (await api.makeProject()).id;
  });

  async function open(t, target = "/v1/ws", headers = { authorization: `Bearer ${api.key}` }) {
    const socket = await Socket.open(croft.port, target, headers);
    t.after(() => socket.close());
    return socket;
  }

  const command = async (input) => (await api.operate(project, "command.run", input)).expect(202).id;

  /** The events of a subscription up to its end, each as the document says. */
  async function eventsOf(socket, id) {
    const events = [];
    for (;;) {
      const message = await socket.receive((one) => one.id === id && one.type !== "subscribed");
      assert.ok(message, "closed in the middle");
      assert.deepEqual(croft.contract.errors({ $ref: "#/components/schemas/SocketServerMessage" }, message), []);
      if (message.type !== "event") return { events, end: message };
      events.push(message.event);
    }
  }

  it("has many subscriptions, each with what is its own", async (t) => {
    const socket = await open(t);
    const ids = await Promise.all(["one", "two", "three"].map((text) => command({ argv: ["echo", text] })));
    ids.forEach((operation, i) => socket.send({ type: "subscribe", id: `s${i}`, operation }));
    for (const [i, text] of ["one", "two", "three"].entries()) {
      const { events, end } = await eventsOf(socket, `s${i}`);
      assert.deepEqual(events.map((event) => event.type), ["queued", "started", "chunk", "completed"]);
      assert.equal(chunkBytes(events[2]).toString(), `${text}\n`);
      assert.equal(end.type, "ended");
      assert.equal(end.reason, "complete");
      assert.deepEqual(events, await api.allEvents(`/v1/operations/${ids[i]}/events`));
    }
  });

  it("goes on behind a cursor, without loss and without anything twice", async (t) => {
    const operation = await command({ shell: "for i in 1 2 3 4 5; do echo $i; done" });
    await api.finished(operation);
    const all = await api.allEvents(`/v1/operations/${operation}/events`);
    for (const at of all.keys()) {
      const socket = await open(t);
      socket.send({ type: "subscribe", id: "s", operation, cursor: all[at].cursor });
      assert.deepEqual((await eventsOf(socket, "s")).events, all.slice(at + 1));
      socket.close();
    }
  });

  it("takes input, sizes and signals for a command", async (t) => {
    const socket = await open(t);
    const operation = await command({ shell: "stty size; read line; stty size; echo got $line; exec sleep 1000", pty: { cols: 80, rows: 24 } });
    socket.send({ type: "subscribe", id: "s", operation });
    let seen = "";
    const until = async (text) => {
      while (!seen.includes(text)) {
        const { event } = await socket.receive((one) => one.type === "event");
        if (event.type === "chunk") seen += chunkBytes(event);
      }
    };
    await until("24 80");
    socket.send({ type: "resize", id: "1", operation, cols: 100, rows: 30 });
    assert.deepEqual(await socket.receive((one) => one.id === "1"), { type: "done", id: "1" });
    socket.send({ type: "input", id: "2", operation, data: "hello\n" });
    assert.deepEqual(await socket.receive((one) => one.id === "2"), { type: "done", id: "2" });
    await until("30 100");
    await until("got hello");
    socket.send({ type: "signal", id: "3", operation, signal: "SIGTERM" });
    assert.deepEqual(await socket.receive((one) => one.id === "3"), { type: "done", id: "3" });
    const { end } = await eventsOf(socket, "s");
    assert.equal(end.reason, "complete");
    assert.equal((await api.get(`/v1/operations/${operation}`)).expect(200).result.signal, "SIGTERM");
  });

  it("hears a project and a named stream until it has heard enough", async (t) => {
    const socket = await open(t);
    socket.send({ type: "subscribe", id: "p", project });
    socket.send({ type: "subscribe", id: "n", project, stream: "chat", from: "start" });
    for (const id of ["p", "n"]) assert.equal((await socket.receive((one) => one.id === id)).type, "subscribed");
    (await api.post(`/v1/projects/${project}/streams/chat`, { json: { data: "hi" } })).expect(201);
    const operation = await command({ argv: ["true"] });
    assert.equal((await socket.receive((one) => one.id === "n")).event.data.data, "hi");
    await socket.receive((one) => one.id === "p" && one.event.operation === operation && one.event.type === "completed");
    for (const id of ["p", "n"]) {
      socket.send({ type: "unsubscribe", id });
      assert.equal((await socket.receive((one) => one.id === id && one.type === "ended")).reason, "unsubscribed");
    }
    socket.send({ type: "ping", id: "last" });
    assert.deepEqual(await socket.receive((one) => one.type === "pong"), { type: "pong", id: "last" });
  });

  it("answers what cannot be followed, and goes on", async (t) => {
    const socket = await open(t);
    const unknown = `op_${"0".repeat(26)}`;
    const wrong = [
      [{ type: "subscribe", id: "1", operation: unknown }, "not_found"],
      [{ type: "subscribe", id: "2", project, cursor: "forged" }, "invalid_cursor"],
      [{ type: "input", id: "3", operation: unknown, data: "x" }, "not_found"],
      [{ type: "signal", id: "4", operation: unknown, signal: "SIGINT" }, "not_found"],
      [{ type: "subscribe", id: "5" }, "invalid_input"],
      [{ type: "subscribe", id: "6", project, operation: unknown }, "invalid_input"],
      [{ type: "subscribe", id: "7", project, color: "red" }, "invalid_input"],
    ];
    for (const [message, code] of wrong) {
      socket.send(message);
      const answer = await socket.receive();
      assert.deepEqual([answer?.type, answer?.id, answer?.error?.code], ["error", message.id, code], JSON.stringify(answer));
    }
    socket.send({ type: "ping", id: "alive" });
    assert.equal((await socket.receive()).type, "pong");
  });

  const closing = {
    "text that is no JSON": [1007, (socket) => socket.frame(0x81, "{")],
    "text that is not UTF-8": [1007, (socket) => socket.frame(0x81, Buffer.from([0x22, 0xff, 0x22]))],
    "a message of unknown type": [1007, (socket) => socket.send({ type: "dance" })],
    "a frame without a mask": [1002, (socket) => socket.frame(0x81, '{"type":"ping"}', { masked: false })],
    "a frame with a reserved flag": [1002, (socket) => socket.frame(0xc1, '{"type":"ping"}')],
    "a frame of unknown kind": [1002, (socket) => socket.frame(0x83, "x")],
    "a piece of nothing": [1002, (socket) => socket.frame(0x80, "x")],
    "a message that is too large": [1009, (socket) => socket.frame(0x81, `{"type":"ping","id":"${"x".repeat(1 << 20)}"}`)],
  };
  for (const [name, [code, act]] of Object.entries(closing))
    it(`is closed for ${name}`, async (t) => {
      const socket = await open(t);
      act(socket);
      assert.equal(await socket.ended(), code);
      (await api.get("/healthz")).expect(200);
    });

  for (const [name, first, payload] of [["in pieces", 0x09, "x"], ["that is too long", 0x89, "x".repeat(126)]])
    it(`ends with a control frame ${name}`, async (t) => {
      const socket = await open(t);
      socket.frame(first, payload);
      assert.notEqual(await socket.ended(), 1000);
      (await api.get("/healthz")).expect(200);
    });

  it("takes a message in pieces, with a ping between them", async (t) => {
    const socket = await open(t);
    socket.frame(0x01, '{"type":"pi');
    socket.frame(0x89, "are you there");
    socket.frame(0x00, 'ng","id"');
    socket.frame(0x80, ':"whole"}');
    assert.deepEqual(await socket.receive(), { type: "pong", id: "whole" });
  });

  it("is refused without a credential, and to what is no handshake", async () => {
    await assert.rejects(Socket.open(croft.port, "/v1/ws"), { status: 401 });
    await assert.rejects(Socket.open(croft.port, "/v1/ws", { authorization: "Bearer croft_x_y" }), { status: 401 });
    const authorization = `Bearer ${api.key}`;
    for (const broken of [{ "sec-websocket-version": "8" }, { "sec-websocket-key": "short" }, { upgrade: "h2c" }])
      await assert.rejects(Socket.open(croft.port, "/v1/ws", { authorization, ...broken }), ({ status }) => status === 400 || status === 426);
    (await api.get("/v1/ws")).problem(426, "upgrade_required");
  });

  it("closes when its key is revoked", async (t) => {
    const { workspace } = await api.makeProject();
    const keys = `/v1/workspaces/${workspace.id}/keys`;
    const key = (await api.post(keys, { json: { name: "short", role: "viewer" } })).expect(201);
    const socket = await open(t, "/v1/ws", { authorization: `Bearer ${key.secret}` });
    (await api.delete(`${keys}/${key.id}`)).expect(204);
    assert.equal(await socket.ended(), 1008);
  });

  it("does for a key what its role may", async (t) => {
    const { workspace, id } = await api.makeProject();
    const key = (await api.post(`/v1/workspaces/${workspace.id}/keys`, { json: { name: "reader", role: "viewer" } })).expect(201);
    const socket = await open(t, "/v1/ws", { authorization: `Bearer ${key.secret}` });
    const operation = (await api.operate(id, "command.run", { argv: ["sleep", "1000"] })).expect(202).id;
    socket.send({ type: "subscribe", id: "own", operation });
    assert.equal((await socket.receive()).type, "subscribed");
    socket.send({ type: "subscribe", id: "foreign", project });
    assert.equal((await socket.receive((one) => one.id === "foreign")).error.code, "not_found");
    await api.started(operation);
    for (const order of [{ type: "input", data: "x" }, { type: "signal", signal: "SIGKILL" }]) {
      socket.send({ ...order, id: order.type, operation });
      assert.equal((await socket.receive((one) => one.id === order.type)).error.code, "forbidden");
    }
    (await api.post(`/v1/operations/${operation}/cancel`)).expect(202);
    await eventsOf(socket, "own");
  });

  describe("and a ticket", () => {
    const ticket = async (path, client = api) => (await client.post("/v1/tickets", { json: { path } })).expect(201).ticket;

    it("opens its path once", async (t) => {
      const text = await ticket("/v1/ws");
      const socket = await open(t, `/v1/ws?ticket=${text}`, {});
      socket.send({ type: "subscribe", id: "s", operation: await command({ argv: ["true"] }) });
      assert.equal((await eventsOf(socket, "s")).end.reason, "complete");
      await assert.rejects(Socket.open(croft.port, `/v1/ws?ticket=${text}`), { status: 401 });
    });

    it("reads events and files without a header", async () => {
      const anyone = croft.client();
      const operation = await command({ argv: ["true"] });
      const path = `/v1/operations/${operation}/events`;
      const events = [];
      for await (const event of anyone.events(`${path}?ticket=${await ticket(path)}`)) events.push(event.type);
      assert.equal(events.at(-1), "completed");
      (await api.put(`/v1/projects/${project}/files/shown`, { body: "bytes" })).expect(201);
      const file = `/v1/projects/${project}/files/shown`;
      assert.equal((await anyone.get(`${file}?ticket=${await ticket(file)}`)).text, "bytes");
    });

    it("opens no other path, no other call, and nothing when it is forged", async () => {
      const anyone = croft.client();
      const path = `/v1/projects/${project}/events`;
      const json = { headers: { accept: "application/json" } };
      (await anyone.get(`/v1/projects/${project}/streams/chat/events?waitMs=0&ticket=${await ticket(path)}`, json)).problem(401);
      (await anyone.get(`/v1/workspaces?ticket=${await ticket("/v1/ws")}`)).problem(400);
      const text = await ticket(path);
      for (const wrong of [text.slice(0, -1), `${text}0`, randomUUID(), "0".repeat(text.length)])
        assert.ok([400, 401].includes((await anyone.get(`${path}?waitMs=0&ticket=${wrong}`, json)).status), wrong);
      for (const wrong of ["", "v1/ws", "/v1/ws?x=1", "https://example.com/v1/ws"])
        (await api.post("/v1/tickets", { json: { path: wrong } })).problem(400, "invalid_input");
    });

    it("is worth no more than the key that it was given for", async () => {
      const { workspace } = await api.makeProject();
      const key = (await api.post(`/v1/workspaces/${workspace.id}/keys`, { json: { name: "k", role: "viewer" } })).expect(201);
      const path = `/v1/projects/${project}/events`;
      const text = await ticket(path, croft.client(key.secret));
      const anyone = croft.client();
      (await anyone.get(`${path}?waitMs=0&ticket=${text}`, { headers: { accept: "application/json" } })).problem(404);
      const other = await ticket("/v1/ws", croft.client(key.secret));
      (await api.delete(`/v1/workspaces/${workspace.id}/keys/${key.id}`)).expect(204);
      await assert.rejects(Socket.open(croft.port, `/v1/ws?ticket=${other}`), { status: 401 });
    });
  });
});
