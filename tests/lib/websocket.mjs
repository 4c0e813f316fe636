// A client of RFC 6455 for tests: text messages, and frames as raw as a test wants them.

import { randomBytes } from "node:crypto";
import { once } from "node:events";
import net from "node:net";

const TEXT = 1;
const CLOSE = 8;
const PING = 9;
const PONG = 10;

/** Where the payload of the first frame starts and ends; null while that is not known. */
function extentOf(bytes) {
  const short = bytes[1] & 0x7f;
  const start = short < 126 ? 2 : short === 126 ? 4 : 10;
  if (bytes.length < start) return null;
  const length = start === 2 ? short : start === 4 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2));
  return { start, end: start + length };
}

/** The head of a frame, with the bit that says whether its payload is masked. */
function headOf(first, length, masked) {
  const head = Buffer.alloc(length < 126 ? 2 : length < 65536 ? 4 : 10);
  head[0] = first;
  head[1] = (masked ? 0x80 : 0) | (length < 126 ? length : length < 65536 ? 126 : 127);
  if (head.length === 4) head.writeUInt16BE(length, 2);
  if (head.length === 10) head.writeBigUInt64BE(BigInt(length), 2);
  return head;
}

export class Socket {
  #pending = Buffer.alloc(0);
  #messages = [];
  #wake = () => {};

  /** Opens a WebSocket; an answer other than 101 is thrown as {status}. */
  static async open(port, target, headers = {}) {
    const socket = new Socket();
    socket.connection = net.connect(port, "127.0.0.1");
    socket.connection.on("error", () => {});
    const lines = Object.entries({ host: "x", connection: "Upgrade", upgrade: "websocket", "sec-websocket-version": "13",
      "sec-websocket-key": randomBytes(16).toString("base64"), ...headers }).map(([name, value]) => `${name}: ${value}\r\n`);
    socket.connection.write(`GET ${target} HTTP/1.1\r\n${lines.join("")}\r\n`);
    await socket.#handshake();
    return socket;
  }

  async #handshake() {
    let head = Buffer.alloc(0);
    while (!head.includes("\r\n\r\n")) {
      const [piece] = await Promise.race([once(this.connection, "data"), once(this.connection, "close").then(() => [null])]);
      if (!Buffer.isBuffer(piece)) throw new Error("closed before the handshake was answered");
      head = Buffer.concat([head, piece]);
    }
    const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(head.toString("latin1"))[1]);
    if (status !== 101) {
      this.connection.destroy();
      throw Object.assign(new Error(`the handshake was answered with ${status}`), { status });
    }
    this.connection.on("data", (piece) => this.#take(piece)).on("close", () => this.#end());
    this.#take(head.subarray(head.indexOf("\r\n\r\n") + 4));
  }

  #end() {
    this.closed = true;
    this.#wake();
  }

  #take(piece) {
    this.#pending = Buffer.concat([this.#pending, piece]);
    for (let extent; (extent = extentOf(this.#pending)) && this.#pending.length >= extent.end; ) {
      this.#frame(this.#pending[0] & 0xf, this.#pending.subarray(extent.start, extent.end));
      this.#pending = this.#pending.subarray(extent.end);
    }
  }

  #frame(kind, payload) {
    if (kind === TEXT) this.#messages.push(JSON.parse(payload.toString()));
    else if (kind === CLOSE) this.#closeBack(payload);
    else if (kind === PING) this.frame(0x80 | PONG, payload);
    this.#wake();
  }

  #closeBack(payload) {
    this.code = payload.length >= 2 ? payload.readUInt16BE(0) : 1005;
    this.frame(0x80 | CLOSE, payload);
  }

  /** Sends one frame; `first` is its first byte, with the flags. */
  frame(first, payload, { masked = true } = {}) {
    const body = Buffer.from(payload);
    const mask = randomBytes(4);
    const head = headOf(first, body.length, masked);
    if (masked) for (let i = 0; i < body.length; i++) body[i] ^= mask[i % 4];
    this.connection.write(Buffer.concat(masked ? [head, mask, body] : [head, body]));
  }

  send(message) {
    this.frame(0x80 | TEXT, JSON.stringify(message));
  }

  /** The next message that `fits`, whatever came before it; undefined when the server has closed. */
  async receive(fits = () => true) {
    for (;;) {
      const at = this.#messages.findIndex(fits);
      if (at >= 0) return this.#messages.splice(at, 1)[0];
      if (this.closed) return undefined;
      await new Promise((resolve) => (this.#wake = resolve));
    }
  }

  /** Waits until the server has closed and answers the code that it gave. */
  async ended() {
    while (!this.closed) await new Promise((resolve) => (this.#wake = resolve));
    return this.code;
  }

  close() {
    this.connection.destroy();
  }
}
