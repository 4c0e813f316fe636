// HTTP/1.1 over one kept connection, with as little of a client as there can be: the same for Croft and for its peers.

import net from "node:net";

const HEAD_END = Buffer.from("\r\n\r\n");

export class Wire {
  #socket;
  #pending = Buffer.alloc(0);
  #closed = false;
  #wanted = null; // the answer under way: {resolve, reject, onBytes}

  static openMany(url, count) {
    return Promise.all(Array.from({ length: count }, () => Wire.open(url)));
  }

  static async open(url) {
    const { hostname, port } = new URL(url);
    const wire = new Wire();
    wire.host = `${hostname}:${port}`;
    wire.#socket = net.connect({ host: hostname, port: Number(port), noDelay: true });
    await new Promise((resolve, reject) => wire.#socket.once("connect", resolve).once("error", reject));
    wire.#socket.on("data", (bytes) => wire.#take(bytes));
    wire.#socket.on("error", () => {}).on("close", () => {
      wire.#closed = true;
      wire.#wanted?.reject(new Error("the connection was closed"));
    });
    return wire;
  }

  close() {
    this.#wanted = null;
    this.#socket.destroy();
  }

  /** One request; answers {status, body}. */
  request(method, target, headers = {}, body = undefined) {
    this.#send(method, target, headers, body);
    return new Promise((resolve, reject) => (this.#wanted = { resolve, reject }));
  }

  /** Sends a request whose answer goes to `onBytes` as it comes, head and all, until that answers true. */
  stream(method, target, headers, onBytes) {
    this.#send(method, target, headers);
    return new Promise((resolve, reject) => (this.#wanted = { resolve, reject, onBytes }));
  }

  #send(method, target, headers, body) {
    if (this.#closed) throw new Error("the connection is closed");
    let head = `${method} ${target} HTTP/1.1\r\nHost: ${this.host}\r\n`;
    for (const name in headers) head += `${name}: ${headers[name]}\r\n`;
    if (body !== undefined) head += `Content-Length: ${Buffer.byteLength(body)}\r\n`;
    if (body === undefined || typeof body === "string") this.#socket.write(`${head}\r\n${body ?? ""}`);
    else this.#socket.write(Buffer.concat([Buffer.from(`${head}\r\n`), body]));
  }

  #take(bytes) {
    const wanted = this.#wanted;
    if (!wanted) return;
    if (wanted.onBytes) {
      if (!wanted.onBytes(bytes)) return;
      this.#wanted = null;
      wanted.resolve();
      return;
    }
    this.#pending = this.#pending.length ? Buffer.concat([this.#pending, bytes]) : bytes;
    const answer = this.#parse();
    if (!answer) return;
    this.#wanted = null;
    wanted.resolve(answer);
  }

  #parse() {
    const end = this.#pending.indexOf(HEAD_END);
    if (end < 0) return null;
    const head = this.#pending.latin1Slice(0, end).toLowerCase();
    const status = Number(head.slice(9, 12));
    const rest = this.#pending.subarray(end + 4);
    const length = /\r\ncontent-length: *(\d+)/.exec(head);
    if (length) return this.#taken(status, rest, Number(length[1]), Number(length[1]));
    if (head.includes("transfer-encoding: chunked")) {
      const last = rest.lastIndexOf("0\r\n\r\n"); // one answer at a time: what ends so is the end
      return last >= 0 && last === rest.length - 5 ? this.#taken(status, rest, rest.length, 0) : null;
    }
    return this.#taken(status, rest, 0, 0);
  }

  #taken(status, rest, used, size) {
    if (rest.length < used) return null;
    this.#pending = rest.subarray(used);
    return { status, body: rest.subarray(0, size) };
  }
}
