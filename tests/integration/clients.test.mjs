// The client that docs/clients.md shows, as it stands there.

import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { useCroft } from "../lib/croftd.mjs";

const page = fs.readFileSync(fileURLToPath(new URL("../../docs/clients.md", import.meta.url)), "utf8");

describe("the client of the documentation", () => {
  const croft = useCroft();
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "croft-client-"));
  after(() => fs.rmSync(folder, { recursive: true }));
  let client, project;

  before(async () => {
    const file = path.join(folder, "client.mjs");
    fs.writeFileSync(file, page.match(/^```js\n([\s\S]*?)^```$/m)[1]);
    client = await import(pathToFileURL(file));
    project = (await croft.admin.makeProject()).id;
  });

  const start = (type, input) => client.start(croft.url, croft.admin.key, project, type, input);
  const follow = (id, cursor) => client.follow(croft.url, croft.admin.key, id, cursor);

  it("misses nothing and sees nothing twice when the gateway is killed again and again", async () => {
    const { id } = await start("command.run", { shell: "for i in $(seq 1 200); do echo $i; sleep 0.01; done" });
    const events = [];
    for await (const event of follow(id)) {
      events.push(event);
      if (event.type === "chunk" && events.length % 40 === 0) croft.kill("gateway");
    }
    const text = events.filter((event) => event.type === "chunk").map((event) => event.data.text).join("");
    assert.equal(text, Array.from({ length: 200 }, (_, i) => `${i + 1}\n`).join(""));
    assert.equal(events.at(-1).type, "completed");
    assert.equal(new Set(events.map((event) => event.cursor)).size, events.length);
  });

  it("starts an operation once, though control is killed while it asks", async () => {
    croft.kill("control");
    const { id } = await start("command.run", { shell: "echo once >>times; cat times" });
    const events = [];
    for await (const event of follow(id)) events.push(event);
    assert.equal(events.filter((event) => event.type === "chunk").map((event) => event.data.text).join(""), "once\n");
  });

  it("resumes from a cursor", async () => {
    const { id } = await start("command.run", { shell: "echo a; echo b" });
    const all = [];
    for await (const event of follow(id)) all.push(event);
    const rest = [];
    for await (const event of follow(id, all[1].cursor)) rest.push(event);
    assert.deepEqual(rest, all.slice(2));
  });

  it("throws the problem of what will not get better", async () => {
    await assert.rejects(start("fs.nothing", {}), (error) => error.problem.code === "invalid_input" && error.problem.status === 400);
  });
});
