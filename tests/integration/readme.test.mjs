// Runs the tour of the README as a newcomer would, and compares what is answered with what stands there. In the README `…`
// stands for any text, and an identifier for any of its kind.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { build, startCroft } from "../lib/croftd.mjs";

const readme = fs.readFileSync(fileURLToPath(new URL("../../README.md", import.meta.url)), "utf8");
const END = "---end-of-step---";

/** The steps of all console blocks: [{command, output: [line]}]; a command goes on in lines with the prompt `>`. */
function steps(text) {
  const found = [];
  for (const [, block] of text.matchAll(/^```console\n([\s\S]*?)^```$/gm))
    for (const line of block.trimEnd().split("\n")) {
      if (line.startsWith("$ ")) found.push({ command: line.slice(2), output: [] });
      else if (line.startsWith("> ")) found.at(-1).command += `\n${line.slice(2)}`;
      else found.at(-1).output.push(line);
    }
  return found;
}

/** A pattern for what the README says is printed. A line that is only `…` stands for any number of lines. */
function pattern(lines) {
  const source = lines
    .map((line) => `${line}\n`)
    .join("")
    .replace(/[\\^$.*+?()[\]{}|]/g, "\\$&")
    .replace(/\b(ws|prj|op|key)_[0-9a-z]{26}\b/g, "$1_[0-9a-z]{26}")
    .replace(/^…\n/gm, "(?:.*\\n)*")
    .replaceAll("…", ".*");
  return new RegExp(`^${source}$`);
}

/** A shell that runs one command after the other and answers what each prints. */
class Shell {
  constructor(options) {
    this.process = spawn("bash", ["--norc"], { ...options, stdio: ["pipe", "pipe", "inherit"] });
    this.lines = createInterface({ input: this.process.stdout })[Symbol.asyncIterator]();
  }

  async run(command) {
    this.process.stdin.write(`${command}\necho; echo ${END}\n`);
    const printed = [];
    for (;;) {
      const { value, done } = await this.lines.next();
      if (done) throw new Error(`the shell has ended in: ${command}`);
      if (value === END) break;
      printed.push(value);
    }
    printed.pop(); // of the echo before the mark
    return printed.map((line) => `${line}\n`).join("");
  }

  end() {
    this.process.stdin.end();
  }
}

describe("the tour of the README", () => {
  it("does what it says", async (t) => {
    const croft = await startCroft(t);
    const home = fs.mkdtempSync(path.join(os.tmpdir(), "croft-tour-"));
    t.after(() => fs.rmSync(home, { recursive: true }));
    const shell = new Shell({ env: { ...process.env, HOME: home, XDG_CONFIG_HOME: "" }, cwd: home });
    t.after(() => shell.end());
    const here = (text) =>
      text
        .replaceAll("$PWD/build", build)
        .replaceAll("http://127.0.0.1:7480", croft.url)
        .replaceAll("/tmp/croft", croft.data)
        .replaceAll("/tmp/notes", `${home}/notes`);
    const tour = steps(readme);
    assert.ok(tour.length > 15);
    for (const { command, output } of tour) assert.match(await shell.run(here(command)), pattern(output), command);
  });
});
