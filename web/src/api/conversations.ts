import { request } from "./request";

export interface Conversation {
  id: string;
  title: string;
  created_at: string;
  updated_at: string;
  message_count: number;
}

export interface ConversationPage {
  conversations: Conversation[];
  next_cursor: string | null;
}

/** Returns conversations, the last used first; `cursor` asks for the page after another. */
export function listConversations(cursor: string | null = null): Promise<ConversationPage> {
  const query = cursor ? `?cursor=${encodeURIComponent(cursor)}` : "";
  return request(`conversations${query}`);
}

export function renameConversation(id: string, title: string): Promise<Conversation> {
  return request(`conversations/${id}`, {
    method: "PATCH",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ title }),
  });
}

export function deleteConversation(id: string): Promise<void> {
  return request(`conversations/${id}`, { method: "DELETE" });
}
