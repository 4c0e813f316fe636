// GET, HEAD, PUT and DELETE /v1/projects/{prj}/files/{path}: bytes without JSON, with the conditions of HTTP.

import assert from "node:assert/strict";
import { randomBytes, randomUUID } from "node:crypto";
import { Readable } from "node:stream";
import { before, describe, it } from "node:test";
import { until, useCroft } from "../lib/croftd.mjs";

describe("a file", () => {
  const croft = useCroft();
  let api, project;
  const at = (path) => `/v1/projects/${project}/files/${path}`;
  const put = (path, body, headers = {}) => api.put(at(path), { body, headers: { "content-type": "application/octet-stream", ...headers } });

  before(async () => {
    api = croft.admin;
    project = (await api.makeProject()).id;
  });

  for (const size of [0, 1, 4096, 65_536, 65_537, 5_000_000])
    it(`of ${size} bytes comes back as it went`, async () => {
      const bytes = randomBytes(size);
      const made = await put(`sizes/${size}`, bytes);
      assert.equal(made.status, 201, made.text);
      assert.equal(made.json.sizeBytes, size);
      assert.match(made.headers["croft-operation"], /^op_/);
      const read = await api.get(at(`sizes/${size}`));
      assert.ok(read.bytes.equals(bytes));
      assert.equal(read.headers.etag, made.headers.etag);
      assert.equal((await put(`sizes/${size}`, bytes)).status, 200);
    });

  it("comes in chunks of unknown size as well", async () => {
    const bytes = randomBytes(1_000_000);
    assert.equal((await put("chunked", Readable.from([bytes.subarray(0, 10), bytes.subarray(10)]))).status, 201);
    assert.ok((await api.get(at("chunked"))).bytes.equals(bytes));
  });

  it("is described by HEAD", async () => {
    const made = await put("head", "0123456789");
    const head = await api.request("HEAD", at("head"));
    assert.equal(head.status, 200);
    assert.equal(head.bytes.length, 0);
    assert.equal(head.headers["content-length"], "10");
    assert.equal(head.headers.etag, made.headers.etag);
    assert.equal(head.headers["accept-ranges"], "bytes");
    assert.match(head.headers["last-modified"], /^(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT$/);
  });

  it("is read in parts", async () => {
    await put("parts", "0123456789");
    const part = async (range, headers = {}) => api.get(at("parts"), { headers: { range, ...headers } });
    for (const [range, text, contentRange] of [["bytes=2-4", "234", "bytes 2-4/10"], ["bytes=7-", "789", "bytes 7-9/10"], ["bytes=-3", "789", "bytes 7-9/10"], ["bytes=8-99", "89", "bytes 8-9/10"], ["bytes=-99", "0123456789", "bytes 0-9/10"]]) {
      const answer = await part(range);
      assert.deepEqual([answer.status, answer.text, answer.headers["content-range"]], [206, text, contentRange], range);
    }
    assert.equal((await part("bytes=10-")).status, 416);
    assert.equal((await part("lines=1-2")).text, "0123456789");
    assert.equal((await part("bytes=2-4", { "if-range": '"other"' })).text, "0123456789");
  });

  it("is not sent again to who has it", async () => {
    const { etag } = (await put("known", "known")).headers;
    const modified = (await api.request("HEAD", at("known"))).headers["last-modified"];
    for (const headers of [{ "if-none-match": etag }, { "if-none-match": `"x", ${etag}` }, { "if-none-match": `W/${etag}` }, { "if-none-match": "*" }, { "if-modified-since": modified }]) {
      const answer = await api.get(at("known"), { headers });
      assert.deepEqual([answer.status, answer.bytes.length], [304, 0], JSON.stringify(headers));
    }
    assert.equal((await api.get(at("known"), { headers: { "if-none-match": '"other"', "if-modified-since": modified } })).status, 200);
    assert.equal((await api.get(at("known"), { headers: { "if-match": etag } })).status, 200);
    (await api.get(at("known"), { headers: { "if-match": '"other"' } })).problem(412, "precondition_failed");
  });

  it("is replaced and removed only as the version that is meant", async () => {
    const first = (await put("versions", "one")).headers.etag;
    (await put("versions", "x", { "if-none-match": "*" })).problem(412, "precondition_failed");
    const second = (await put("versions", "two", { "if-match": first })).headers.etag;
    (await put("versions", "three", { "if-match": first })).problem(412, "precondition_failed");
    (await api.delete(at("versions"), { headers: { "if-match": first } })).problem(412, "precondition_failed");
    assert.equal((await api.get(at("versions"))).text, "two");
    assert.equal((await api.delete(at("versions"), { headers: { "if-match": `"x", ${second}` } })).status, 204);
    (await api.get(at("versions"))).problem(404, "not_found");
    (await put("versions", "x", { "if-match": `"${"x".repeat(2000)}"` })).problem(400, "invalid_input");
  });

  it("is written once under one key", async () => {
    const key = { "idempotency-key": randomUUID() };
    const first = await put("keyed", "one", key);
    assert.equal(first.status, 201);
    await put("keyed", "somebody else's");
    const again = await put("keyed", "one", key);
    assert.equal(again.headers["idempotent-replayed"], "true");
    assert.equal(again.headers["croft-operation"], first.headers["croft-operation"]);
    assert.deepEqual(again.json, first.json);
    assert.equal((await api.get(at("keyed"))).text, "somebody else's");
    (await put("keyed", "two", key)).problem(422, "idempotency_key_reused");
    (await put("other", "one", key)).problem(422, "idempotency_key_reused");
  });

  it("is removed once under one key", async () => {
    const key = { "idempotency-key": randomUUID() };
    await put("removed", "one");
    assert.equal((await api.delete(at("removed"), { headers: key })).status, 204);
    await put("removed", "two");
    assert.equal((await api.delete(at("removed"), { headers: key })).status, 204);
    assert.equal((await api.get(at("removed"))).text, "two");
  });

  it("in a folder goes with the folder, if that is said", async () => {
    await put("tree/a/b", "x");
    (await api.delete(at("tree"))).problem(409);
    (await api.delete(at("tree") + "?recursive=perhaps")).problem(400, "invalid_input");
    assert.equal((await api.delete(at("tree") + "?recursive=true")).status, 204);
    (await api.get(at("tree/a/b"))).problem(404, "not_found");
  });

  it("stays what it was when the upload is broken off", async () => {
    await put("whole", "whole");
    const body = new Readable({ read() {} });
    body.push(randomBytes(100_000));
    api.open("PUT", at("whole"), { body, headers: { "content-type": "application/octet-stream", "content-length": "1000000" } }).catch(() => {});
    const operation = await until(async () => {
      const { items } = (await api.get(`/v1/projects/${project}/operations`)).expect(200);
      return items.find((item) => item.type === "fs.write" && item.state === "running");
    }, "the upload to run");
    body.destroy(new Error("the client has gone"));
    assert.equal((await api.finished(operation.id)).error.code, "cancelled");
    assert.equal((await api.get(at("whole"))).text, "whole");
    assert.doesNotMatch((await api.shell(project, "ls -a")).stdout, /whole\./);
  });
});
