// Workspaces, projects and members, limits of rate, origins, the audit log over HTTP, and what a monitor asks.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { before, describe, it } from "node:test";
import { useCroft } from "../lib/croftd.mjs";

describe("workspaces, projects and members", () => {
  const croft = useCroft({ settings: { "cors.origins": "https://app.example" } });
  let api, workspace;

  before(async () => {
    api = croft.admin;
    workspace = (await api.post("/v1/workspaces", { json: { name: "acme" } })).expect(201);
  });

  it("are made, listed in pages, changed and deleted", async () => {
    const names = ["one", "two", "three"];
    for (const name of names) {
      const made = await api.post(`/v1/workspaces/${workspace.id}/projects`, { json: { name, env: { A: "1" } } });
      assert.equal(made.headers.location, `/v1/projects/${made.expect(201).id}`);
    }
    const first = (await api.get(`/v1/workspaces/${workspace.id}/projects?limit=2`)).expect(200);
    const second = (await api.get(`/v1/workspaces/${workspace.id}/projects?limit=2&cursor=${encodeURIComponent(first.nextCursor)}`)).expect(200);
    assert.deepEqual([...first.items, ...second.items].map((item) => item.name).sort(), [...names].sort());
    assert.equal(second.nextCursor, null);
    const [project] = first.items;
    assert.equal((await api.patch(`/v1/projects/${project.id}`, { json: { name: "renamed", env: { B: "2" } } })).expect(200).name, "renamed");
    assert.deepEqual((await api.get(`/v1/projects/${project.id}`)).expect(200).env, { B: "2" });
    assert.equal((await api.shell(project.id, "echo $A$B")).stdout, "2\n");
    assert.equal((await api.delete(`/v1/projects/${project.id}`)).status, 204);
    (await api.get(`/v1/projects/${project.id}`)).problem(404, "not_found");
    (await api.patch(`/v1/workspaces/${workspace.id}`, { json: { name: "acme ltd" } })).expect(200);
    assert.equal((await api.get(`/v1/workspaces/${workspace.id}`)).expect(200).name, "acme ltd");
  });

  it("are made once under one key", async () => {
    const headers = { "idempotency-key": randomUUID() };
    const first = await api.post("/v1/workspaces", { json: { name: "keyed" }, headers });
    const again = await api.post("/v1/workspaces", { json: { name: "keyed" }, headers });
    assert.equal(again.expect(201).id, first.expect(201).id);
    assert.equal(again.headers["idempotent-replayed"], "true");
    (await api.post("/v1/workspaces", { json: { name: "other" }, headers })).problem(422, "idempotency_key_reused");
  });

  it("know what was used", async () => {
    const { id } = (await api.post(`/v1/workspaces/${workspace.id}/projects`, { json: { name: "used" } })).expect(201);
    const before = (await api.get(`/v1/workspaces/${workspace.id}/usage`)).expect(200);
    await api.shell(id, "seq 1000");
    const after = (await api.get(`/v1/workspaces/${workspace.id}/usage`)).expect(200);
    assert.equal(after.operations, before.operations + 1);
  });

  it("have members with roles", async () => {
    const target = `/v1/workspaces/${workspace.id}/members`;
    const member = (await api.post(target, { json: { email: "ada@example.org", role: "developer" } })).expect(201);
    (await api.post(target, { json: { email: "ada@example.org", role: "viewer" } })).problem(409, "already_exists");
    (await api.post(target, { json: { email: "bob@example.org", role: "king" } })).problem(400, "invalid_input");
    assert.equal((await api.patch(`${target}/${member.id}`, { json: { role: "viewer" } })).expect(200).role, "viewer");
    assert.equal((await api.delete(`${target}/${member.id}`)).status, 204);
    (await api.get(`${target}/${member.id}`)).problem(404);
  });

  it("answer browsers of the origins that are named, and no others", async () => {
    const preflight = (origin) => api.request("OPTIONS", "/v1/workspaces", { headers: { origin, "access-control-request-method": "POST", "access-control-request-headers": "authorization,content-type" } });
    const allowed = await preflight("https://app.example");
    assert.equal(allowed.headers["access-control-allow-origin"], "https://app.example");
    assert.match(allowed.headers["access-control-allow-methods"], /POST/);
    assert.equal((await preflight("https://evil.example")).headers["access-control-allow-origin"], undefined);
    const read = await api.get("/v1/workspaces", { headers: { origin: "https://app.example" } });
    assert.equal(read.headers["access-control-allow-origin"], "https://app.example");
    assert.match(read.headers.vary ?? "", /origin/i);
  });

  it("leave an audit log that can be read with filters, and verified tile by tile", async () => {
    const listed = (await api.get(`/v1/workspaces/${workspace.id}/audit?action=project.*&limit=2`)).expect(200);
    assert.equal(listed.items.length, 2);
    for (const entry of listed.items) assert.match(entry.action, /^project\./);
    const lines = await api.get(`/v1/workspaces/${workspace.id}/audit`, { headers: { accept: "application/x-ndjson" } });
    assert.ok(lines.text.trim().split("\n").map((line) => JSON.parse(line)).length > 2);
    const checkpoint = await api.get("/v1/audit/checkpoint");
    assert.match(checkpoint.text, /^croft\n\d+\n[A-Za-z0-9+/=]+\n\n— croft /);
    const size = Number(checkpoint.text.split("\n")[1]);
    const tile = await api.get(`/v1/audit/tile/0/000${size < 256 ? `.p/${size}` : ""}`);
    assert.equal(tile.status, 200, tile.text);
    assert.equal(tile.bytes.length, 32 * Math.min(size, 256));
  });

  it("tell a monitor how they are", async () => {
    const nobody = croft.client(undefined);
    assert.equal((await nobody.get("/healthz")).status, 200);
    assert.equal((await nobody.get("/readyz")).expect(200).ready, true);
    assert.match((await nobody.get("/metrics")).text, /^# TYPE croft_/m);
    assert.match((await nobody.get("/v1/version")).expect(200).version, /^\d+\.\d+/);
    (await nobody.get("/v1/workspaces")).problem(401);
    nobody.close();
  });

  it("give every answer an id, the caller's if he has one", async () => {
    assert.match((await api.get("/v1/version")).headers["x-request-id"], /^[0-9a-z]{26}$/);
    const own = await api.get(`/v1/workspaces/${"x".repeat(30)}`, { headers: { "x-request-id": "mine-1" } });
    assert.equal(own.headers["x-request-id"], "mine-1");
    assert.equal(own.problem(404).requestId, "mine-1");
  });
});

describe("a limit of rate", () => {
  const croft = useCroft({ settings: { "rate.key": "20" } });

  it("answers 429 with the time to come again", async () => {
    const workspace = (await croft.admin.post("/v1/workspaces", { json: { name: "w" } })).expect(201);
    const key = (await croft.admin.post(`/v1/workspaces/${workspace.id}/keys`, { json: { name: "k", role: "viewer" } })).expect(201);
    const client = croft.client(key.secret);
    let answer;
    for (let i = 0; i < 40 && answer?.status !== 429; i++) {
      answer = await client.get(`/v1/workspaces/${workspace.id}`);
      assert.ok(answer.headers.ratelimit ?? answer.headers["ratelimit-limit"], JSON.stringify(answer.headers));
    }
    assert.equal(answer.problem(429, "rate_limited").retryable, true);
    assert.ok(Number(answer.headers["retry-after"]) >= 1);
    client.close();
  });
});
