// Starts a real croftd on a free port and a fresh data folder, and stops it with its processes accounted for.
//
//   describe("a suite", () => {
//     const croft = useCroft({ settings: { "instance.idle": "1s" } });   // one for all tests of the suite
//     it("works", async () => croft.admin.post("/v1/workspaces", { json: { name: "acme" } }));
//   });
//
//   it("alone", async (t) => { const croft = await startCroft(t); ... });  // one for this test
//
// The daemon is stopped, its exit status checked and its folder removed when the suite or the test ends.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, before } from "node:test";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { Client } from "./client.mjs";
import { Contract } from "./contract.mjs";

export const build = process.env.CROFT_BUILD ?? fileURLToPath(new URL("../../build", import.meta.url));

const isSanitized = fs.readFileSync(path.join(build, "croftd")).includes("__asan_init");

const START_MS = 60_000;
const STOP_MS = 60_000;

// Instances of daemons that run side by side must not share user ids; a daemon uses less than 2^22 of them.
const UID_RANGES = 200;
const UID_RANGE = 1 << 22;
let daemonsStarted = 0;

function uidBase() {
  const slot = (process.pid * 7 + daemonsStarted++) % UID_RANGES;
  return String((1 << 30) + slot * UID_RANGE);
}

/** A daemon for the suite whose body calls this: started before its tests, stopped after them. */
export function useCroft(options = {}) {
  const croft = new Croft(options);
  before(() => croft.start());
  after(() => croft.end());
  return croft;
}

/** A daemon for the test `t`. */
export async function startCroft(t, options = {}) {
  const croft = new Croft(options);
  t.after(() => croft.end());
  await croft.start();
  return croft;
}

export class Croft {
  /**
   * `data` reuses a folder, which then is the caller's to remove; `settings` go to the configuration file; `command` is
   * what is executed: another croftd than the build's, or one with something in front that becomes it.
   */
  constructor({ settings = {}, data, listen = "127.0.0.1:0", args = [], env = {}, command = [path.join(build, "croftd")] } = {}) {
    this.owned = data === undefined;
    this.data = data ?? fs.mkdtempSync(path.join(os.tmpdir(), "croft-test-"));
    this.config = path.join(os.tmpdir(), `${path.basename(this.data)}.conf`);
    this.settings = { "instance.uid_base": uidBase(), "stop.grace": "5s", ...settings };
    this.listen = listen;
    this.args = args;
    this.env = env;
    this.command = command;
  }

  async start() {
    fs.writeFileSync(this.config, Object.entries(this.settings).map(([name, value]) => `${name} = ${value}\n`).join(""));
    this.log = "";
    const argv = [...this.command.slice(1), "--data", this.data, "--listen", this.listen, "--config", this.config, ...this.args];
    const env = { ...process.env, ...this.env };
    this.process = spawn(this.command[0], argv, { stdio: ["ignore", "pipe", "pipe"], env });
    this.process.stderr.setEncoding("utf8").on("data", (text) => (this.log += text));
    this.exited = once(this.process, "exit");
    this.url = await this.#ready();
    this.port = Number(new URL(this.url).port);
    this.listen = `127.0.0.1:${this.port}`;
    if (this.url.startsWith("http:")) this.contract = new Contract((await new Client(this.url).get("/v1/openapi.json")).expect(200));
    this.admin = this.client(fs.readFileSync(path.join(this.data, "admin.key"), "utf8").trim());
  }

