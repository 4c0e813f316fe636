// The manual pages: nothing is missing in them, and they are well formed.

import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { build } from "../lib/croftd.mjs";

const source = fileURLToPath(new URL("../../src", import.meta.url));
const read = (name) => fs.readFileSync(path.join(source, name), "utf8");
const page = (name) => path.join(build, "docs", name);
const shown = (name) => execFileSync("mandoc", ["-T", "utf8", "-O", "width=300", page(name)]).toString().replace(/.\x08/gu, "");

/** The long options that a C source gives to getopt. */
function options(text) {
  return [...text.matchAll(/\{"([\w-]+)",\s*(?:no|required|optional)_argument/g)].map((match) => `--${match[1]}`);
}

function assertAll(wanted, text) {
  assert.ok(wanted.length > 0);
  assert.deepEqual(wanted.filter((word) => !text.includes(word)), []);
}

describe("the manual", () => {
  for (const name of ["croft.1", "croft.conf.5", "croftd.8"])
    it(`is well formed: ${name}`, () => {
      const lint = spawnSync("mandoc", ["-T", "lint", "-W", "warning", page(name)]);
      assert.equal(lint.stdout.toString() + lint.stderr.toString(), "");
      assert.doesNotMatch(shown(name), /@\w+@/);
    });

  it("has every command of croft with every option", () => {
    const text = shown("croft.1");
    for (const file of fs.readdirSync(path.join(source, "cli")).filter((name) => name.startsWith("cmd_"))) {
      const command = file.slice(4, -2);
      const begin = text.indexOf(`\n   ${command}\n`);
      assert.ok(begin >= 0, `croft ${command} is missing`);
      const end = text.slice(begin + 1).search(/\n {0,3}\w/);
      const rest = end < 0 ? "" : text.slice(begin + 1 + end + 1);
      const section = text.slice(begin, text.length - rest.length);
      assert.ok(section.includes(`croft ${command}`));
      const wanted = options(read(`cli/${file}`));
      if (command === "audit") wanted.push(...options(read("cli/audit_verify.c")));
      assert.deepEqual(wanted.filter((option) => !section.includes(option)), [], `of croft ${command}`);
    }
    assertAll(options(read("cli/main.c")), text);
  });

  it("has every option of croftd", () => {
    assertAll(options(read("proc/supervisor/options.c")), shown("croftd.8"));
  });

  it("has every setting", () => {
    const text = shown("croft.conf.5").match(/^ {5}\S+/gm).join("\n");
    const names = [...read("proto/settings.c").matchAll(/\{"([a-z._]+)",\s*SETTING_(\w+)/g)];
    assertAll(names.filter((match) => match[2] !== "MADE").map((match) => `     ${match[1]}`), text);
  });
});
