// Bytes that are no request, or two in one: refused and closed, and the server goes on.

import assert from "node:assert/strict";
import net from "node:net";
import { describe, it } from "node:test";
import { until, useCroft } from "../lib/croftd.mjs";

/** Sends bytes on a connection of its own and answers all that comes back until the server closes it. */
function exchange(port, bytes) {
  return new Promise((resolve, reject) => {
    const socket = net.connect(port, "127.0.0.1");
    const pieces = [];
    socket.on("data", (piece) => pieces.push(piece));
    socket.on("error", (error) => (error.code === "ECONNRESET" || error.code === "EPIPE" ? resolve(Buffer.concat(pieces).toString("latin1")) : reject(error)));
    socket.on("close", () => resolve(Buffer.concat(pieces).toString("latin1")));
    socket.write(bytes);
  });
}

const statuses = (text) => [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map((match) => Number(match[1]));

describe("bytes that are no request", () => {
  const croft = useCroft({ settings: { "gateway.header_timeout": "500ms", "gateway.body_timeout": "500ms", "gateway.header_bytes": "8k" } });
  const send = (bytes) => exchange(croft.port, bytes);
  const authorized = () => `Authorization: Bearer ${croft.admin.key}\r\n`;

  const head = (more) => `POST /v1/workspaces HTTP/1.1\r\nHost: x\r\n${authorized()}Content-Type: application/json\r\n${more}\r\n`;
  const body = '{"name":"smuggled"}';
  const smuggling = {
    "two lengths that differ": () => head(`Content-Length: ${body.length}\r\nContent-Length: 3\r\n`) + body,
    "two lengths that agree": () => head(`Content-Length: ${body.length}\r\nContent-Length: ${body.length}\r\n`) + body,
    "a list of lengths": () => head(`Content-Length: ${body.length}, ${body.length}\r\n`) + body,
    "a length and chunks": () => head(`Content-Length: 3\r\nTransfer-Encoding: chunked\r\n`) + `13\r\n${body}\r\n0\r\n\r\n`,
    "chunks of another kind": () => head("Transfer-Encoding: gzip, chunked\r\n") + `13\r\n${body}\r\n0\r\n\r\n`,
    "chunks twice": () => head("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n") + `13\r\n${body}\r\n0\r\n\r\n`,
    "chunks, misspelt": () => head("Transfer-Encoding: xchunked\r\n") + `13\r\n${body}\r\n0\r\n\r\n`,
    "a negative length": () => head("Content-Length: -1\r\n") + body,
    "a length with a sign": () => head(`Content-Length: +${body.length}\r\n`) + body,
    "a hexadecimal length": () => head("Content-Length: 0x13\r\n") + body,
    "a length beyond all numbers": () => head(`Content-Length: ${"9".repeat(30)}\r\n`) + body,
    "a chunk's size beyond all numbers": () => head("Transfer-Encoding: chunked\r\n") + `${"f".repeat(20)}\r\n${body}`,
    "a chunk's size that is none": () => head("Transfer-Encoding: chunked\r\n") + `zz\r\n${body}\r\n0\r\n\r\n`,
    "a chunk that is longer than it says": () => head("Transfer-Encoding: chunked\r\n") + `3\r\n${body}\r\n0\r\n\r\n`,
    "a blank before the colon": () => head(`Content-Length : ${body.length}\r\n`) + body,
    "a folded line": () => head(`X-A: b\r\n  c\r\nContent-Length: ${body.length}\r\n`) + body,
    "a header without a name": () => head(`: x\r\nContent-Length: ${body.length}\r\n`) + body,
    "NUL in a header": () => head(`X-A: b\0c\r\nContent-Length: ${body.length}\r\n`) + body,
    "a lone CR in a header": () => head(`X-A: b\rX-B: c\r\nContent-Length: ${body.length}\r\n`) + body,
    "no host": () => `GET /v1/version HTTP/1.1\r\n\r\n`,
    "two hosts": () => `GET /v1/version HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n`,
    "an unknown version": () => "GET /v1/version HTTP/3.9\r\nHost: x\r\n\r\n",
    "no version": () => "GET /v1/version\r\n\r\n",
    "a target with a blank": () => "GET /v1/ver sion HTTP/1.1\r\nHost: x\r\n\r\n",
    "a target with bytes beyond ASCII": () => Buffer.from("GET /v1/\xff HTTP/1.1\r\nHost: x\r\n\r\n", "latin1"),
    "a method that is none": () => "G\0T /v1/version HTTP/1.1\r\nHost: x\r\n\r\n",
    "TLS to a port without": () => Buffer.from("16030100c8010000c40303" + "00".repeat(190), "hex"),
    "noise": () => Buffer.from(Array.from({ length: 4096 }, (_, i) => (i * 7919) % 256)),
  };
  for (const [name, bytes] of Object.entries(smuggling))
    it(name, async () => {
      const second = `GET /v1/workspaces HTTP/1.1\r\nHost: x\r\n${authorized()}\r\n`;
      const answer = await send(Buffer.concat([Buffer.from(bytes()), Buffer.from(second)]));
      const [first, ...more] = statuses(answer);
      assert.ok(first === undefined || (first >= 400 && first < 506), answer.slice(0, 300));
      assert.deepEqual(more, [], "what came behind was answered, too");
      const { items } = (await croft.admin.get("/v1/workspaces")).expect(200);
      assert.deepEqual(items, []);
    });

  it("a head that is too large", async () => {
    const answer = await send(`GET /v1/version HTTP/1.1\r\nHost: x\r\n${"X-Filler: y\r\n".repeat(2000)}\r\n`);
    assert.deepEqual(statuses(answer), [431]);
  });

  it("a target that is too long", async () => {
    const [status] = statuses(await send(`GET /${"x".repeat(7000)} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`));
    assert.ok([400, 404, 414, 431].includes(status), status);
  });

  it("a head that does not end is closed", async () => {
    const answer = await send("GET /v1/version HTTP/1.1\r\nHost: x\r\nX-Slow: ");
    assert.deepEqual(statuses(answer).filter((status) => status !== 408), []);
  });

  it("a head that comes byte by byte is closed, although it never rests", async () => {
    const socket = net.connect(croft.port, "127.0.0.1");
    let closed = false;
    socket.on("error", () => {}).on("close", () => (closed = true)).resume();
    socket.write("GET /v1/version HTTP/1.1\r\nHost: x\r\nX-Slow: ");
    await until(() => closed || !socket.write("y"), "the server to lose patience");
    await until(() => closed, "the connection to close");
  });

  it("a body that does not come is closed", async () => {
    const answer = await send(head("Content-Length: 100\r\n") + body);
    assert.deepEqual(statuses(answer).filter((status) => status !== 408), []);
    assert.deepEqual((await croft.admin.get("/v1/workspaces")).expect(200).items, []);
  });

  it("requests in one piece are answered one by one, in order", async () => {
    const one = (target, more = "") => `GET ${target} HTTP/1.1\r\nHost: x\r\n${more}\r\n`;
    const answer = await send(one("/healthz") + one("/v1/nothing") + one("/v1/version", "Connection: close\r\n"));
    assert.deepEqual(statuses(answer), [200, 404, 200]);
  });
});

describe("more connections than there is room for", () => {
  const croft = useCroft({ settings: { "gateway.connections": "20" } });
  it("are turned away, and taken again when there is room", async () => {
    const sockets = [];
    for (let i = 0; i < 60; i++) sockets.push(net.connect(croft.port, "127.0.0.1").on("error", () => {}));
    let turnedAway = 0;
    for (const socket of sockets) socket.on("data", (data) => (turnedAway += /^HTTP\/1\.1 503/.test(data.toString()) ? 1 : 0));
    await until(() => turnedAway >= 40, "those that are too many to be turned away");
    for (const socket of sockets) socket.destroy();
    await until(async () => (await croft.admin.get("/healthz").catch(() => ({}))).status === 200, "room again");
  });
});
