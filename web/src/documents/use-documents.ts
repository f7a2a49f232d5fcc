import { useCallback, useEffect, useState } from "react";
import { deleteDocument, listDocuments, type StoredDocument } from "../api/documents";
import { sentenceOf } from "../api/request";

const REFRESH_SECONDS = 2;

export interface Documents {
  all: readonly StoredDocument[];
  problem: string | null;
  refresh: () => void;
  remove: (id: string) => void;
}

/** Returns the documents of the collection, and looks again while one of them is being read. */
export function useDocuments(): Documents {
  const [all, setAll] = useState<readonly StoredDocument[]>([]);
  const [problem, setProblem] = useState<string | null>(null);

  const attempt = useCallback(async (work: () => Promise<unknown>) => {
    try {
      await work();
      setAll(await everyDocument());
      setProblem(null);
    } catch (error) {
      setProblem(sentenceOf(error));
    }
  }, []);
  const refresh = useCallback(() => {
    attempt(async () => undefined);
  }, [attempt]);

  useEffect(refresh, [refresh]);
  // Every new list sets the next look, so that two never run at once.
  useEffect(() => {
    if (!all.some((one) => one.status === "processing")) return;
    const timer = setTimeout(refresh, REFRESH_SECONDS * 1000);
    return () => clearTimeout(timer);
  }, [all, refresh]);

  return { all, problem, refresh, remove: (id) => attempt(() => deleteDocument(id)) };
}

async function everyDocument(): Promise<StoredDocument[]> {
  const all: StoredDocument[] = [];
  let cursor: string | null = null;
  do {
    const page = await listDocuments(cursor);
    all.push(...page.documents);
    cursor = page.next_cursor;
  } while (cursor);
  return all;
}
