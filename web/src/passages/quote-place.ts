/** A stretch of a text, in UTF-16 units, end exclusive. */
export interface Stretch {
  start: number;
  end: number;
}

/**
 * Returns where a quote stands in a passage; null where it does not.
 *
 * expected: where it should begin, in code points of the passage, as the server counts. A quote
 * that stands there more than once is the one nearest to it.
 */
export function placeQuote(passage: string, quote: string, expected: number): Stretch | null {
  if (quote === "") return null;
  const target = unitsOf(passage, expected);
  let best: number | null = null;
  for (let at = passage.indexOf(quote); at >= 0; at = passage.indexOf(quote, at + 1)) {
    if (best === null || Math.abs(at - target) < Math.abs(best - target)) best = at;
  }
  return best === null ? null : { start: best, end: best + quote.length };
}

/** Returns how many UTF-16 units the first `points` code points of a text take. */
function unitsOf(text: string, points: number): number {
  let units = 0;
  for (let point = 0; point < points && units < text.length; point += 1) {
    units += (text.codePointAt(units) ?? 0) > 0xffff ? 2 : 1;
  }
  return units;
}
