// Credentials that are none, no longer, or of somebody else: refused, told apart no further than they may be, and nothing is changed.

import assert from "node:assert/strict";
import { createHmac, generateKeyPairSync, sign } from "node:crypto";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { until, useCroft } from "../lib/croftd.mjs";

const encode = (value) => Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url");
const seconds = () => Math.floor(Date.now() / 1000);

describe("API keys", () => {
  const croft = useCroft();
  let admin, workspace, project, other;

  before(async () => {
    admin = croft.admin;
    ({ workspace, id: project } = await admin.makeProject());
    other = await admin.makeProject();
  });

  const keysOf = (id) => `/v1/workspaces/${id}/keys`;
  const makeKey = async (fields, id = workspace.id) => (await admin.post(keysOf(id), { json: { name: "test", role: "developer", ...fields } })).expect(201);
  const whoami = (secret) => croft.client(secret).get("/v1/whoami");

  it("work until they are revoked, and not after", async () => {
    const key = await makeKey();
    (await whoami(key.secret)).expect(200);
    (await admin.delete(`${keysOf(workspace.id)}/${key.id}`)).expect(204);
    (await whoami(key.secret)).problem(401, "unauthenticated");
  });

  it("work until they expire", async () => {
    (await admin.post(keysOf(workspace.id), { json: { name: "past", role: "viewer", expiresAt: "2020-01-01T00:00:00Z" } })).problem(400, "invalid_input");
    const key = await makeKey({ expiresAt: new Date(Date.now() + 1500).toISOString() });
    (await whoami(key.secret)).expect(200);
    await until(async () => (await whoami(key.secret)).status === 401, "the key to expire");
  });

  it("are refused when any part of them is wrong", async () => {
    const { secret } = await makeKey();
    const [, id, token] = secret.split("_");
    const wrong = [`croft_${id}_${token.slice(0, -1)}`, `croft_${id}_${token}0`, `croft_${id}_${"0".repeat(token.length)}`,
      `croft_${"0".repeat(26)}_${token}`, `croft_admin_${token}`, `Croft_${id}_${token}`, "croft", "", "croft__", " ", "x".repeat(5000)];
    for (const key of wrong) {
      const answer = await admin.get("/v1/workspaces", { headers: { authorization: `Bearer ${key}` } });
      assert.ok([400, 401].includes(answer.status), `${key}: ${answer.status}`);
    }
    (await admin.get("/v1/workspaces", { headers: { authorization: "Basic YTpi" } })).problem(401);
    (await croft.client().get("/v1/workspaces")).problem(401, "unauthenticated");
  });

  it("do not show what is another workspace's", async () => {
    const client = croft.client((await makeKey({ role: "owner" })).secret);
    const missing = (await client.get(`/v1/projects/prj_${"0".repeat(26)}`)).problem(404);
    for (const target of [`/v1/projects/${other.id}`, `/v1/workspaces/${other.workspace.id}`, `/v1/projects/${other.id}/operations`,
      `/v1/projects/${other.id}/files/x`, `/v1/projects/${other.id}/events?waitMs=0`]) {
      const problem = (await client.get(target, { headers: { accept: "application/json" } })).problem(404);
      assert.equal(problem.title, missing.title);
    }
    (await client.operate(other.id, "fs.mkdir", { path: "x" })).problem(404);
    (await client.delete(`/v1/projects/${other.id}`)).problem(404);
    assert.deepEqual((await client.get("/v1/workspaces")).expect(200).items.map((item) => item.id), [workspace.id]);
  });

  it("for one project show no other of their workspace", async () => {
    const second = (await admin.post(`/v1/workspaces/${workspace.id}/projects`, { json: { name: "second" } })).expect(201);
    const client = croft.client((await makeKey({ projects: [second.id] })).secret);
    (await client.get(`/v1/projects/${second.id}`)).expect(200);
    (await client.get(`/v1/projects/${project}`)).problem(404);
    const listed = (await client.get(`/v1/workspaces/${workspace.id}/projects`)).expect(200).items;
    assert.deepEqual(listed.map((item) => item.id), [second.id]);
    (await client.post(keysOf(workspace.id), { json: { name: "more", role: "viewer" } })).problem(403);
  });

  it("of a role do what the role may, and no more", async () => {
    const may = {
      viewer: { read: true, write: false, keys: false, audit: false },
      auditor: { read: false, write: false, keys: false, audit: true },
      developer: { read: true, write: true, keys: false, audit: false },
      admin: { read: true, write: true, keys: true, audit: true },
    };
    await admin.run(project, "fs.write", { path: "file", content: "text" });
    for (const [role, rights] of Object.entries(may)) {
      const client = croft.client((await makeKey({ role })).secret);
      const tries = {
        read: await client.get(`/v1/projects/${project}/files/file`),
        write: await client.put(`/v1/projects/${project}/files/${role}`, { body: "x" }),
        keys: await client.post(keysOf(workspace.id), { json: { name: "made", role: "viewer" } }),
        audit: await client.get(`/v1/workspaces/${workspace.id}/audit`),
      };
      for (const [right, answer] of Object.entries(tries))
        if (rights[right]) assert.ok(answer.status < 300, `${role} ${right}: ${answer.status} ${answer.text}`);
        else answer.problem(403, "forbidden");
    }
  });

  it("are never shown again, not even in the audit log", async () => {
    const { secret } = await makeKey();
    const token = secret.split("_")[2];
    for (const target of [keysOf(workspace.id), `/v1/workspaces/${workspace.id}/audit?limit=1000`])
      assert.ok(!(await admin.get(target)).text.includes(token));
    assert.ok(!croft.log.includes(token));
  });
});

