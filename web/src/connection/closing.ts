/** What a close code asks of the page. */
export type Closing = "stay" | "slow" | "now" | "retry";

/** Returns what to do after a close, by the ranges of the wire contract. */
export function closingOf(code: number): Closing {
  if (code >= 4000 && code < 4100) return "stay";
  if (code >= 4100 && code < 4200) return "slow";
  if (code >= 4200 && code < 4300) return "now";
  return "retry";
}

const PROTOCOL_SENTENCE = "This page and the server don't understand each other. Reload the page.";

const SENTENCES: Record<number, string> = {
  4001: "You are not signed in. Reload the page.",
  4003: "You were signed out. Reload the page.",
};

/** Returns the sentence for a close after which the page does not come back by itself. */
export function refusalOf(code: number): string {
  return SENTENCES[code] ?? PROTOCOL_SENTENCE;
}
