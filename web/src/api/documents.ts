import { request } from "./request";

/** The collection that the page adds to and asks. */
export const COLLECTION = "default";

export interface StoredDocument {
  id: string;
  name: string;
  collection: string;
  status: "processing" | "ready" | "failed";
  /** null where the format has no pages, or before it was read. */
  page_count: number | null;
  passage_count: number;
  size_bytes: number;
  created_at: string;
}

export interface DocumentPage {
  documents: StoredDocument[];
  next_cursor: string | null;
}

export interface Passage {
  id: string;
  document_id: string;
  document_name: string;
  page: number | null;
  /** Where the passage stands in the document's text, in code points. */
  start: number;
  end: number;
  text: string;
}

export interface Job {
  status: "queued" | "running" | "succeeded" | "failed" | "cancelled";
  /** What it is doing now, one word. */
  stage: string;
  /** 0..1. */
  progress: number;
  /** A sentence, where it failed. */
  error: string | null;
}

export function listDocuments(cursor: string | null = null): Promise<DocumentPage> {
  const after = cursor ? `&cursor=${encodeURIComponent(cursor)}` : "";
  return request(`documents?collection=${COLLECTION}${after}`);
}

export function deleteDocument(id: string): Promise<void> {
  return request(`documents/${id}`, { method: "DELETE" });
}

export function getPassage(
  documentId: string,
  passageId: string,
  signal: AbortSignal,
): Promise<Passage> {
  return request(`documents/${documentId}/passages/${passageId}`, { signal });
}

export function getJob(id: string): Promise<Job> {
  return request(`jobs/${id}`);
}
