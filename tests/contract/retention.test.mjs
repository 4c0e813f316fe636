// Events past their retention: a reader is told where the log begins now, and never moved there silently.

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { until, useCroft } from "../lib/croftd.mjs";

describe("events past their retention", () => {
  const croft = useCroft({ settings: { "stream.segment_bytes": "1M", "stream.retention_bytes": "4M" } });

  it("are answered 410 with the oldest cursor, from which reading goes on", async () => {
    const api = croft.admin;
    const { id: project } = await api.makeProject();
    const early = await api.run(project, "command.run", { argv: ["echo", "early"] });
    const target = `/v1/operations/${early.id}/events`;
    const [{ cursor }] = await api.allEvents(target);
    const late = await api.run(project, "command.run", { shell: "seq 3000000" });
    const json = { headers: { accept: "application/json" } };

    const gone = await until(async () => {
      const answer = await api.get(`/v1/projects/${project}/events?cursor=${cursor}`, json);
      return answer.status !== 200 && answer;
    }, "the oldest segments to go");
    const problem = gone.problem(410, "cursor_expired");
    assert.equal(problem.archiveUrl, null);
    const page = (await api.get(`/v1/projects/${project}/events?cursor=${problem.oldestCursor}`, json)).expect(200);
    assert.equal(page.items[0].operation, late.id);

    assert.equal((await api.get(`/v1/operations/${early.id}`)).expect(200).state, "completed");
    const kept = await api.allEvents(`/v1/projects/${project}/events?from=start`);
    assert.equal(kept.at(-1).type, "completed");
  });
});
