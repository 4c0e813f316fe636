// An installation below DESTDIR is whole, and its croftd serves with no more powers than the unit leaves it.

import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { build, startCroft, until } from "../lib/croftd.mjs";

const source = fileURLToPath(new URL("../..", import.meta.url));

const below = {
  bin: ["croft"],
  sbin: ["croftd"],
  "libexec/croft": ["agent", "archive", "audit", "control", "gateway", "issuer", "stream", "worker"].map((role) => `croft-${role}`),
  "lib/systemd/system": ["croftd.service", "croftd.socket"],
  "lib/sysusers.d": ["croft.conf"],
  "lib/tmpfiles.d": ["croft.conf"],
  "share/bash-completion/completions": ["croft"],
  "share/zsh/vendor-completions": ["_croft"],
  "share/man/man1": ["croft.1"],
  "share/man/man5": ["croft.conf.5"],
  "share/man/man8": ["croftd.8"],
  "share/doc/croft": ["ARCHITECTURE.md", "CHANGELOG.md", "LICENSE", "README.md", "SECURITY.md", "clients.md", "operations.md"],
  "share/croft": ["croft.conf.sample", "openapi.json"],
};

function option(name) {
  const options = JSON.parse(execFileSync("meson", ["introspect", build, "--buildoptions"]));
  return options.find((o) => o.name === name).value;
}

/** What systemd would hear, line by line; Python, as node has no datagram sockets of this family. */
function listenAsSystemd(t, socket) {
  const program = "import socket,sys\ns=socket.socket(socket.AF_UNIX,socket.SOCK_DGRAM)\ns.bind(sys.argv[1])\n" +
    "while True: print(s.recv(4096).decode(),flush=True)";
  const listener = spawn("python3", ["-c", program, socket], { stdio: ["ignore", "pipe", "inherit"] });
  t.after(() => listener.kill());
  const heard = [];
  createInterface({ input: listener.stdout }).on("line", (line) => heard.push(line));
  return heard;
}

/** A command that opens a socket, hands it on as systemd does, leaves it open as 77, too, and becomes croftd. */
function activated(program) {
  const code = "import os,socket,sys\ns=socket.create_server(('127.0.0.1',0))\nos.dup2(s.fileno(),77,True)\ns=os.dup(s.fileno())\nos.dup2(s,3)\nos.set_inheritable(3,True)\n" +
    "os.environ.update(LISTEN_FDS='1',LISTEN_PID=str(os.getpid()))\nos.execv(sys.argv[1],sys.argv[1:])";
  return ["python3", "-c", code, program];
}

/** A command that makes the users in an /etc of its own, so that the machine keeps its, and becomes croftd. */
function withUsers(etc, program) {
  const script = 'mount --bind "$1" /etc && "$2" && exec "${@:3}"';
  return ["unshare", "--mount", "bash", "-c", script, "bash", etc, path.join(source, "tools/make-users"), program];
}

/** The user ids of /etc/passwd in `etc`, by name. */
function userIds(etc) {
  const lines = fs.readFileSync(path.join(etc, "passwd"), "utf8").trim().split("\n").map((line) => line.split(":"));
  return Object.fromEntries(lines.map(([name, , id]) => [name, Number(id)]));
}

