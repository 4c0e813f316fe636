// A client of Croft's API over HTTP/1.1: requests, projects for a test to work in, and events by SSE.

import assert from "node:assert/strict";
import http from "node:http";
import { randomUUID } from "node:crypto";
import { SseParser } from "./sse.mjs";

export class Client {
  /** Every answer is held against `contract`, if there is one. */
  constructor(url, key, contract) {
    this.url = url;
    this.key = key;
    this.contract = contract;
    this.agent = new http.Agent({ keepAlive: true });
  }

  close() {
    this.agent.destroy();
  }

  /** Sends one request; answers the response as soon as its head is there. `json` or `body` (also a stream) is sent. */
  open(method, target, { json, body, headers = {}, signal } = {}) {
    const all = { ...headers };
    if (this.key && !("authorization" in all)) all.authorization = `Bearer ${this.key}`;
    if (json !== undefined) {
      body = Buffer.from(JSON.stringify(json));
      all["content-type"] ??= "application/json";
    }
    if (typeof body === "string") body = Buffer.from(body);
    if (Buffer.isBuffer(body)) all["content-length"] ??= String(body.length);
    return new Promise((resolve, reject) => {
      const request = http.request(new URL(target, this.url), { method, headers: all, agent: this.agent, signal });
      request.on("response", resolve).on("error", reject);
      if (body && typeof body.pipe === "function") body.on("error", (error) => request.destroy(error)).pipe(request);
      else request.end(body);
    });
  }

  /** Sends one request and reads the whole answer: {status, headers, bytes, text, json}. */
  async request(method, target, options) {
    const response = await this.open(method, target, options);
    const chunks = [];
    for await (const chunk of response) chunks.push(chunk);
    const answer = new Answer(response.statusCode, response.headers, Buffer.concat(chunks));
    this.contract?.check(method, target, answer);
    return answer;
  }

  get(target, options) {
    return this.request("GET", target, options);
  }
  post(target, options) {
    return this.request("POST", target, options);
  }
  put(target, options) {
    return this.request("PUT", target, options);
  }
  patch(target, options) {
    return this.request("PATCH", target, options);
  }
  delete(target, options) {
    return this.request("DELETE", target, options);
  }

  /** A workspace with a project in it. */
  async makeProject(fields = {}) {
    const name = `test-${randomUUID().slice(0, 8)}`;
    const workspace = (await this.post("/v1/workspaces", { json: { name } })).expect(201);
    const project = (await this.post(`/v1/workspaces/${workspace.id}/projects`, { json: { name, ...fields } })).expect(201);
    return { workspace, project, id: project.id };
  }

  /** Starts an operation; the answer is not checked. `wait` seconds are spent on its end. */
  operate(project, type, input, { key = randomUUID(), wait, headers = {}, ...fields } = {}) {
    const all = { "idempotency-key": key, ...headers };
    if (wait !== undefined) all.prefer = `wait=${wait}`;
    return this.post(`/v1/projects/${project}/operations`, { headers: all, json: { type, input, ...fields } });
  }

  /** Runs an operation to its end and answers it. */
  async run(project, type, input, options = {}) {
    const answer = await this.operate(project, type, input, { wait: 60, ...options });
    if (answer.status === 200) return answer.json;
    return this.finished(answer.expect(202).id);
  }

  /** Runs a shell script to its end: {operation, exitCode, stdout, stderr}. */
  async shell(project, script, input = {}, options = {}) {
    const operation = await this.run(project, "command.run", { shell: script, ...input }, options);
    const output = { stdout: [], stderr: [], pty: [] };
    for (const event of await this.allEvents(`/v1/operations/${operation.id}/events`))
      if (event.type === "chunk") output[event.data.stream].push(chunkBytes(event));
    const text = (name) => Buffer.concat(output[name]).toString();
    return { operation, exitCode: operation.result?.exitCode, stdout: text("stdout"), stderr: text("stderr"), pty: text("pty") };
  }

  /** Waits until an operation has started: from then on it takes input and signals. */
  async started(operation) {
    for await (const event of this.events(`/v1/operations/${operation}/events`)) if (event.type !== "queued") return event;
  }

  /** Waits for the end of an operation. */
  async finished(operation) {
    for await (const event of this.events(`/v1/operations/${operation}/events`))
      if (event.type === "completed" || event.type === "failed") break;
    return (await this.get(`/v1/operations/${operation}`)).expect(200);
  }

  /** Events by SSE from `target` until the server ends the stream or the loop is left. */
  async *events(target, { cursor, headers = {}, signal } = {}) {
    const all = { accept: "text/event-stream", ...headers };
    if (cursor) all["last-event-id"] = cursor;
    const response = await this.open("GET", target, { headers: all, signal });
    try {
      if (response.statusCode !== 200) {
        let text = "";
        for await (const chunk of response) text += chunk;
        throw new Error(`events: ${response.statusCode} ${text}`);
      }
      const parser = new SseParser();
      for await (const chunk of response)
        for (const message of parser.push(chunk)) if (message.data) yield JSON.parse(message.data);
    } finally {
      response.destroy();
    }
  }

  /** Every event after `cursor` that is kept, by JSON pages; of an operation that has ended it is the whole history. */
  async allEvents(target, cursor) {
    const items = [];
    for (;;) {
      const query = cursor ? `${target.includes("?") ? "&" : "?"}cursor=${encodeURIComponent(cursor)}` : "";
      const page = (await this.get(target + query, { headers: { accept: "application/json" } })).expect(200);
      items.push(...page.items);
      if (!page.items.length || !page.nextCursor || page.nextCursor === cursor) return items;
      cursor = page.nextCursor;
    }
  }
}

export class Answer {
  constructor(status, headers, bytes) {
    this.status = status;
    this.headers = headers;
    this.bytes = bytes;
  }

  get text() {
    return this.bytes.toString();
  }
  get json() {
    return this.bytes.length ? JSON.parse(this.text) : undefined;
  }

  /** Asserts the status and answers the JSON body. */
  expect(status) {
    assert.equal(this.status, status, `status ${this.status} instead of ${status}: ${this.text.slice(0, 1000)}`);
    return /json/.test(this.headers["content-type"] ?? "") ? this.json : undefined;
  }

  /** Asserts a problem document with this status and code, and answers it. */
  problem(status, code) {
    assert.equal(this.status, status, `status ${this.status} instead of ${status}: ${this.text.slice(0, 1000)}`);
    assert.match(this.headers["content-type"] ?? "", /^application\/problem\+json/);
    const problem = this.json;
    for (const name of ["type", "title", "code", "requestId"]) assert.equal(typeof problem[name], "string", `problem has no ${name}`);
    assert.equal(problem.status, status);
    assert.equal(typeof problem.retryable, "boolean");
    if (code) assert.equal(problem.code, code, this.text);
    return problem;
  }
}

/** The bytes of a chunk event. */
export function chunkBytes(event) {
  return event.data.base64 !== undefined ? Buffer.from(event.data.base64, "base64") : Buffer.from(event.data.text);
}
