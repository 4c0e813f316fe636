// The documents name what there is.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { build, useCroft, until } from "../lib/croftd.mjs";

const root = fileURLToPath(new URL("../..", import.meta.url));
const list = (folder) => fs.readdirSync(path.join(root, folder)).map((name) => path.join(folder, name));
const rooms = list("src/proc").filter((name) => fs.statSync(path.join(root, name)).isDirectory());
const pages = [".", "docs", "docs/decisions", ...rooms].flatMap(list).filter((name) => name.endsWith(".md"));
const read = (page) => fs.readFileSync(path.join(root, page), "utf8");

/** What a page links to, and the paths of the source tree that it names in backticks. */
function named(page) {
  const text = read(page);
  const links = [...text.matchAll(/\]\(([^)#:]+)\)/g)].map((match) => path.join(path.dirname(page), match[1]));
  const paths = [...text.matchAll(/`((?:src|tests|docs|api|bench|packaging|tools)\/[\w./-]*\w\/?)`/g)].map((match) => match[1]);
  return [...links, ...paths];
}

describe("the documents", () => {
  const croft = useCroft();

  it("link to and name files that exist", () => {
    const wrong = pages.flatMap((page) =>
      named(page).filter((name) => !fs.existsSync(path.join(root, name))).map((name) => `${page}: ${name}`));
    assert.deepEqual(wrong, []);
  });

  it("name tests that exist, where the threat model says what shows it", () => {
    const tests = JSON.parse(execFileSync("meson", ["introspect", build, "--tests"])).map((test) => test.name);
    const fuzzers = execFileSync("find", [path.join(root, "src"), "-name", "fuzz_*.c"]).toString().match(/fuzz_\w+/g);
    const rows = read("SECURITY.md").match(/^(\|[^|\n]*){4}\|$/gm).slice(2);
    assert.ok(rows.length > 10);
    for (const row of rows) {
      const shown = [...row.split("|")[4].matchAll(/`([\w-]+)`/g)].map((match) => match[1]);
      assert.ok(shown.length > 0, row);
      assert.deepEqual(shown.filter((name) => !tests.includes(name) && !fuzzers.includes(name)), []);
    }
  });

  it("have every decision in their index", () => {
    const index = read("docs/decisions/README.md");
    const missing = fs.readdirSync(path.join(root, "docs/decisions")).filter((name) => name !== "README.md" && !index.includes(`(${name})`));
    assert.deepEqual(missing, []);
  });

  it("explain every metric, and no other", async () => {
    const text = await until(async () => {
      const { text } = await croft.admin.get("/metrics");
      return text.includes("croft_stream_") && text.includes("croft_control_") && text;
    }, "the figures of every role");
    const family = (name) => name.replace(/_(bucket|sum|count)$/, "");
    const served = new Set(text.match(/^croft_\w+/gm).map(family));
    const explained = new Set([...read("docs/operations.md").matchAll(/`(croft_\w+)`/g)].map((match) => match[1]));
    assert.deepEqual([...served].filter((name) => !explained.has(name)), [], "not explained");
    assert.deepEqual([...explained].filter((name) => !served.has(name)), [], "not served");
  });
});
