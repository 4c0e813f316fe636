// Samples of ours and of each peer in turn, so that what the machine does meanwhile falls on all alike.

import { performance } from "node:perf_hooks";

export const scale = Number(process.env.BENCH_SCALE ?? 1);

export function quantile(values, q) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))];
}

export const median = (values) => quantile(values, 0.5);

/** Runs `work` and answers how long it took, in milliseconds, or what it measured itself. */
export async function timed(work) {
  const begin = performance.now();
  const own = await work();
  return typeof own === "number" ? own : performance.now() - begin;
}

/** Samples of every contestant, in turn: {name: [value, ...]}. The first round warms up and is not counted. */
export async function alternate(contestants, rounds) {
  const samples = Object.fromEntries(Object.keys(contestants).map((name) => [name, []]));
  const count = Math.max(3, Math.round(rounds * scale));
  for (let i = -1; i < count; i++)
    for (const name in contestants) {
      const value = await timed(contestants[name]);
      if (i >= 0) samples[name].push(value);
    }
  return samples;
}

/** Operations per second of `clients` that each repeat `work(client)` for `seconds`. */
export async function throughput(clients, seconds, work) {
  const end = performance.now() + seconds * 1000 * Math.min(1, scale * 2);
  const begin = performance.now();
  let count = 0;
  await Promise.all(clients.map(async (client) => {
    while (performance.now() < end) {
      await work(client);
      count++;
    }
  }));
  return (count * 1000) / (performance.now() - begin);
}
