// A client that loses its connection, comes back and misses nothing.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { before, describe, it } from "node:test";
import { useCroft, until } from "../lib/croftd.mjs";
import { chunkBytes } from "../lib/client.mjs";

const LINES = 2_000_000;

/** Reads on from `cursor` until `enough` says so; answers the last cursor and whether the end was seen. */
async function readSome(api, target, cursor, hash, enough) {
  for await (const event of api.events(target, { cursor })) {
    cursor = event.cursor;
    if (event.type === "chunk") hash.update(chunkBytes(event));
    if (event.type === "completed" || event.type === "failed") return { cursor, end: event };
    if (enough(event)) return { cursor };
  }
  return { cursor };
}

describe("a reader that comes back", () => {
  const croft = useCroft();
  let api, project;

  before(async () => {
    api = croft.admin;
    project = (await api.makeProject()).id;
  });

  const expected = () => {
    const hash = createHash("sha256");
    for (let i = 1; i <= LINES; i++) hash.update(`${i}\n`);
    return hash.digest("hex");
  };

  for (const role of [null, "gateway", "stream", "control"])
    it(role ? `misses nothing when the ${role} is killed` : "misses nothing when only its connection is cut", async () => {
      const operation = (await api.operate(project, "command.run", { argv: ["seq", String(LINES)] })).expect(202);
      const target = `/v1/operations/${operation.id}/events`;
      const hash = createHash("sha256");
      let chunks = 0;
      let at = await readSome(api, target, undefined, hash, (event) => event.type === "chunk" && ++chunks === 3);
      if (role) croft.kill(role);
      while (!at.end)
        at = await readSome(api, target, at.cursor, hash, (event) => event.type === "chunk" && ++chunks % 50 === 0).catch(async (error) => {
          await until(async () => (await api.get("/readyz").catch(() => ({}))).status === 200, `Croft to be ready after ${error.message}`);
          return at;
        });
      assert.equal(at.end.type, "completed", JSON.stringify(at.end));
      assert.equal(hash.digest("hex"), expected());
    });

  it("finds its events after a restart of everything", async () => {
    const done = await api.shell(project, "seq 1000");
    const target = `/v1/operations/${done.operation.id}/events`;
    const first = await api.allEvents(target);
    await croft.restart();
    api = croft.admin;
    assert.deepEqual(await api.allEvents(target), first);
    assert.deepEqual(await api.allEvents(target, first[1].cursor), first.slice(2));
  });
});
