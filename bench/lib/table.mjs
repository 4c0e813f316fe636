// Rows of the result: of what is measured in the same run, ours beside a peer's.

import { median, quantile } from "./measure.mjs";

/** A goal for the ratio ours / peer: {atMost} or {atLeast}; {} reports. */
export function row(workload, unit, ours, peerName, peers, goal = {}) {
  const mine = median(ours);
  const theirs = peers ? median(peers) : null;
  const ratio = theirs === null ? null : mine / theirs;
  return { workload, ours: mine, peer: theirs, peerName, unit, ratio, ...judged(ratio, goal), p95: quantile(ours, unit.endsWith("/s") ? 0.05 : 0.95), runs: ours.length };
}

/** A row with a limit on our own figure, where there is no peer. */
export function limitRow(workload, unit, ours, limit) {
  return { workload, ours: median(ours), peer: limit, peerName: "the limit", unit, ratio: median(ours) / limit, ...judged(median(ours) / limit, { atMost: 1 }), p95: quantile(ours, 0.95), runs: ours.length };
}

/** A row for a peer that does not run on this machine. */
export function absentRow(workload, unit, ours, peerName, why) {
  return { workload, ours: median(ours), peer: null, peerName: `${peerName}: ${why}`, unit, ratio: null, goal: null, met: null, p95: quantile(ours, 0.95), runs: ours.length };
}

function judged(ratio, { atMost, atLeast }) {
  if (atMost !== undefined) return { goal: `at most ${atMost}`, met: ratio <= atMost };
  if (atLeast !== undefined) return { goal: `at least ${atLeast}`, met: ratio >= atLeast };
  return { goal: null, met: null };
}

const number = (value) => (value === null ? "–" : value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2));

export function print(rows) {
  const lines = [["workload", "ours", "peer", "", "unit", "ratio", "goal", ""]];
  for (const r of rows)
    lines.push([r.workload, number(r.ours), number(r.peer), r.peerName, r.unit, r.ratio === null ? "–" : r.ratio.toFixed(3), r.goal ?? "report", r.met === null ? "" : r.met ? "met" : "MISSED"]);
  const widths = lines[0].map((_, i) => Math.max(...lines.map((line) => line[i].length)));
  for (const line of lines) console.log(line.map((cell, i) => ([1, 2, 5].includes(i) ? cell.padStart(widths[i]) : cell.padEnd(widths[i]))).join("  ").trimEnd());
}
