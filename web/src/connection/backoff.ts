const FLOOR_SECONDS = 0.2;
const CEILING_SECONDS = 5;

/**
 * Returns how long to wait before the next attempt, in seconds: full jitter between 0.2 and a
 * ceiling that doubles from 0.4 to 5, so that those who lost one node don't come back as one.
 *
 * attempt: how many failed before, from 0. chance: 0..1.
 */
export function backoff(attempt: number, chance: number): number {
  const ceiling = Math.min(CEILING_SECONDS, 2 * FLOOR_SECONDS * 2 ** attempt);
  return FLOOR_SECONDS + chance * (ceiling - FLOOR_SECONDS);
}
