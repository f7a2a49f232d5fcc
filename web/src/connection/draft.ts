import type { Effect, Follow, Link, Submission } from "./link";

/** A link on its way to the next one, with what the shell will have to do. */
export interface Draft {
  link: Link;
  effects: Effect[];
}

/** Replaces some of the draft's facts. */
export function change(draft: Draft, facts: Partial<Link>): void {
  draft.link = { ...draft.link, ...facts };
}

/** Replaces what is known of one conversation. */
export function changeFollow(draft: Draft, conversationId: string, follow: Follow): void {
  change(draft, { follows: new Map(draft.link.follows).set(conversationId, follow) });
}

/** Replaces what is known of one question on its way. */
export function changeSubmission(draft: Draft, changed: Submission): void {
  const submissions = draft.link.submissions.map((one) =>
    one.runId === changed.runId ? changed : one,
  );
  change(draft, { submissions });
}
