import type { StoredDocument } from "../api/documents";
import { AddButton } from "../documents/add-button";

interface OpeningProps {
  documents: readonly StoredDocument[];
  onFiles: (files: Iterable<File>) => void;
}

/** What an empty conversation says. */
export function Opening({ documents, onFiles }: OpeningProps) {
  const ready = documents.filter((one) => one.status === "ready").length;
  return (
    <div className="opening">
      <h1>What would you like to know?</h1>
      {ready === 0 ? (
        <p>
          <AddButton className="inline-button" onFiles={onFiles}>
            Add a document
          </AddButton>{" "}
          and ask about it. Every answer points to the passage it rests on.
        </p>
      ) : (
        <p>
          {ready === 1 ? "One document is" : `${ready} documents are`} ready to be asked. Every
          answer points to the passage it rests on.
        </p>
      )}
    </div>
  );
}
