// 1 GiB of output with one reader that stops reading, one that dies and one that reads everything: the last gets every byte, in order,
// and no role holds more of it than it is allowed to.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { before, describe, it } from "node:test";
import { chunkBytes } from "../lib/client.mjs";
import { SseParser } from "../lib/sse.mjs";
import { useCroft } from "../lib/croftd.mjs";

const LINE = 256; // with its end
const LINES = (1 << 30) / LINE;
const BLOCK_LINES = 1 << 12;
const READ_BEFORE_LEAVING = 8 << 20;
const ROLE_MEMORY = 64 << 20;

const line = (number) => `${String(number).padStart(LINE - 1, "0")}\n`;
// Each line is its number, so that one that is lost, doubled or moved changes the digest.
const script = `awk 'BEGIN { for (i = 0; i < ${LINES}; i++) printf "%0${LINE - 1}d\\n", i }'`;

function expectedDigest() {
  const hash = createHash("sha256");
  for (let first = 0; first < LINES; first += BLOCK_LINES)
    hash.update(Array.from({ length: BLOCK_LINES }, (_, i) => line(first + i)).join(""));
  return hash.digest("hex");
}

describe("1 GiB of output", () => {
  const croft = useCroft({ settings: { "rate.key": "0", "rate.workspace": "0" } });
  let operation, stalled, dead, expected;

  before(async () => {
    expected = expectedDigest();
    const project = (await croft.admin.makeProject()).id;
    operation = (await croft.admin.operate(project, "command.run", { shell: script })).expect(202).id;
  });

  const open = () => croft.client(croft.admin.key).open("GET", `/v1/operations/${operation}/events`, { headers: { accept: "text/event-stream" } });

  it("has a reader that stops reading", async () => {
    stalled = await open();
    await once(stalled, "readable");
    assert.ok(stalled.read(1));
    stalled.on("error", () => {}); // the server may close it; that is its right
  });

  it("has a reader that dies", async () => {
    dead = await open();
    let seen = 0;
    for await (const chunk of dead) {
      seen += chunk.length;
      if (seen > READ_BEFORE_LEAVING) break;
    }
    dead.socket.resetAndDestroy();
    assert.ok(seen > READ_BEFORE_LEAVING);
  });

  it("has a reader that gets every byte, in order", async () => {
    const response = await open();
    const parser = new SseParser();
    const digest = createHash("sha256");
    let size = 0, last;
    for await (const piece of response)
      for (const message of parser.push(piece)) {
        if (!message.data) continue;
        last = JSON.parse(message.data);
        if (last.type !== "chunk") continue;
        const bytes = chunkBytes(last);
        size += bytes.length;
        digest.update(bytes);
      }
    assert.equal(last.type, "completed");
    assert.equal(last.data.result.exitCode, 0);
    assert.equal(size, LINES * LINE);
    assert.equal(digest.digest("hex"), expected);
  });

  it("never takes more memory than a role may have", () => {
    croft.assertMemory(ROLE_MEMORY);
    stalled.destroy();
  });
});
