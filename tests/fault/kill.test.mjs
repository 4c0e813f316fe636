// kill -9 of each role, and of all at once, at each step of an operation. What was acknowledged must be there, once.
// CROFT_FAULT_ROUNDS=1000 for a long run.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { describe, it } from "node:test";
import { build, until, useCroft } from "../lib/croftd.mjs";
import { chunkBytes } from "../lib/client.mjs";
import { follow, insist } from "../lib/retry.mjs";

const ROUNDS = Number(process.env.CROFT_FAULT_ROUNDS ?? 100);
const ROLES = ["gateway", "control", "stream", "audit", "worker", "agent", "everything"];
const LOSES_INSTANCES = new Set(["worker", "agent", "everything"]);
const STEPS = ["sending", "accepted", "queued", "started", "chunk", "ending", "answering"];
const LINES = 3000;

// It notes that it ran, writes the first half of its lines, and the second when the round's step has been reached or soon.
const script = (id) => `echo ${id} >>ran; seq 1 ${LINES / 2}; sleep 0.02; seq ${LINES / 2 + 1} ${LINES}`;
const expectedOutput = Array.from({ length: LINES }, (_, i) => `${i + 1}\n`).join("");

describe(`kill -9, ${ROUNDS} rounds`, () => {
  const croft = useCroft({ settings: { "restart.stable": "0s", "rate.key": "0", "rate.workspace": "0" } });
  const acknowledged = { operations: [], files: new Map(), messages: [] };
  const connect = () => croft.admin;
  let project;

  // Before the first command after a loss there is no instance, and nothing to kill.
  function pidsOf(role) {
    if (role !== "agent") return croft.pids(role);
    return croft.descendants().filter((p) => p.name === "croft-agent").map((p) => p.pid);
  }

  async function strike(role) {
    if (role !== "everything") return pidsOf(role).forEach((pid) => process.kill(pid, "SIGKILL"));
    await croft.crash();
    await croft.start();
  }

  /** One command, followed to its end; `reached` is told each step. */
  async function runCommand(round, reached) {
    const key = randomUUID();
    const id = `run-${round}-${key.slice(0, 8)}`;
    const send = () => connect().operate(project, "command.run", { shell: script(id) }, { key });
    reached("sending");
    const operation = (await insist(send)).expect(202);
    reached("accepted");
    const seen = [];
    await follow(connect, `/v1/operations/${operation.id}/events`, (event) => {
      seen.push(event);
      if (event.type === "chunk" && chunkBytes(event).toString().includes(`${LINES / 2 + 1}\n`)) reached("ending");
      reached(event.type);
      return event.type === "completed" || event.type === "failed";
    });
    reached("answering");
    assert.equal((await insist(send)).expect(202).id, operation.id, "the key's second use is another operation");
    acknowledged.operations.push({ id: operation.id, mark: id, seen });
    return { id, seen };
  }

  async function writeFile(round) {
    const name = `file-${round}`;
    const content = `${round} ${randomUUID()}\n`.repeat(500);
    let key = randomUUID();
    const answer = await insist(async () => {
      const attempt = await connect().put(`/v1/projects/${project}/files/${name}`, { body: content, headers: { "idempotency-key": key, "content-type": "application/octet-stream" } });
      if (attempt.status === 503 && JSON.parse(attempt.text).code === "worker_lost") key = randomUUID(); // that operation has ended: its key answers so for ever
      return attempt;
    });
    assert.ok([200, 201, 204].includes(answer.status), answer.text);
    acknowledged.files.set(name, content);
  }

  async function publish(round) {
    const key = randomUUID();
    const answer = await insist(() =>
      connect().post(`/v1/projects/${project}/streams/chat`, { json: { data: { round } }, headers: { "idempotency-key": key } }));
    assert.ok(answer.status < 300, answer.text);
    acknowledged.messages.push(round);
  }

  function checkHistory(events, killed) {
    const types = events.map((event) => event.type);
    assert.deepEqual(types.filter((type) => type === "queued").length, 1, `queued: ${types}`);
    assert.ok(types.filter((type) => type === "started").length <= 1, `started: ${types}`);
    const ends = types.filter((type) => type === "completed" || type === "failed");
    assert.equal(ends.length, 1, `terminal events: ${types}`);
    assert.equal(types.at(-1), ends[0]);
    const output = Buffer.concat(events.filter((event) => event.type === "chunk").map(chunkBytes)).toString();
    const end = events.at(-1);
    if (end.type === "completed") {
      assert.equal(end.data.result.exitCode, 0);
      assert.ok(output === expectedOutput, `the output has ${output.length} instead of ${expectedOutput.length} bytes`);
    } else {
      assert.ok(LOSES_INSTANCES.has(killed), `killing the ${killed} ended it: ${JSON.stringify(end.data)}`);
      assert.equal(end.data.error.code, "worker_lost");
      assert.ok(expectedOutput.startsWith(output), "what was kept is not the beginning of the output");
    }
  }

  it("has a project", async () => {
    project = (await connect().makeProject()).id;
  });

  // A reader of the whole project's events over all rounds; what it saw is compared with the log in the end.
  const heard = [];
  const leaving = new AbortController();
  let listening;
  it("has a reader", async () => {
    let first;
    const begun = new Promise((resolve) => (first = resolve));
    listening = follow(connect, `/v1/projects/${project}/events?from=start`, (event) => {
      heard.push(event);
      first();
    }, { signal: leaving.signal });
    await connect().run(project, "command.run", { shell: "true" });
    await begun;
  });

  let before;
  it("has processes and descriptors to count", async () => {
    await until(() => croft.descendants().some((process) => process.name === "croft-place"), "the instance that is made ahead");
    before = { processes: croft.descendants().length, descriptors: fs.readdirSync(`/proc/${croft.process.pid}/fd`).length };
  });

  for (let round = 0; round < ROUNDS; round++) {
    const role = ROLES[round % ROLES.length];
    const step = STEPS[Math.floor(round / ROLES.length) % STEPS.length];
    it(`round ${round + 1}: ${role}, ${step}`, async () => {
      let struck;
      const reached = (where) => {
        if (where === step) struck ??= strike(role);
      };
      const ended = await Promise.all([runCommand(round, reached), runCommand(round, () => {}), writeFile(round), publish(round)]);
      assert.ok(struck, "the step was never reached");
      await struck;
      for (const { seen } of ended.slice(0, 2)) checkHistory(seen, role);
      await until(async () => (await croft.admin.get("/readyz").catch(() => ({}))).status === 200, "Croft to be ready");
    });
  }

  it("runs nothing twice", async () => {
    const ran = (await insist(() => connect().get(`/v1/projects/${project}/files/ran`))).text.trim().split("\n");
    assert.equal(new Set(ran).size, ran.length, "a command ran twice");
    for (const { mark, seen } of acknowledged.operations)
      if (seen.at(-1).type === "completed") assert.ok(ran.includes(mark), `${mark} is completed and has left no trace`);
  });

  it("keeps every file that it acknowledged", async () => {
    for (const [name, content] of acknowledged.files)
      assert.ok((await connect().get(`/v1/projects/${project}/files/${name}`)).text === content, `${name} differs`);
  });

  it("keeps every message that it acknowledged, once and in order", async () => {
    const events = await connect().allEvents(`/v1/projects/${project}/streams/chat/events?from=start`);
    assert.deepEqual(events.map((event) => event.data.data.round), acknowledged.messages);
  });

  it("lets a reader over all breaks see each event once and in order", async () => {
    const kept = await connect().allEvents(`/v1/projects/${project}/events?from=start`);
    await until(() => heard.length >= kept.length, "the reader to hear all");
    leaving.abort();
    await listening;
    assert.deepEqual(heard.map((event) => event.cursor), kept.map((event) => event.cursor));
  });

  it("loses no process and no descriptor", async () => {
    await until(() => croft.descendants().length <= before.processes, "the processes to be as many as before");
    const descriptors = fs.readdirSync(`/proc/${croft.process.pid}/fd`).length;
    assert.ok(descriptors <= before.descriptors, `croftd has ${descriptors} descriptors instead of ${before.descriptors}`);
  });

  it("has an audit log that is whole, with an entry for each operation", async () => {
    await croft.stop();
    const audit = path.join(croft.data, "audit");
    const verdict = execFileSync(path.join(build, "croft"), ["audit", "verify", audit], { encoding: "utf8" });
    assert.match(verdict, /^sound/);
    await croft.start();
    const workspace = (await connect().get("/v1/workspaces")).expect(200).items[0].id;
    const audited = new Set();
    for (let cursor = ""; cursor !== null; ) {
      const page = (await connect().get(`/v1/workspaces/${workspace}/audit?limit=1000${cursor && `&cursor=${cursor}`}`)).expect(200);
      for (const entry of page.items) if (entry.decision.allow) audited.add(entry.scope.operation);
      cursor = page.nextCursor;
    }
    for (const { id } of acknowledged.operations) assert.ok(audited.has(id), `${id} is not in the audit log`);
  });

  it("has every operation as it was, after a restart", async () => {
    for (const { id, seen } of acknowledged.operations) {
      const operation = (await connect().get(`/v1/operations/${id}`)).expect(200);
      assert.equal(operation.state, seen.at(-1).type);
      const kept = await connect().allEvents(`/v1/operations/${id}/events`);
      assert.deepEqual(kept.map((event) => event.cursor), seen.map((event) => event.cursor));
    }
  });
});