  #ready() {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.process.kill("SIGKILL");
        reject(new Error(`croftd was not ready in time:\n${this.log}`));
      }, START_MS);
      this.exited.then(([code, signal]) => {
        clearTimeout(timer);
        reject(new Error(`croftd ended with ${signal ?? code} before it was ready:\n${this.log}`));
      });
      createInterface({ input: this.process.stdout }).on("line", (line) => {
        const match = /^croft: ready on (\S+)/.exec(line);
        if (!match) return;
        clearTimeout(timer);
        resolve(match[1]);
      });
    });
  }

  get running() {
    return this.process !== undefined && this.process.exitCode === null && this.process.signalCode === null;
  }

  client(key) {
    return new Client(this.url, key, this.contract);
  }

  /** Starts again on the same folder and port. */
  async restart() {
    if (this.running) await this.stop();
    await this.start();
  }

  /** Stops, if it runs, and removes what was made for it. */
  async end() {
    try {
      if (this.running) await this.stop();
    } finally {
      fs.rmSync(this.config, { force: true });
      if (this.owned) fs.rmSync(this.data, { recursive: true, force: true });
    }
  }

  /** The processes of a role ("gateway", "control", ...), by their parent and name. */
  pids(role) {
    return descendants(this.process.pid)
      .filter((p) => p.name === `croft-${role}` && p.parent === this.process.pid)
      .map((p) => p.pid);
  }

  /** The most memory that a process has had, in bytes. */
  memoryPeak(pid) {
    return Number(/VmHWM:\s+(\d+) kB/.exec(fs.readFileSync(`/proc/${pid}/status`, "utf8"))[1]) << 10;
  }

  /** Asserts that no role has ever had more memory than this. A sanitizer keeps what was freed: not under one. */
  assertMemory(limit) {
    if (isSanitized) return;
    for (const role of ["gateway", "control", "worker", "stream", "audit"])
      for (const pid of this.pids(role)) assert.ok(this.memoryPeak(pid) < limit, `${role} has taken ${this.memoryPeak(pid)} bytes`);
  }

  descendants() {
    return descendants(this.process.pid);
  }

  kill(role, signal = "SIGKILL") {
    for (const pid of this.pids(role)) process.kill(pid, signal);
  }

  /** SIGTERM; the exit status must be 0 and nothing of the daemon may be left. */
  async stop() {
    const before = this.descendants();
    this.process.kill("SIGTERM");
    const timer = setTimeout(() => this.process.kill("SIGKILL"), STOP_MS);
    const [code, signal] = await this.exited;
    clearTimeout(timer);
    assert.equal(signal ?? code, 0, `croftd ended with ${signal ?? code}:\n${this.log.slice(-4000)}`);
    // What was killed may take a moment to be gone.
    await until(() => before.every((p) => !sameProcess(p)), `${JSON.stringify(before.filter(sameProcess))} to be gone after the stop`, 5000);
    assert.doesNotMatch(this.log, /ended by signal (SIG)?(SYS|SEGV|ABRT|31|11|6)\b/, "a role has crashed");
    assert.doesNotMatch(this.log, /AddressSanitizer|LeakSanitizer|runtime error:/, "a sanitizer has complained");
    this.admin?.close();
  }

  /** kill -9 of the daemon as a whole, as a power failure would; its roles die with it. */
  async crash() {
    const before = this.descendants();
    this.process.kill("SIGKILL");
    await this.exited;
    await until(() => before.every((p) => !sameProcess(p)), "the roles to end with their daemon");
    this.admin?.close();
  }
}

function readProcess(pid) {
  try {
    const stat = fs.readFileSync(`/proc/${pid}/stat`, "utf8");
    const end = stat.lastIndexOf(")");
    const fields = stat.slice(end + 2).split(" ");
    return { pid: Number(pid), name: stat.slice(stat.indexOf("(") + 1, end), state: fields[0], parent: Number(fields[1]), startTime: fields[19] };
  } catch {
    return null; // it has ended meanwhile
  }
}

function sameProcess(before) {
  const now = readProcess(before.pid);
  return now !== null && now.startTime === before.startTime && now.state !== "Z";
}

function descendants(root) {
  const all = fs.readdirSync("/proc").filter((name) => /^\d+$/.test(name)).map(readProcess).filter(Boolean);
  const found = [];
  const parents = new Set([root]);
  for (let grown = true; grown; ) {
    grown = false;
    for (const p of all)
      if (parents.has(p.parent) && !parents.has(p.pid)) {
        parents.add(p.pid);
        found.push(p);
        grown = true;
      }
  }
  return found;
}

/** Asks `condition` again and again until it is true; what it waits for is in the error. */
export async function until(condition, what, timeoutMs = 30_000) {
  const end = Date.now() + timeoutMs;
  for (;;) {
    const value = await condition();
    if (value) return value;
    if (Date.now() > end) throw new Error(`waited in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
