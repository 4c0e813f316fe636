// What each process of Croft may do, as the kernel tells it: the table of SECURITY.md. A change of power is a change here.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { before, describe, it } from "node:test";
import { useCroft, until } from "../lib/croftd.mjs";

const capabilityNumbers = {
  CHOWN: 0, DAC_OVERRIDE: 1, FOWNER: 3, KILL: 5, SETGID: 6, SETUID: 7, SETPCAP: 8, NET_ADMIN: 12, SYS_CHROOT: 18, SYS_PTRACE: 19,
  SYS_ADMIN: 21, MKNOD: 27,
};
const mask = (names) => names.reduce((bits, name) => bits | (1n << BigInt(capabilityNumbers[name])), 0n);

const none = [];
const worker = Object.keys(capabilityNumbers);
const roles = {
  gateway: { root: "gateway", capabilities: none },
  control: { root: "control", capabilities: none },
  stream: { root: "stream", capabilities: none },
  audit: { root: "audit", capabilities: none },
  issuer: { root: "/", capabilities: none },
  worker: { root: "/", capabilities: worker },
};

const statusOf = (pid) => Object.fromEntries(
  fs.readFileSync(`/proc/${pid}/status`, "utf8").trim().split("\n").map((line) => line.split(/:\s*/)));

function limitsOf(pid, name) {
  const line = fs.readFileSync(`/proc/${pid}/limits`, "utf8").split("\n").find((text) => text.startsWith(name));
  return line.slice(name.length).trim().split(/\s+/).slice(0, 2);
}

const targets = (pid) => fs.readdirSync(`/proc/${pid}/fd`).map((fd) => fs.readlinkSync(`/proc/${pid}/fd/${fd}`));

describe("each role", () => {
  // The address is nobody's: the issuer runs, and reaches nothing.
  const croft = useCroft({ settings: { "oidc.issuer": "https://issuer.invalid", "oidc.keys_url": "https://127.0.0.1:9/keys" } });
  const pidOf = (role) => croft.pids(role)[0];

  before(async () => {
    await until(async () => (await croft.admin.get("/readyz")).status === 200, "every role to be ready");
    await croft.admin.makeProject();
  });

  for (const [role, expected] of Object.entries(roles)) {
    it(`${role}: user, capabilities, filter`, () => {
      const status = statusOf(pidOf(role));
      const ids = new Set([...status.Uid.split("\t"), ...status.Gid.split("\t")].map(Number));
      assert.equal(ids.size, 1);
      assert.equal(ids.has(0), role === "worker");
      assert.equal(status.Groups.trim(), "");
      for (const set of ["CapPrm", "CapEff", "CapBnd"]) assert.equal(BigInt(`0x${status[set]}`), mask(expected.capabilities), set);
      for (const set of ["CapInh", "CapAmb"]) assert.equal(BigInt(`0x${status[set]}`), 0n, set);
      assert.equal(status.NoNewPrivs, "1");
      assert.equal(status.Seccomp, "2");
      assert.deepEqual(limitsOf(pidOf(role), "Max core file size"), ["0", "0"]);
    });

    it(`${role}: root, descriptors, environment`, () => {
      const pid = pidOf(role);
      const root = fs.readlinkSync(`/proc/${pid}/root`);
      assert.equal(root, expected.root === "/" ? "/" : path.join(fs.realpathSync(croft.data), expected.root));
      const own = path.join(fs.realpathSync(croft.data), role);
      const foreign = targets(pid).filter((target) => target.startsWith("/") && !target.startsWith(own) && !target.startsWith("/dev/null"));
      const allowed = {
        worker: /^\/(sys\/fs\/cgroup|memfd:|proc|dev|run\/croft\/instance-uids$)|\/libexec\/|\/src\/proc\//,
      }[role] ?? /^$/;
      const lock = path.join(fs.realpathSync(croft.data), "lock");
      assert.deepEqual(foreign.filter((target) => target !== lock && !allowed.test(target)), []);
      assert.deepEqual(fs.readFileSync(`/proc/${pid}/environ`, "utf8").split("\0").filter(Boolean).map((entry) => entry.split("=")[0]).sort(), ["LANG", "PATH"]);
    });
  }

  it("has a user of its own", () => {
    const users = Object.keys(roles).map((role) => statusOf(pidOf(role)).Uid.split("\t")[0]);
    assert.equal(new Set(users).size, users.length);
  });

  it("the gateway's root is empty", () => {
    const folder = path.join(croft.data, "gateway");
    assert.deepEqual(fs.readdirSync(folder), []);
  });

  it("nobody but root and the role can look into its folder", () => {
    for (const role of Object.keys(roles)) assert.equal(fs.statSync(path.join(croft.data, role)).mode & 0o777, 0o700, role);
    for (const secret of ["admin.key", "audit/signing.key", "stream/stream.key"])
      assert.equal(fs.statSync(path.join(croft.data, secret)).mode & 0o077, 0, secret);
  });

  it("reads its own folder, and no other's", () => {
    const reads = (role, folder) => {
      const [uid] = statusOf(pidOf(role)).Uid.split("\t");
      const as = [`--reuid=${uid}`, `--regid=${uid}`, "--clear-groups", "--bounding-set=-all", "--inh-caps=-all"];
      return spawnSync("setpriv", [...as, "ls", path.join(croft.data, folder)]).status === 0;
    };
    fs.chmodSync(croft.data, 0o711); // as an installed one has it
    const confined = Object.keys(roles).filter((role) => role !== "worker");
    for (const role of confined) assert.deepEqual(Object.keys(roles).filter((folder) => reads(role, folder)), [role], role);
  });

  it("lets nobody trace it, not even another process of its user", () => {
    for (const role of Object.keys(roles).filter((name) => name !== "worker")) {
      const pid = pidOf(role);
      const [uid] = statusOf(pid).Uid.split("\t");
      for (const name of ["mem", "environ", "fd"]) {
        const read = spawnSync("setpriv", [`--reuid=${uid}`, `--regid=${uid}`, "--clear-groups", "--bounding-set=-all", "ls", "-L", `/proc/${pid}/${name}/`]);
        assert.notEqual(read.status, 0, `${role} ${name}`);
        assert.equal(fs.statSync(`/proc/${pid}/${name}`).uid, 0, `${role} ${name}`);
      }
    }
  });
});
