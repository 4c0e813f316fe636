// What a client does when the server goes away in the middle: it asks again, with the same idempotency key.

const PATIENCE_MS = 60_000;
const PAUSE_MS = 20;

const pause = () => new Promise((resolve) => setTimeout(resolve, PAUSE_MS));

/** Sends until there is an answer that is not "come again": `send` makes one attempt and answers it. */
export async function insist(send) {
  const end = Date.now() + PATIENCE_MS;
  let last;
  while (Date.now() < end) {
    try {
      const answer = await send();
      if (answer.status < 500 && answer.status !== 429) return answer;
      last = new Error(`${answer.status}: ${answer.text}`);
    } catch (error) {
      if (error.code === "ERR_ASSERTION") throw error;
      last = error;
    }
    await pause();
  }
  throw new Error(`no answer within ${PATIENCE_MS} ms`, { cause: last });
}

/** Follows events over every break, each once: calls `take` until it answers true or `signal` is aborted. */
export async function follow(connect, target, take, { cursor, signal } = {}) {
  const end = Date.now() + PATIENCE_MS;
  for (;;) {
    try {
      for await (const event of connect().events(target, { cursor, signal })) {
        cursor = event.cursor;
        if (await take(event)) return cursor;
      }
    } catch (error) {
      if (error.code === "ERR_ASSERTION") throw error;
      if (signal?.aborted) return cursor;
      if (Date.now() > end && !signal) throw new Error("the stream did not come to its end", { cause: error });
    }
    if (signal?.aborted) return cursor;
    await pause();
  }
}
