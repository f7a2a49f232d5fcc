import type { Interrupt } from "../wire/events";
import { request } from "./request";

/** Returns what a conversation's last run asked and nobody has answered yet, oldest first. */
export async function listInterrupts(conversationId: string): Promise<Interrupt[]> {
  const path = `conversations/${conversationId}/interrupts`;
  const { interrupts } = await request<{ interrupts: Interrupt[] }>(path);
  return interrupts;
}