describe("tokens of an issuer", () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "croft-jwks-"));
  after(() => fs.rmSync(folder, { recursive: true }));
  const issuer = "https://login.example.com";
  const pairs = {
    ES256: generateKeyPairSync("ec", { namedCurve: "P-256" }),
    RS256: generateKeyPairSync("rsa", { modulusLength: 2048 }),
    EdDSA: generateKeyPairSync("ed25519"),
  };
  const stranger = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const keys = Object.entries(pairs).map(([alg, pair]) => ({ ...pair.publicKey.export({ format: "jwk" }), kid: alg, alg, use: "sig" }));
  const file = path.join(folder, "jwks.json");
  fs.writeFileSync(file, JSON.stringify({ keys }));
  const croft = useCroft({ settings: { "oidc.issuer": issuer, "oidc.audience": "croft", "oidc.keys_file": file } });

  const claims = (more) => ({ iss: issuer, aud: "croft", sub: "alice", email: "alice@example.com", email_verified: true,
    iat: seconds(), exp: seconds() + 600, ...more });
  const signature = (alg, text, pair) =>
    sign(alg === "EdDSA" ? null : "sha256", Buffer.from(text), { key: pair.privateKey, dsaEncoding: "ieee-p1363" }).toString("base64url");
  function token(more = {}, { alg = "ES256", header = {}, pair = pairs[alg] } = {}) {
    const text = `${encode({ alg, kid: alg, typ: "JWT", ...header })}.${encode(claims(more))}`;
    return `${text}.${signature(alg, text, pair)}`;
  }
  const whoami = (jwt) => croft.client(jwt).get("/v1/whoami");

  for (const alg of Object.keys(pairs))
    it(`are accepted when signed with ${alg}`, async () => {
      assert.equal((await whoami(token({}, { alg }))).expect(200).subject, "alice");
    });

  it("say who somebody is, and nothing of what he may do", async () => {
    const { workspace } = await croft.admin.makeProject();
    const client = croft.client(token({ role: "owner", admin: true }));
    assert.deepEqual((await client.get("/v1/workspaces")).expect(200).items, []);
    (await croft.admin.post(`/v1/workspaces/${workspace.id}/members`, { json: { email: "alice@example.com", role: "viewer" } })).expect(201);
    assert.equal((await client.get("/v1/workspaces")).expect(200).items[0].id, workspace.id);
  });

  it("with an address that nobody has verified belong to nobody's membership", async () => {
    const { workspace } = await croft.admin.makeProject();
    (await croft.admin.post(`/v1/workspaces/${workspace.id}/members`, { json: { email: "bob@example.com", role: "owner" } })).expect(201);
    const client = croft.client(token({ sub: "mallory", email: "bob@example.com", email_verified: false }));
    assert.deepEqual((await client.get("/v1/workspaces")).expect(200).items, []);
  });

  const publicPem = pairs.RS256.publicKey.export({ type: "spki", format: "pem" });
  const unsigned = (alg) => `${encode({ alg, typ: "JWT" })}.${encode(claims())}.`;
  const hmac = (header) => {
    const text = `${encode(header)}.${encode(claims())}`;
    return `${text}.${createHmac("sha256", publicPem).update(text).digest("base64url")}`;
  };
  const refused = {
    "no signature": () => unsigned("none"),
    "no signature, in capitals": () => unsigned("NONE"),
    "the signature left out": () => token().replace(/[^.]*$/, ""),
    "HS256 with the public key as the secret": () => hmac({ alg: "HS256", kid: "RS256", typ: "JWT" }),
    "another algorithm than its key's": () => token({}, { header: { kid: "RS256" } }),
    "a key that is not the issuer's": () => token({}, { pair: stranger }),
    "a kid that is unknown": () => token({}, { header: { kid: "unknown" } }),
    "a key that it brings itself": () => token({}, { pair: stranger, header: { jwk: stranger.publicKey.export({ format: "jwk" }), kid: undefined } }),
    "another issuer": () => token({ iss: "https://login.example.org" }),
    "another audience": () => token({ aud: "somebody" }),
    "no audience": () => token({ aud: undefined }),
    "an end that is over": () => token({ exp: seconds() - 120 }),
    "no end": () => token({ exp: undefined }),
    "a beginning that is to come": () => token({ nbf: seconds() + 600 }),
    "no subject": () => token({ sub: undefined }),
    "a critical header that is unknown": () => token({}, { header: { crit: ["b64"], b64: false } }),
    "claims that were changed": () => {
      const [head, , end] = token().split(".");
      return `${head}.${encode(claims({ sub: "root" }))}.${end}`;
    },
    "nothing but dots": () => "..",
    "no JSON": () => `${encode("{")}.${encode("}")}.AAAA`,
    "too many bytes": () => token({ more: "x".repeat(10_000) }),
  };
  for (const [name, make] of Object.entries(refused))
    it(`are refused with ${name}`, async () => {
      const answer = await whoami(make());
      answer.problem(401, "unauthenticated");
      assert.doesNotMatch(answer.text, /eyJ/);
    });
});
