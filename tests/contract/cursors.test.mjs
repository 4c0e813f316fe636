// Cursors of a future that is not this server's: its data was put back to an earlier day.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { it } from "node:test";
import { startCroft } from "../lib/croftd.mjs";

it("a cursor of the future is refused, and one of the common past goes on", async (t) => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "croft-past-"));
  t.after(() => fs.rmSync(folder, { recursive: true, force: true }));
  const [data, kept] = [path.join(folder, "data"), path.join(folder, "kept")];
  fs.mkdirSync(data);
  const croft = await startCroft(t, { data });
  const { id } = await croft.admin.makeProject();
  const target = `/v1/projects/${id}/events`;
  const run = () => croft.admin.run(id, "command.run", { argv: ["echo", "x"] });
  await run();
  const past = (await croft.admin.allEvents(`${target}?from=start`)).at(-1).cursor;
  await croft.stop();
  execFileSync("cp", ["-a", data, kept]);
  await croft.start();
  await run();
  const future = (await croft.admin.allEvents(`${target}?from=start`)).at(-1).cursor;
  await croft.stop();
  fs.rmSync(data, { recursive: true });
  execFileSync("mv", [kept, data]);
  await croft.start();

  const read = (cursor, headers = { accept: "application/json" }) => croft.admin.get(`${target}?waitMs=0&cursor=${encodeURIComponent(cursor)}`, { headers });
  (await read(future)).problem(400, "invalid_cursor");
  await assert.rejects(async () => {
    for await (const event of croft.admin.events(target, { cursor: future })) assert.fail(`an event came: ${JSON.stringify(event)}`);
  }, /400.*invalid_cursor/);
  assert.deepEqual((await read(past)).expect(200).items, []);
  await run();
  assert.deepEqual((await read(past)).expect(200).items.map((event) => event.type), ["queued", "started", "chunk", "completed"]);
});
