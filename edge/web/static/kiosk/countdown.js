// Seconds that run down between two views.

const counters = new Map();

/** Call `tick(seconds)` about four times a second, from `secondsLeft` down to 0; null stops it. */
export function countDown(name, secondsLeft, tick) {
  if (secondsLeft === null || secondsLeft === undefined) {
    counters.delete(name);
    return;
  }
  counters.set(name, { endsAt: performance.now() + secondsLeft * 1000, tick });
  tick(secondsLeft);
}

/** Call `tick(seconds)` about four times a second with the seconds since `startedAt` (Unix ms); null stops it. */
export function countUp(name, startedAt, tick) {
  if (startedAt === null || startedAt === undefined) {
    counters.delete(name);
    return;
  }
  counters.set(name, { startedAt, tick });
}

setInterval(() => {
  const now = performance.now();
  for (const { endsAt, startedAt, tick } of counters.values()) {
    tick(endsAt === undefined ? Math.max(0, (Date.now() - startedAt) / 1000) : Math.max(0, (endsAt - now) / 1000));
  }
}, 250);
