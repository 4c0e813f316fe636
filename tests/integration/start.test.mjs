// What croftd refuses to start with, and how it says so.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, describe, it } from "node:test";
import { build, Croft, useCroft } from "../lib/croftd.mjs";

const croftd = path.join(build, "croftd");
const folder = fs.mkdtempSync(path.join(os.tmpdir(), "croft-start-"));
after(() => fs.rmSync(folder, { recursive: true }));

const run = (...args) => spawnSync(croftd, args, { encoding: "utf8", timeout: 30_000 });

function check(config) {
  const file = path.join(folder, "croft.conf");
  fs.writeFileSync(file, config);
  const { status, stdout, stderr } = run("--check", "--config", file);
  return { status, stdout, stderr: stderr.replaceAll(file, "FILE") };
}

describe("croftd --check", () => {
  const refused = [
    ["a name that does not exist", "# one\n\nlisten = 127.0.0.1:0\nfoo = 1\n", /^croftd: FILE:4: there is no setting "foo"/],
    ["what croftd makes itself", "admin.key_hash = sha256:00\n", /^croftd: FILE:1: there is no setting "admin\.key_hash"/],
    ["a line without a value", "listen\n", /^croftd: FILE:1: a line is `name = value`/],
    ["a number that is none", "instance.pids = many\n", /^croftd: FILE:1: instance\.pids: "many" is not a number, 2 to 4194304/],
    ["a number out of range", "instance.limit = 0\n", /^croftd: FILE:1: instance\.limit: "0" is not a number, 1 to 1024/],
    ["a size with a foreign unit", "instance.memory = 1Q\n", /^croftd: FILE:1: instance\.memory: "1Q" is not bytes/],
    ["a time out of range", "stop.grace = 2d\n", /^croftd: FILE:1: stop\.grace: "2d" is not a time .*, 0 to 1h/],
    ["a level of the log that is none", "log.level = loud\n", /^croftd: FILE:1: log\.level: "loud" is not debug, info, warning or error/],
    ["a file that cannot be read", "oidc.keys_file = /nowhere\n", /^croftd: FILE:1: oidc\.keys_file: cannot read \/nowhere/],
    ["a key set without an issuer", "oidc.keys_url = https:\/\/login.example.com/keys\n", /^croftd: oidc\.keys_url needs oidc\.issuer/],
  ];
  for (const [name, config, said] of refused)
    it(`refuses ${name}`, () => {
      const { status, stderr } = check(config);
      assert.match(stderr, said);
      assert.equal(stderr.trim().split("\n").length, 1);
      assert.equal(status, 2);
    });

  it("takes what it prints itself, and no value of it but as a comment", () => {
    const { stdout } = run("--help-config");
    assert.doesNotMatch(stdout, /^[^#\n]/m);
    const { status, stdout: said, stderr } = check(stdout.replace(/^#(\S+) = (\S.*)$/gm, "$1 = $2"));
    assert.equal(stderr, "");
    assert.equal(status, 0);
    assert.match(said, /are good/);
  });

  it("makes no data folder", () => {
    const data = path.join(folder, "unmade");
    assert.equal(run("--check", "--data", data).status, 0);
    assert.ok(!fs.existsSync(data));
  });
});

describe("croftd", () => {
  const croft = useCroft();

  it("prints its version and its help", () => {
    assert.match(run("--version").stdout, /^croftd \d+\.\d+\.\d+\n$/);
    assert.match(run("--help").stdout, /^Usage: croftd --data DIR/);
  });

  const wrong = [
    ["no data folder", [], /--data DIR/],
    ["an argument that is no option", ["--data", folder, "more"], /"more" is not an option/],
    ["an option that does not exist", ["--nonsense"], /--help/],
    ["a role that does not exist", ["--data", folder, "--roles", "gateway,king"], /there is no role "king"/],
  ];
  for (const [name, args, said] of wrong)
    it(`refuses ${name}`, () => {
      const { status, stderr } = run(...args);
      assert.match(stderr, said);
      assert.equal(status, 2);
    });

  it("refuses a folder that is in use, and says by whom", () => {
    const { status, stderr } = run("--data", croft.data, "--listen", "127.0.0.1:0");
    assert.match(stderr, new RegExp(`is in use by another croftd \\(process ${croft.process.pid}\\)`));
    assert.equal(status, 1);
  });

  it("refuses an address that is in use", () => {
    const { status, stderr } = run("--data", path.join(folder, "second"), "--listen", `127.0.0.1:${croft.port}`);
    assert.match(stderr, /cannot listen on 127\.0\.0\.1:\d+: Address already in use/);
    assert.equal(status, 1);
  });

  it("refuses to run as somebody else than root", () => {
    const { status, stderr } = spawnSync("setpriv", ["--reuid", "65534", "--clear-groups", croftd, "--data", folder], { encoding: "utf8" });
    assert.match(stderr, /needs root/);
    assert.equal(status, 1);
  });

  it("takes the command line for more than the file, wherever it stands", async (t) => {
    const other = new Croft({ settings: { listen: "127.0.0.1:1" } });
    t.after(() => other.end());
    await other.start();
    assert.notEqual(other.port, 1);
  });

  it("makes the administrator's key once, for root alone", async (t) => {
    const other = new Croft();
    t.after(() => other.end());
    await other.start();
    const file = path.join(other.data, "admin.key");
    assert.equal(fs.statSync(file).mode & 0o777, 0o600);
    assert.equal(fs.statSync(file).uid, 0);
    const key = fs.readFileSync(file, "utf8");
    await other.restart();
    assert.equal(fs.readFileSync(file, "utf8"), key);
    (await other.admin.get("/v1/workspaces")).expect(200);
  });
});
