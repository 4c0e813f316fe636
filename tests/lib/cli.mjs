// Runs build/croft as a person or a script would: with its own configuration folder, and nothing of the caller's environment.

import { spawn } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after } from "node:test";
import { build } from "./croftd.mjs";

export const croftProgram = path.join(build, "croft");

/** A home folder for the suite whose body calls this, and croft in it. */
export function useCli(croft) {
  const home = fs.mkdtempSync(path.join(os.tmpdir(), "croft-home-"));
  after(() => fs.rmSync(home, { recursive: true, force: true }));
  return new Cli(croft, home);
}

export class Cli {
  constructor(croft, home) {
    this.croft = croft;
    this.home = home;
  }

  environment(extra = {}) {
    return { PATH: process.env.PATH, HOME: this.home, TMPDIR: this.home, CROFT_URL: this.croft.url, CROFT_API_KEY: this.croft.admin?.key, ...extra };
  }

  /** Starts croft; `child.result` is {status, signal, stdout, stderr} once it has ended. */
  start(args, { input, env, program = croftProgram } = {}) {
    const child = spawn(program, args, { cwd: this.home, env: this.environment(env), stdio: ["pipe", "pipe", "pipe"] });
    const pieces = { stdout: [], stderr: [] };
    for (const name of ["stdout", "stderr"]) child[name].on("data", (chunk) => pieces[name].push(chunk));
    child.stdin.on("error", () => {}); // it may end without reading
    if (input !== null) child.stdin.end(input);
    child.result = once(child, "close").then(([status, signal]) => ({
      status,
      signal,
      bytes: Buffer.concat(pieces.stdout),
      stdout: Buffer.concat(pieces.stdout).toString(),
      stderr: Buffer.concat(pieces.stderr).toString(),
    }));
    return child;
  }

  run(args, options) {
    return this.start(args, options).result;
  }

  /** Runs croft, whose exit status must be 0, and answers its output. */
  async ok(...args) {
    const result = await this.run(args);
    if (result.status !== 0) throw new Error(`croft ${args.join(" ")}: ${result.signal ?? result.status}: ${result.stderr}`);
    return result.stdout;
  }

  async json(...args) {
    return JSON.parse(await this.ok("--json", ...args));
  }
}
