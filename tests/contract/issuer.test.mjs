// An issuer whose key set is fetched by URL: its tokens are good, also after it has changed its keys, and while it is away.

import assert from "node:assert/strict";
import { generateKeyPairSync, sign } from "node:crypto";
import { once } from "node:events";
import http from "node:http";
import { after, before, describe, it } from "node:test";
import { Croft, until } from "../lib/croftd.mjs";

// More refusals than an address is usually given, for tests that ask until something is so.
const PATIENT = { "rate.address": "10000" };

const encode = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");

class Issuer {
  #keys = new Map();
  requests = 0;

  async start() {
    this.server = http.createServer((request, response) => {
      this.requests++;
      response.setHeader("content-type", "application/json").end(this.answer ?? JSON.stringify({ keys: [...this.#keys.values()].map((key) => key.public) }));
    });
    await once(this.server.listen(0, "127.0.0.1"), "listening");
    this.url = `http://127.0.0.1:${this.server.address().port}`;
  }

  /** From now on the key set has this key, and no other. */
  rotate(kid) {
    const pair = generateKeyPairSync("ed25519");
    this.#keys = new Map([[kid, { private: pair.privateKey, public: { ...pair.publicKey.export({ format: "jwk" }), kid, alg: "EdDSA", use: "sig" } }]]);
  }

  token(kid, claims = {}) {
    const now = Math.floor(Date.now() / 1000);
    const text = `${encode({ alg: "EdDSA", kid })}.${encode({ iss: this.url, aud: "croft", sub: "alice", iat: now, exp: now + 600, ...claims })}`;
    return `${text}.${sign(null, Buffer.from(text), this.#keys.get(kid).private).toString("base64url")}`;
  }

  stop() {
    this.server.closeAllConnections();
    this.server.close();
  }
}

describe("an issuer at a URL", () => {
  const issuer = new Issuer();
  let croft;

  before(async () => {
    await issuer.start();
    issuer.rotate("first");
    croft = new Croft({ settings: { ...PATIENT, "oidc.issuer": issuer.url, "oidc.keys_url": `${issuer.url}/keys` } });
    await croft.start();
  });
  after(async () => {
    issuer.stop();
    await croft.end();
  });

  const whoami = (token) => croft.client(token).get("/v1/whoami");

  it("is asked for its keys, and its tokens are good", async () => {
    await until(async () => (await whoami(issuer.token("first"))).status === 200, "the key set");
    assert.equal((await whoami(issuer.token("first"))).expect(200).subject, "alice");
    (await whoami(issuer.token("first", { iss: `${issuer.url}/` }))).problem(401, "unauthenticated");
  });

  it("is not asked again for every token with an unknown kid", async () => {
    const token = issuer.token("first").split(".");
    const before = issuer.requests;
    for (let i = 0; i < 20; i++) (await whoami([encode({ alg: "EdDSA", kid: `made-up-${i}` }), token[1], token[2]].join("."))).problem(401, "unauthenticated");
    assert.ok(issuer.requests <= before + 1, `${issuer.requests - before} requests`);
  });

  it("keeps its tokens good while it is away", async () => {
    const token = issuer.token("first");
    issuer.stop();
    (await whoami(token)).expect(200);
  });
});

for (const [what, answer] of Object.entries({
  "no JSON": "<html>", "no key set": '{"keys":7}', "nothing": "", "too much": `{"keys":[],"more":"${"x".repeat(1 << 20)}"}`,
}))
  it(`an issuer that answers ${what} makes no token good, and the rest goes on`, async (t) => {
    const issuer = new Issuer();
    await issuer.start();
    t.after(() => issuer.stop());
    issuer.rotate("only");
    issuer.answer = answer;
    const croft = new Croft({ settings: { ...PATIENT, "oidc.issuer": issuer.url, "oidc.keys_url": `${issuer.url}/keys` } });
    t.after(() => croft.end());
    await croft.start();
    await until(() => issuer.requests > 0, "the key set to be asked for");
    (await croft.client(issuer.token("only")).get("/v1/whoami")).problem(401, "unauthenticated");
    (await croft.admin.get("/v1/whoami")).expect(200);
  });
