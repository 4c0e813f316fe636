// What every answer has: a name, limits, the origins that may read it; and what the server says of itself.

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { until, useCroft } from "../lib/croftd.mjs";

describe("every answer", () => {
  const croft = useCroft({ settings: { "cors.origins": "https://app.example.com https://dev.example.com" } });

  it("has a name, which is the request's if that is well formed", async () => {
    for (const target of ["/healthz", "/v1/workspaces", "/v1/nothing", "/v1/workspaces?color=red"]) {
      const named = await croft.admin.get(target, { headers: { "x-request-id": "my-Request_1.0" } });
      assert.equal(named.headers["x-request-id"], "my-Request_1.0", target);
      if (named.status >= 400) assert.equal(named.json.requestId, "my-Request_1.0");
      for (const wrong of ["x".repeat(65), "a b", "<script>"]) {
        const { headers } = await croft.admin.get(target, { headers: { "x-request-id": wrong } });
        assert.match(headers["x-request-id"], /^[A-Za-z0-9._-]{1,64}$/);
        assert.notEqual(headers["x-request-id"], wrong);
      }
    }
    const [one, other] = [await croft.admin.get("/v1/version"), await croft.admin.get("/v1/version")];
    assert.notEqual(one.headers["x-request-id"], other.headers["x-request-id"]);
  });

  it("is taken from one credential, in either header", async () => {
    const anonymous = croft.client();
    (await anonymous.get("/v1/whoami", { headers: { "x-api-key": croft.admin.key } })).expect(200);
    (await croft.admin.get("/v1/whoami", { headers: { "x-api-key": croft.admin.key } })).problem(400, "invalid_request");
    const refused = await anonymous.get("/v1/whoami");
    refused.problem(401, "unauthenticated");
    assert.match(refused.headers["www-authenticate"], /^Bearer/);
  });

  it("may be read by the origins that are configured, and by no other", async () => {
    for (const target of ["/v1/workspaces", "/v1/nothing"])
      for (const [origin, allowed] of [["https://app.example.com", true], ["https://dev.example.com", true], ["https://evil.example.com", false],
        ["https://app.example.com.evil.org", false], ["http://app.example.com", false], ["null", false]]) {
        const { headers } = await croft.admin.get(target, { headers: { origin } });
        assert.equal(headers["access-control-allow-origin"], allowed ? origin : undefined, origin);
        assert.equal(headers["access-control-allow-credentials"], undefined);
        assert.match(headers.vary, /Origin/i);
        if (allowed) assert.match(headers["access-control-expose-headers"], /x-request-id/i);
      }
  });

  it("allows a preflight what the path has", async () => {
    const preflight = (origin) => croft.client().request("OPTIONS", "/v1/workspaces", { headers: {
      origin, "access-control-request-method": "POST", "access-control-request-headers": "authorization, content-type, idempotency-key" } });
    const { status, headers } = await preflight("https://app.example.com");
    assert.equal(status, 204);
    assert.match(headers["access-control-allow-methods"], /POST/);
    for (const name of ["authorization", "content-type", "idempotency-key"]) assert.match(headers["access-control-allow-headers"], new RegExp(name, "i"));
    assert.equal((await preflight("https://evil.example.com")).headers["access-control-allow-origin"], undefined);
  });

  it("says which methods a path has", async () => {
    const refused = await croft.admin.request("PUT", "/v1/workspaces", { body: "{}", headers: { "content-type": "application/json" } });
    refused.problem(405, "method_not_allowed");
    assert.match(refused.headers.allow, /GET/);
    assert.match(refused.headers.allow, /POST/);
    (await croft.admin.get("/v1/workspaces/")).problem(404, "not_found");
    (await croft.admin.get("/")).problem(404, "not_found");
  });

  it("to HEAD is the one to GET without its body", async () => {
    for (const target of ["/v1/workspaces", "/healthz", "/v1/openapi.json"]) {
      const [get, head] = [await croft.admin.get(target), await croft.admin.request("HEAD", target)];
      assert.equal(head.status, get.status);
      assert.equal(head.headers["content-length"], get.headers["content-length"]);
      assert.equal(head.bytes.length, 0);
    }
  });

  it("is not kept by anybody, and taken for nothing else", async () => {
    const { headers } = await croft.admin.get("/v1/workspaces");
    assert.equal(headers["cache-control"], "no-store");
    assert.equal(headers["x-content-type-options"], "nosniff");
  });
});

describe("rate limits", () => {
  const quota = 600; // per minute: one comes back within a tenth of a second
  const croft = useCroft({ settings: { "rate.key": String(quota) } });
  const left = (answer) => Number(/;r=(\d+)/.exec(answer.headers.ratelimit)[1]);

  it("are told, hold for one key, and end by themselves", async () => {
    const { workspace } = await croft.admin.makeProject();
    const client = croft.client((await croft.admin.post(`/v1/workspaces/${workspace.id}/keys`, { json: { name: "busy", role: "viewer" } })).expect(201).secret);
    const first = await client.get("/v1/whoami");
    first.expect(200);
    assert.match(first.headers["ratelimit-policy"], new RegExp(`^"key";q=${quota};w=60$`));
    assert.ok(left(first) < quota);
    let refused;
    await until(async () => {
      const answers = await Promise.all(Array.from({ length: 50 }, () => client.get("/v1/whoami")));
      return (refused = answers.find((answer) => answer.status !== 200));
    }, "the limit");
    assert.equal(refused.problem(429, "rate_limited").retryable, true);
    assert.ok(Number(refused.headers["retry-after"]) >= 1);
    assert.equal(left(refused), 0);
    (await croft.admin.get("/v1/whoami")).expect(200);
    await until(async () => (await client.get("/v1/whoami")).status === 200, "room again");
  });
});

describe("the server says of itself", () => {
  const croft = useCroft();
  const anyone = () => croft.client();

  it("that it is alive, and ready", async () => {
    assert.deepEqual((await anyone().get("/healthz")).expect(200), { status: "ok" });
    const { ready, roles } = (await anyone().get("/readyz")).expect(200);
    assert.equal(ready, true);
    for (const role of Object.keys(roles)) assert.equal(roles[role], true, role);
  });

  it("its version and its contract", async () => {
    assert.match((await anyone().get("/v1/version")).expect(200).version, /^\d+\.\d+/);
    const document = (await anyone().get("/v1/openapi.json")).expect(200);
    assert.match(document.openapi, /^3\.1\./);
    assert.ok(Object.keys(document.paths).length > 30);
  });

  it("its figures, each with a type and each once", async () => {
    const { headers, text } = await anyone().get("/metrics");
    assert.match(headers["content-type"], /^text\/plain; version=0\.0\.4/);
    const types = new Map();
    const seen = new Set();
    for (const line of text.trimEnd().split("\n")) {
      const type = /^# TYPE (\S+) (counter|gauge|histogram|summary)$/.exec(line);
      if (type) {
        assert.ok(!types.has(type[1]), `${type[1]} has two types`);
        types.set(type[1], type[2]);
      }
      if (line.startsWith("#")) continue;
      const sample = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(\{[^}]*\})? (-?[0-9.e+-]+|\+Inf|NaN)$/.exec(line);
      assert.ok(sample, `no sample: ${line}`);
      assert.ok(types.has(sample[1]) || types.has(sample[1].replace(/_(bucket|sum|count)$/, "")), `no type: ${line}`);
      assert.ok(!seen.has(sample[1] + (sample[2] ?? "")), `twice: ${line}`);
      seen.add(sample[1] + (sample[2] ?? ""));
    }
    assert.ok(types.size > 10);
  });
});
