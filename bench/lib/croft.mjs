// Croft as it is delivered: default settings but for the rate limits, durable, audited, its folder on the disk that the build is on.

import { randomUUID } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { Croft, build } from "../../tests/lib/croftd.mjs";
import { Wire } from "./wire.mjs";

export async function startCroft() {
  const data = fs.mkdtempSync(path.join(build, "bench", "croft-"));
  const croft = new Croft({ data, settings: { "rate.key": "0", "rate.workspace": "0", "instance.limit": "256", "instance.idle": "1h" } });
  await croft.start();
  croft.workspace = (await croft.admin.post("/v1/workspaces", { json: { name: "bench" } })).expect(201).id;
  croft.headers = { Authorization: `Bearer ${croft.admin.key}`, "Content-Type": "application/json" };
  return croft;
}

export async function stopCroft(croft) {
  await croft.end();
  fs.rmSync(croft.data, { recursive: true, force: true });
}

let projects = 0;

export async function makeProject(croft, wire) {
  const answer = await wire.request("POST", `/v1/workspaces/${croft.workspace}/projects`, croft.headers, `{"name":"bench-${process.pid}-${projects++}"}`);
  if (answer.status !== 201) throw new Error(`project: ${answer.status} ${answer.body}`);
  return JSON.parse(answer.body).id;
}

/** A project whose instance runs. */
export async function makeRunningProject(croft) {
  const wire = await Wire.open(croft.url);
  const project = await makeProject(croft, wire);
  await runCommand(croft, wire, project, ["true"]);
  wire.close();
  return project;
}

const keyed = (headers, more) => ({ ...headers, ...more, "Idempotency-Key": randomUUID() });

/** A command to its end, in one request. */
export async function runCommand(croft, wire, project, argv) {
  const body = JSON.stringify({ type: "command.run", input: { argv } });
  const answer = await wire.request("POST", `/v1/projects/${project}/operations`, keyed(croft.headers, { Prefer: "wait=60" }), body);
  if (answer.status !== 200) throw new Error(`command: ${answer.status} ${answer.body}`);
}

/** A command under way: the operation's identifier. */
export async function startCommand(croft, wire, project, argv) {
  const body = JSON.stringify({ type: "command.run", input: { argv } });
  const answer = await wire.request("POST", `/v1/projects/${project}/operations`, keyed(croft.headers), body);
  if (answer.status !== 202) throw new Error(`command: ${answer.status} ${answer.body}`);
  return JSON.parse(answer.body).id;
}

export const sse = (croft) => ({ Authorization: croft.headers.Authorization, Accept: "text/event-stream" });
