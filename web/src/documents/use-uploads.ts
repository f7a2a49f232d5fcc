import { useCallback, useState } from "react";
import { sentenceOf } from "../api/request";
import { newId } from "../elements/new-id";
import { follow, type Upload } from "./upload";

const SHOWN_WHEN_READY_SECONDS = 5;

export interface Uploads {
  all: readonly Upload[];
  add: (files: Iterable<File>) => void;
  dismiss: (id: string) => void;
}

/** Returns the files on their way; `onRead` is told of every one that came to its end. */
export function useUploads(limitBytes: number, onRead: () => void): Uploads {
  const [all, setAll] = useState<readonly Upload[]>([]);

  const change = useCallback((id: string, facts: Partial<Upload>) => {
    setAll((before) => before.map((one) => (one.id === id ? { ...one, ...facts } : one)));
  }, []);
  const dismiss = useCallback((id: string) => {
    setAll((before) => before.filter((one) => one.id !== id));
  }, []);

  const send = useCallback(
    async (id: string, file: File) => {
      try {
        await follow(file, limitBytes, (step) => change(id, step));
        change(id, { stage: "ready", progress: 1 });
        setTimeout(() => dismiss(id), SHOWN_WHEN_READY_SECONDS * 1000);
      } catch (error) {
        change(id, { stage: "failed", problem: sentenceOf(error) });
      }
      onRead();
    },
    [change, dismiss, limitBytes, onRead],
  );

  const add = useCallback(
    (files: Iterable<File>) => {
      for (const file of files) {
        const id = newId();
        setAll((before) => [...before, begun(id, file.name)]);
        send(id, file);
      }
    },
    [send],
  );

  return { all, add, dismiss };
}

function begun(id: string, name: string): Upload {
  return { id, name, stage: "sending", progress: 0, detail: "", problem: null };
}
