// A WebSocket client of the API (RFC 6455): text messages of JSON, over a connection of its own.

import { randomBytes } from "node:crypto";
import net from "node:net";

const TEXT = 1, CLOSE = 8, PING = 9, PONG = 10;

export class Socket {
  messages = [];
  closed = null; // {code} once the server has closed
  #pending = Buffer.alloc(0);
  #waiting = [];

  /** Answers the socket, or {status, text} of the refusal. */
  static open(url, target, headers = {}) {
    const { hostname, port, host } = new URL(url);
    const socket = new Socket();
    socket.connection = net.connect({ host: hostname, port: Number(port) });
    const lines = { host, upgrade: "websocket", connection: "Upgrade", "sec-websocket-version": "13", "sec-websocket-key": randomBytes(16).toString("base64"), ...headers };
    socket.connection.write(`GET ${target} HTTP/1.1\r\n${Object.entries(lines).map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n`);
    return new Promise((resolve, reject) => {
      let head = Buffer.alloc(0);
      const onData = (bytes) => {
        head = Buffer.concat([head, bytes]);
        const end = head.indexOf("\r\n\r\n");
        if (end < 0) return;
        const status = Number(head.subarray(9, 12).toString());
        if (status !== 101) {
          socket.connection.destroy();
          return resolve({ status, text: head.toString() });
        }
        socket.connection.off("data", onData).on("data", (more) => socket.#take(more)).on("close", () => socket.#wake());
        socket.#take(head.subarray(end + 4));
        resolve(socket);
      };
      socket.connection.on("data", onData).on("error", reject);
    });
  }

  send(message) {
    this.frame(TEXT, Buffer.from(typeof message === "string" ? message : JSON.stringify(message)));
  }

  frame(opcode, payload) {
    const mask = randomBytes(4);
    const size = payload.length < 126 ? Buffer.from([0x80 | payload.length]) : Buffer.from([0x80 | 126, payload.length >> 8, payload.length & 255]);
    const masked = Buffer.from(payload.map((byte, i) => byte ^ mask[i % 4]));
    this.connection.write(Buffer.concat([Buffer.from([0x80 | opcode]), size, mask, masked]));
  }

  /** The first message, of those that have come and will, that `fits`; it and those before it are taken. */
  async next(fits) {
    for (;;) {
      const at = this.messages.findIndex(fits);
      if (at >= 0) return this.messages.splice(0, at + 1).at(-1);
      if (this.closed || this.connection.destroyed) throw new Error(`the socket was closed: ${JSON.stringify(this.closed)}`);
      await new Promise((resolve) => this.#waiting.push(resolve));
    }
  }

  async close() {
    this.frame(CLOSE, Buffer.from([1000 >> 8, 1000 & 255]));
    while (!this.connection.destroyed) await new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** The code that the server closes with. */
  async end() {
    while (!this.closed && !this.connection.destroyed) await new Promise((resolve) => this.#waiting.push(resolve));
    return this.closed?.code;
  }

  #wake() {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  #take(bytes) {
    this.#pending = Buffer.concat([this.#pending, bytes]);
    for (let used; (used = this.#frame()) > 0; this.#pending = this.#pending.subarray(used));
    this.#wake();
  }

  #frame() {
    const data = this.#pending;
    if (data.length < 2) return 0;
    let size = data[1] & 127, at = 2;
    if (size === 126 && data.length >= 4) [size, at] = [data.readUInt16BE(2), 4];
    else if (size === 127 && data.length >= 10) [size, at] = [Number(data.readBigUInt64BE(2)), 10];
    else if (size >= 126) return 0;
    if (data.length < at + size) return 0;
    const payload = data.subarray(at, at + size);
    const opcode = data[0] & 15;
    if (opcode === TEXT) this.messages.push(JSON.parse(payload.toString()));
    if (opcode === PING) this.frame(PONG, payload);
    if (opcode === CLOSE) this.closed = { code: size >= 2 ? payload.readUInt16BE(0) : 1005 };
    return at + size;
  }
}
