// Parser of server-sent events (WHATWG HTML, 9.2.6) for bytes that arrive in any pieces.

export class SseParser {
  #pending = Buffer.alloc(0);
  #message = {};

  /** Takes bytes and answers the messages that they complete: [{id, event, data}]. */
  push(bytes) {
    const messages = [];
    let rest = this.#pending.length ? Buffer.concat([this.#pending, bytes]) : bytes;
    for (let end; (end = rest.indexOf(10)) >= 0; rest = rest.subarray(end + 1)) {
      const line = rest.subarray(0, end).toString().replace(/\r$/, "");
      if (line === "") {
        if (Object.keys(this.#message).length) messages.push(this.#message);
        this.#message = {};
      } else if (!line.startsWith(":")) {
        this.#field(line);
      }
    }
    this.#pending = Buffer.from(rest);
    return messages;
  }

  #field(line) {
    const colon = line.indexOf(":");
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    this.#message[name] = name === "data" && "data" in this.#message ? `${this.#message.data}\n${value}` : value;
  }
}
