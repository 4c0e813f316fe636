// The audit log over HTTP: entries of a workspace by filter, the signed head and the tiles of the tree.

import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { useCroft } from "../lib/croftd.mjs";

describe("the audit log", () => {
  const croft = useCroft();
  let api, workspace;

  before(async () => {
    api = croft.admin;
    ({ workspace } = await api.makeProject());
    (await api.post(`/v1/workspaces/${workspace.id}/projects`, { json: { name: "second" } })).expect(201);
  });

  it("is read with filters, and tile by tile", async () => {
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

  it("has what was allowed with its digest, and never with its content", async () => {
    const { workspace: other, id } = await api.makeProject();
    const operation = await api.run(id, "fs.write", { path: "file", content: "a-secret-of-a-tenant" });
    const { text, json } = await api.get(`/v1/workspaces/${other.id}/audit?operation=${operation.id}`);
    const [entry] = json.items;
    assert.deepEqual([entry.action, entry.decision.allow, entry.scope.project, entry.scope.operation], ["fs.write", true, id, operation.id]);
    assert.equal(entry.actor.type, "admin");
    assert.match(text, /sha256:[0-9a-f]{64}/);
    assert.doesNotMatch(text, /a-secret-of-a-tenant/);
  });

  it("is one workspace's for who is of one workspace", async () => {
    const other = await api.makeProject();
    const key = (await api.post(`/v1/workspaces/${workspace.id}/keys`, { json: { name: "auditor", role: "auditor" } })).expect(201);
    const client = croft.client(key.secret);
    (await client.get(`/v1/workspaces/${other.workspace.id}/audit`)).problem(404, "not_found");
    for (const { scope } of (await client.get(`/v1/workspaces/${workspace.id}/audit?limit=1000`)).expect(200).items)
      assert.equal(scope.workspace, workspace.id);
  });

  it("refuses filters that are none", async () => {
    for (const query of ["decision=maybe", "since=yesterday", "until=0", "color=red", "limit=0", "cursor=forged"])
      (await api.get(`/v1/workspaces/${workspace.id}/audit?${query}`)).problem(400);
  });
});
