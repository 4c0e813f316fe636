// What a credential has opened ends with the credential: at once, not with the next request.

import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { until, useCroft } from "../lib/croftd.mjs";

describe("an open event stream", () => {
  const croft = useCroft();
  let api, workspace, project;

  before(async () => {
    api = croft.admin;
    ({ workspace, id: project } = await api.makeProject());
  });

  const makeKey = async (fields) => (await api.post(`/v1/workspaces/${workspace.id}/keys`, { json: { name: "phone", role: "developer", ...fields } })).expect(201);

  /** Reads the project's events with the key; resolves when the server ends the stream. */
  async function listen(key) {
    const client = croft.client(key.secret);
    const response = await client.open("GET", `/v1/projects/${project}/events`, { headers: { accept: "text/event-stream" } });
    assert.equal(response.statusCode, 200);
    let text = "";
    response.on("data", (bytes) => (text += bytes)).on("error", () => {});
    const ended = new Promise((resolve) => response.on("close", resolve));
    await api.run(project, "command.run", { argv: ["true"] });
    await until(() => text.includes("event: completed"), "the stream to flow");
    return { ended, client };
  }

  it("ends when its key is revoked", async () => {
    const key = await makeKey();
    const { ended, client } = await listen(key);
    assert.equal((await api.delete(`/v1/workspaces/${workspace.id}/keys/${key.id}`)).status, 204);
    await ended;
    (await client.get(`/v1/projects/${project}`)).problem(401);
    client.close();
  });

  it("ends when its key expires", async () => {
    const key = await makeKey({ expiresAt: new Date(Date.now() + 1500).toISOString() });
    const { ended, client } = await listen(key);
    await ended;
    (await client.get(`/v1/projects/${project}`)).problem(401);
    client.close();
  });

  it("ends when its project is deleted", async () => {
    const other = (await api.post(`/v1/workspaces/${workspace.id}/projects`, { json: { name: "gone" } })).expect(201);
    const response = await api.open("GET", `/v1/projects/${other.id}/events`, { headers: { accept: "text/event-stream" } });
    const ended = new Promise((resolve) => response.on("close", resolve));
    response.resume().on("error", () => {});
    assert.equal((await api.delete(`/v1/projects/${other.id}`)).status, 204);
    await ended;
  });
});
