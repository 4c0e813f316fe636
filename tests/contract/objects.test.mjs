// Workspaces, members, keys and projects: made, read, listed in pages, changed and removed.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { before, describe, it } from "node:test";
import { until, useCroft } from "../lib/croftd.mjs";

const unknown = (prefix) => `${prefix}_${"0".repeat(26)}`;

describe("an object", () => {
  const croft = useCroft();
  let api, ws;

  before(async () => {
    api = croft.admin;
    ws = `/v1/workspaces/${(await api.post("/v1/workspaces", { json: { name: "objects" } })).expect(201).id}`;
  });

  const kinds = {
    workspace: { prefix: "ws", list: () => "/v1/workspaces", at: (id) => `/v1/workspaces/${id}`, make: (name) => ({ name, tier: "free", region: "here" }), change: { name: "other", tier: "paid" } },
    project: { prefix: "prj", list: () => `${ws}/projects`, at: (id) => `/v1/projects/${id}`, make: (name) => ({ name, env: { A: "b" }, policy: { operations: { deny: ["fs.remove"] } } }), change: { name: "other", env: { C: "d" } } },
    member: { prefix: "usr", list: () => `${ws}/members`, at: (id) => `${ws}/members/${id}`, make: (subject) => ({ subject, role: "viewer" }), change: { role: "developer" } },
    key: { prefix: "key", list: () => `${ws}/keys`, at: (id) => `${ws}/keys/${id}`, make: (name) => ({ name, role: "viewer", expiresAt: "2099-01-01T00:00:00.000Z" }) },
  };

  for (const [kind, { prefix, list, at, make, change }] of Object.entries(kinds)) {
    const create = async () => (await api.post(list(), { json: make(`${kind}-${randomUUID().slice(0, 8)}`) })).expect(201);

    it(`${kind}: is made at its location, and read there as it was sent`, async () => {
      const sent = make(`${kind}-made`);
      const answer = await api.post(list(), { json: sent });
      const object = answer.expect(201);
      assert.match(object.id, new RegExp(`^${prefix}_[0-7][0-9a-hjkmnp-tv-z]{25}$`));
      assert.match(object.createdAt, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
      assert.equal(answer.headers.location, at(object.id));
      const read = (await api.get(at(object.id))).expect(200);
      for (const [name, value] of Object.entries(sent)) assert.deepEqual(read[name], value, name);
      assert.equal(read.secret, undefined);
    });

    if (change)
      it(`${kind}: is changed where it is said, and nowhere else`, async () => {
        const object = await create();
        const changed = (await api.patch(at(object.id), { json: change })).expect(200);
        for (const [name, value] of Object.entries({ ...object, ...change }))
          if (name !== "updatedAt") assert.deepEqual(changed[name], value, name);
        assert.deepEqual((await api.get(at(object.id))).expect(200), changed);
        for (const wrong of [{ color: "red" }, { id: object.id }, { name: 7 }, { role: 7 }])
          (await api.patch(at(object.id), { json: wrong })).problem(400, "invalid_input");
        assert.deepEqual((await api.get(at(object.id))).expect(200), changed);
      });

    it(`${kind}: is listed once, page by page`, async () => {
      const ids = [];
      for (let i = 0; i < 5; i++) ids.push((await create()).id);
      const seen = [];
      let cursor = "";
      do {
        const page = (await api.get(`${list()}?limit=2${cursor && `&cursor=${encodeURIComponent(cursor)}`}`)).expect(200);
        assert.ok(page.items.length <= 2);
        seen.push(...page.items.map((item) => item.id));
        cursor = page.nextCursor;
      } while (cursor !== null);
      assert.equal(new Set(seen).size, seen.length);
      for (const id of ids) assert.ok(seen.includes(id));
      (await api.get(`${list()}?cursor=forged`)).problem(400);
    });

    it(`${kind}: is gone once it is removed`, async () => {
      const { id } = await create();
      (await api.delete(at(id))).expect(204);
      if (kind === "key") assert.notEqual((await api.get(at(id))).expect(200).revokedAt, null); // who had it stays known
      else (await api.get(at(id))).problem(404, "not_found");
    });

    it(`${kind}: that never was answers 404`, async () => {
      (await api.get(at(unknown(prefix)))).problem(404, "not_found");
      (await api.delete(at(unknown(prefix)))).problem(404, "not_found");
      if (change) (await api.patch(at(unknown(prefix)), { json: change })).problem(404, "not_found");
    });

    it(`${kind}: is not made of what is wrong`, async () => {
      const count = async () => (await api.get(`${list()}?limit=1000`)).expect(200).items.length;
      const before = await count();
      for (const wrong of [{}, [], { ...make("x"), color: "red" }, { ...make("x"), id: unknown(prefix) }, { name: "" }, { name: "x".repeat(129) }, { role: "god", name: "x" }, { subject: "", role: "viewer" }])
        (await api.post(list(), { json: wrong })).problem(400, "invalid_input");
      assert.equal(await count(), before);
    });
  }

  it("workspace: is made once under one key", async () => {
    const headers = { "idempotency-key": randomUUID() };
    const first = await api.post("/v1/workspaces", { json: { name: "keyed" }, headers });
    const again = await api.post("/v1/workspaces", { json: { name: "keyed" }, headers });
    assert.equal(again.expect(201).id, first.expect(201).id);
    assert.equal(again.headers["idempotent-replayed"], "true");
    (await api.post("/v1/workspaces", { json: { name: "other" }, headers })).problem(422, "idempotency_key_reused");
  });

  it("workspace: stays while it has projects, or their files", async () => {
    const { workspace, project } = await api.makeProject();
    (await api.delete(`/v1/workspaces/${workspace.id}`)).problem(409, "conflict");
    (await api.delete(`/v1/projects/${project.id}`)).expect(204);
    await until(async () => (await api.delete(`/v1/workspaces/${workspace.id}`)).status === 204, "the project's files to be gone");
  });

  it("member: is one person once, and the last owner stays", async () => {
    const members = `/v1/workspaces/${(await api.post("/v1/workspaces", { json: { name: "people" } })).expect(201).id}/members`;
    const owner = (await api.post(members, { json: { subject: "ann", role: "owner" } })).expect(201);
    (await api.post(members, { json: { subject: "ann", role: "viewer" } })).problem(409, "already_exists");
    (await api.post(members, { json: { subject: "ann", email: "ann@example.com", role: "viewer" } })).problem(400, "invalid_input");
    (await api.delete(`${members}/${owner.id}`)).problem(409, "conflict");
    (await api.patch(`${members}/${owner.id}`, { json: { role: "viewer" } })).problem(409, "conflict");
  });

  it("project: its environment and its policy hold for what runs in it", async () => {
    const { id } = await api.makeProject({ env: { GREETING: "hello" }, policy: { operations: { deny: ["fs.*"] } } });
    assert.equal((await api.shell(id, 'printf %s "$GREETING"')).stdout, "hello");
    (await api.operate(id, "fs.stat", { path: "." })).problem(403, "policy_denied");
    (await api.get(`/v1/projects/${id}/files/x`)).problem(403, "policy_denied");
  });

  it("usage: grows with what is run", async () => {
    const { workspace, id } = await api.makeProject();
    const usage = async () => (await api.get(`/v1/workspaces/${workspace.id}/usage`)).expect(200);
    assert.equal((await usage()).operations, 0);
    await api.run(id, "command.run", { argv: ["true"] });
    assert.equal((await usage()).operations, 1);
  });
});
