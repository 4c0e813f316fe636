// The API over TLS with an authority of one's own.

import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import http2 from "node:http2";
import https from "node:https";
import os from "node:os";
import path from "node:path";
import { after, describe, it } from "node:test";
import { useCli } from "../lib/cli.mjs";
import { build, Croft, useCroft } from "../lib/croftd.mjs";

const folder = fs.mkdtempSync(path.join(os.tmpdir(), "croft-tls-"));
const certificate = path.join(folder, "server.crt");
const key = path.join(folder, "server.key");

execFileSync("openssl", ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
  "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate], { stdio: "ignore" });
after(() => fs.rmSync(folder, { recursive: true }));

describe("over TLS", () => {
  const croft = useCroft({ settings: { "tls.certificate": certificate, "tls.key": key } });
  const cli = useCli(croft);

  it("HTTP/1.1 is served", async () => {
    assert.match(croft.url, /^https:/);
    const request = https.get(`${croft.url}/healthz`, { ca: fs.readFileSync(certificate) });
    const [response] = await once(request, "response");
    assert.equal(response.statusCode, 200);
    assert.equal(response.httpVersion, "1.1");
    assert.match(response.socket.getProtocol(), /^TLSv1\.[23]$/);
    response.resume();
  });

  it("HTTP/2 is served", async () => {
    const session = http2.connect(croft.url, { ca: fs.readFileSync(certificate) });
    const stream = session.request({ ":path": "/healthz" });
    const [headers] = await once(stream, "response");
    assert.equal(headers[":status"], 200);
    session.close();
  });

  it("is refused to old versions", () => {
    const [, host] = croft.url.split("//");
    const connect = (version) =>
      spawnSync("openssl", ["s_client", "-connect", host, version, "-cipher", "ALL:@SECLEVEL=0"], { input: "" }).status;
    assert.equal(connect("-tls1_2"), 0);
    assert.notEqual(connect("-tls1_1"), 0);
  });

  it("croft trusts the authority that it is given, and login remembers it", async () => {
    const admin = fs.readFileSync(path.join(croft.data, "admin.key"), "utf8").trim();
    const env = { CROFT_API_KEY: admin };
    const stranger = await cli.run(["-q", "workspace", "ls"], { env });
    assert.equal(stranger.status, 3);
    assert.match(stranger.stderr, /certificate/);
    const named = await cli.run(["--ca", certificate, "workspace", "ls"], { env });
    assert.equal(named.status, 0, named.stderr);
    const login = await cli.run(["--ca", certificate, "login", croft.url], { input: `${admin}\n` });
    assert.equal(login.status, 0, login.stderr);
    const remembered = await cli.run(["workspace", "ls"], { env: { CROFT_API_KEY: "", CROFT_URL: "" } });
    assert.equal(remembered.status, 0, remembered.stderr);
  });
});

describe("TLS files that are none", () => {
  const cases = [
    ["a key that is another's", (settings) => (settings["tls.key"] = certificate), /tls\.key is no PEM key/],
    ["a certificate that is none", (settings) => (settings["tls.certificate"] = "/etc/hostname"), /tls\.certificate holds no certificate/],
  ];
  for (const [name, spoil, said] of cases)
    it(`are told: ${name}`, async () => {
      const settings = { "tls.certificate": certificate, "tls.key": key };
      spoil(settings);
      const croft = new Croft({ settings });
      await assert.rejects(croft.start(), said);
      assert.equal(croft.process.exitCode, 1);
      await croft.end();
    });

  it("are missed: one without the other", () => {
    const config = path.join(folder, "half.conf");
    fs.writeFileSync(config, `tls.key = ${key}\n`);
    const { status, stderr } = spawnSync(path.join(build, "croftd"), ["--check", "--config", config]);
    assert.equal(status, 2);
    assert.match(stderr.toString(), /tls\.key needs tls\.certificate/);
  });
});
