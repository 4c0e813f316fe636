// Who may do what: every role against every kind of call, and an entry in the audit log for each that is denied.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { before, describe, it } from "node:test";
import { useCroft } from "../lib/croftd.mjs";

const ROLES = ["auditor", "viewer", "developer", "admin", "owner"];
const WRITERS = ["developer", "admin", "owner"];
const READERS = ["viewer", ...WRITERS];
const MANAGERS = ["admin", "owner"];
const WATCHERS = ["auditor", ...MANAGERS];

const OF_INSTALLATION = new Set(["workspace.create", "audit.tile"]); // recorded with no workspace
const OPERATIONS = new Set(["fs.stat", "fs.mkdir", "command.run"]);

describe("roles", () => {
  const croft = useCroft();
  let api, workspace, project, operation;
  const clients = {};
  const name = () => `made-${randomUUID().slice(0, 8)}`;
  const ws = (more = "") => `/v1/workspaces/${workspace.id}${more}`;
  const prj = (more = "") => `/v1/projects/${project.id}${more}`;

  before(async () => {
    api = croft.admin;
    ({ workspace, project } = await api.makeProject());
    operation = await api.run(project.id, "fs.write", { path: "file", content: "text" });
    for (const role of ROLES) {
      const key = (await api.post(ws("/keys"), { json: { name: role, role } })).expect(201);
      clients[role] = { id: key.id, client: croft.client(key.secret) };
    }
  });

  const made = async (path, json) => (await api.post(ws(path), { json })).expect(201).id;

  // Each: its name in the audit log, who may, and what is called.
  const calls = [
    ["workspace.create", [], (of) => of.post("/v1/workspaces", { json: { name: name() } })],
    ["workspace.list", ROLES, (of) => of.get("/v1/workspaces")],
    ["workspace.get", ROLES, (of) => of.get(ws())],
    ["workspace.update", MANAGERS, (of) => of.patch(ws(), { json: { region: "here" } })],
    ["usage.get", ["auditor", ...WRITERS], (of) => of.get(ws("/usage"))],
    ["member.add", MANAGERS, (of) => of.post(ws("/members"), { json: { subject: name(), role: "viewer" } })],
    ["member.list", WATCHERS, (of) => of.get(ws("/members"))],
    ["member.get", WATCHERS, async (of) => of.get(ws(`/members/${await made("/members", { subject: name(), role: "viewer" })}`))],
    ["member.update", MANAGERS, async (of) => of.patch(ws(`/members/${await made("/members", { subject: name(), role: "viewer" })}`), { json: { role: "developer" } })],
    ["member.remove", MANAGERS, async (of) => of.delete(ws(`/members/${await made("/members", { subject: name(), role: "viewer" })}`))],
    ["key.create", MANAGERS, (of) => of.post(ws("/keys"), { json: { name: name(), role: "viewer" } })],
    ["key.list", WATCHERS, (of) => of.get(ws("/keys"))],
    ["key.get", WATCHERS, (of) => of.get(ws(`/keys/${clients.viewer.id}`))],
    ["key.revoke", MANAGERS, async (of) => of.delete(ws(`/keys/${await made("/keys", { name: name(), role: "viewer" })}`))],
    ["project.create", WRITERS, (of) => of.post(ws("/projects"), { json: { name: name() } })],
    ["project.list", ROLES, (of) => of.get(ws("/projects"))],
    ["project.get", ROLES, (of) => of.get(prj())],
    ["project.update", WRITERS, (of) => of.patch(prj(), { json: { env: { A: "b" } } })],
    ["project.delete", MANAGERS, async (of) => of.delete(`/v1/projects/${await made("/projects", { name: name() })}`)],
    ["operation.list", READERS, (of) => of.get(prj("/operations"))],
    ["operation.get", READERS, (of) => of.get(`/v1/operations/${operation.id}`)],
    ["operation.cancel", WRITERS, (of) => of.post(`/v1/operations/${operation.id}/cancel`)],
    ["events.read", READERS, (of) => of.get(prj("/events?waitMs=0"), { headers: { accept: "application/json" } })],
    ["events.read", READERS, (of) => of.get(`/v1/operations/${operation.id}/events`, { headers: { accept: "application/json" } })],
    ["events.read", READERS, (of) => of.get(prj("/streams/chat/events?waitMs=0"), { headers: { accept: "application/json" } })],
    ["stream.publish", WRITERS, (of) => of.post(prj("/streams/chat"), { json: { data: 1 } })],
    ["fs.stat", READERS, (of) => of.operate(project.id, "fs.stat", { path: "file" })],
    ["fs.mkdir", WRITERS, (of) => of.operate(project.id, "fs.mkdir", { path: name() })],
    ["command.run", WRITERS, (of) => of.operate(project.id, "command.run", { argv: ["true"] })],
    ["fs.read", READERS, (of) => of.get(prj("/files/file"))],
    ["fs.write", WRITERS, (of) => of.put(prj(`/files/${name()}`), { body: "x" })],
    ["fs.remove", WRITERS, async (of) => {
      const file = name();
      (await api.put(prj(`/files/${file}`), { body: "x" })).expect(201);
      return of.delete(prj(`/files/${file}`));
    }],
    ["fs.export", READERS, (of) => of.get(prj("/archive?path=file&format=tar"))],
    ["audit.list", WATCHERS, (of) => of.get(ws("/audit"))],
    ["audit.tile", [], (of) => of.get("/v1/audit/tile/0/000")],
    ["workspace.delete", ["owner"], (of) => of.delete(ws())], // it has projects: an owner is told so
  ];

  for (const role of ROLES)
    it(`${role} may do what is its to do, and every refusal is on record`, async () => {
      const { id, client } = clients[role];
      const refused = [];
      for (const [action, who, call] of calls) {
        const answer = await call(client);
        if (!who.includes(role)) {
          answer.problem(403, "forbidden");
          refused.push(action);
        } else if (action === "workspace.delete") {
          answer.problem(409, "conflict");
        } else {
          assert.ok(answer.status < 300, `${role}: ${action}: ${answer.status} ${answer.text}`);
        }
      }
      const { items } = (await api.get(ws("/audit?decision=deny&limit=1000"))).expect(200);
      const own = items.filter((entry) => entry.actor.key === id || entry.actor.id === id);
      // Who may not even read is refused before anybody has looked what the operation is.
      const recordedAs = (action) => (role === "auditor" && OPERATIONS.has(action) ? "operation.create" : action);
      for (const action of new Set(refused.filter((one) => !OF_INSTALLATION.has(one)).map(recordedAs))) {
        const entry = own.find((one) => one.action === action);
        assert.ok(entry, `${role}: ${action} is not in the audit log: ${JSON.stringify(own.map((one) => one.action))}`);
        assert.deepEqual([entry.decision.allow, entry.scope.workspace, entry.result.code], [false, workspace.id, "forbidden"]);
        assert.match(entry.request.ip, /^127\.0\.0\.1/);
      }
    });

  it("give nobody more than who gives has", async () => {
    for (const role of MANAGERS) {
      const { client } = clients[role];
      const answer = await client.post(ws("/keys"), { json: { name: name(), role: "owner" } });
      if (role === "owner") answer.expect(201);
      else answer.problem(403, "forbidden");
      const member = await client.post(ws("/members"), { json: { subject: name(), role: "owner" } });
      if (role === "owner") member.expect(201);
      else member.problem(403, "forbidden");
    }
  });
});
