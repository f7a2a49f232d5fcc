import type { Interrupt } from "../wire/events";
import { openCalls, type Transcript } from "../wire/transcript";

/** Returns those of the interrupts that nobody has answered and no new question has passed over. */
export function standing(
  interrupts: readonly Interrupt[],
  transcript: Transcript,
): readonly Interrupt[] {
  const open = openCalls(transcript);
  return interrupts.filter(({ id, toolCallId }) => {
    const call = open.get(toolCallId ?? "");
    // A call that was approved may be asked about once more, where nobody knows what came of it.
    return call !== undefined && call.decision?.interruptId !== id;
  });
}