describe("an installation", () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "croft-install-"));
  const prefix = option("prefix");
  const etc = path.resolve(prefix, option("sysconfdir"));
  const installed = (name) => path.join(folder, prefix, name);
  const install = () => execFileSync(path.join(source, "tools/install"), [build, prefix, folder], { stdio: "pipe" });

  before(install);
  after(() => fs.rmSync(folder, { recursive: true }));

  it("has every file at its place", () => {
    const missing = Object.entries(below).flatMap(([place, names]) =>
      names.map((name) => installed(path.join(place, name))).filter((file) => !fs.existsSync(file) || fs.statSync(file).size === 0));
    assert.deepEqual(missing, []);
    for (const program of ["bin/croft", "sbin/croftd"]) fs.accessSync(installed(program), fs.constants.X_OK);
  });

  it("leaves the operator's configuration alone", () => {
    const file = path.join(folder, etc, "croft/croft.conf");
    assert.match(fs.readFileSync(file, "utf8"), /^#listen = 127\.0\.0\.1:7480$/m);
    execFileSync(installed("sbin/croftd"), ["--check", "--config", file]);
    fs.writeFileSync(file, "listen = 127.0.0.1:7481\n");
    install();
    assert.equal(fs.readFileSync(file, "utf8"), "listen = 127.0.0.1:7481\n");
  });

  it("names users for every role that has one, and for no other", () => {
    const lines = fs.readFileSync(installed("lib/sysusers.d/croft.conf"), "utf8").match(/^[^#\n].*/gm);
    // A colon would end the field in /etc/passwd, and systemd refuses it.
    const users = lines.map((line) => line.match(/^u (croft-\w+) +- "[^":]+"$/)[1]);
    const roles = below["libexec/croft"].filter((name) => !["croft-agent", "croft-archive", "croft-worker"].includes(name));
    assert.deepEqual(users.sort(), roles);
  });

  it("completes commands", () => {
    const script = `. ${installed("share/bash-completion/completions/croft")}
      COMP_WORDS=(croft wor) COMP_CWORD=1; _croft; echo "\${COMPREPLY[@]}"
      COMP_WORDS=(croft -p demo run --bac) COMP_CWORD=4; _croft; echo "\${COMPREPLY[@]}"`;
    assert.equal(execFileSync("bash", ["-c", script]).toString(), "workspace\n--background\n");
  });

  it("serves with the powers that the unit leaves, and tells systemd so", async (t) => {
    const unit = fs.readFileSync(installed("lib/systemd/system/croftd.service"), "utf8");
    const powers = unit.match(/^CapabilityBoundingSet=.*/gm).flatMap((line) => line.split("=")[1].split(" "));
    const set = `-all,${powers.map((name) => `+${name.slice(4).toLowerCase()}`)}`;
    const socket = path.join(folder, "notify");
    const heard = listenAsSystemd(t, socket);
    await until(() => fs.existsSync(socket), "a socket to notify");
    const croft = await startCroft(t, {
      command: ["setpriv", "--bounding-set", set, "--no-new-privs", installed("sbin/croftd")],
      env: { NOTIFY_SOCKET: socket, WATCHDOG_USEC: "200000" },
    });
    const parent = fs.readlinkSync(`/proc/${croft.process.pid}/exe`);
    assert.equal(parent, installed("sbin/croftd"));
    await until(async () => (await croft.admin.get("/readyz")).status === 200, "every role to be ready");
    const { id } = await croft.admin.makeProject();
    assert.equal((await croft.admin.shell(id, "echo installed")).stdout, "installed\n");
    await until(() => heard.includes("READY=1") && heard.includes("WATCHDOG=1"), "READY and WATCHDOG");
    await croft.stop();
    await until(() => heard.includes("STOPPING=1"), "STOPPING");
  });

  it("serves on a socket that systemd has opened", async (t) => {
    const croft = await startCroft(t, { command: activated(installed("sbin/croftd")), listen: "127.0.0.1:1" });
    assert.notEqual(croft.port, 1);
    (await croft.admin.get("/v1/version")).expect(200);
    const processes = [croft.process, ...croft.descendants()];
    assert.ok(processes.length > 5);
    for (const { pid } of processes) assert.ok(!fs.existsSync(`/proc/${pid}/fd/77`), "what the caller had open");
  });

  it("runs each role as its own user, also on a folder that a build has made", async (t) => {
    const made = await startCroft(t);
    const { id } = await made.admin.makeProject();
    await made.stop();
    const own = path.join(folder, "etc-with-users");
    execFileSync("cp", ["-a", "/etc", own]);
    const croft = await startCroft(t, { command: withUsers(own, installed("sbin/croftd")), data: made.data });
    const ids = userIds(own);
    for (const role of ["gateway", "control", "stream", "audit"]) {
      const [pid] = croft.pids(role);
      const [, ...uids] = fs.readFileSync(`/proc/${pid}/status`, "utf8").match(/^Uid:\t(\d+)\t(\d+)\t(\d+)\t(\d+)$/m);
      assert.deepEqual(new Set(uids.map(Number)), new Set([ids[`croft-${role}`]]), role);
    }
    assert.equal((await croft.admin.shell(id, "echo here")).stdout, "here\n");
    await croft.stop(); // before the folder is removed, which the first one owns
  });
});
