import { useState } from "react";
import type { StoredDocument } from "../api/documents";
import { Confirm } from "../elements/confirm";
import { Icon } from "../elements/icon";
import { IconButton } from "../elements/icon-button";
import { Panel } from "../elements/panel";
import { AddButton } from "./add-button";
import "./documents.css";
import { sizeOf } from "./size";
import { UploadList } from "./upload-list";
import type { Documents } from "./use-documents";
import type { Uploads } from "./use-uploads";

interface DocumentPanelProps {
  documents: Documents;
  uploads: Uploads;
  onClose: () => void;
}

/** The documents that can be asked about. */
export function DocumentPanel({ documents, uploads, onClose }: DocumentPanelProps) {
  const [doomed, setDoomed] = useState<StoredDocument | null>(null);
  const { all, problem, remove } = documents;

  const confirm = (id: string) => {
    setDoomed(null);
    remove(id);
  };

  return (
    <Panel title="Documents" side="right" onClose={onClose}>
      <AddButton className="button add-documents" onFiles={uploads.add}>
        <Icon name="add" />
        Add documents
      </AddButton>
      <p className="hint">PDF, Word, Markdown, HTML or plain text. You can also drop files here.</p>
      <UploadList uploads={uploads} />
      {problem && (
        <p className="problem" role="alert">
          {problem}
        </p>
      )}
      {all.length === 0 && !problem && <p className="hint">There are no documents yet.</p>}
      <ul className="documents" aria-label="Documents">
        {all.map((document) => (
          <li key={document.id} className="document" data-status={document.status}>
            <span className="document-name">{document.name}</span>
            <span className="document-facts">{factsOf(document)}</span>
            <IconButton
              icon="remove"
              label={`Delete ${document.name}`}
              onClick={() => setDoomed(document)}
            />
          </li>
        ))}
      </ul>
      {doomed && (
        <Confirm
          question={`Delete “${doomed.name}”?`}
          consequence="Answers will not find it any more, and its citations can't be opened."
          action="Delete"
          onConfirm={() => confirm(doomed.id)}
          onClose={() => setDoomed(null)}
        />
      )}
    </Panel>
  );
}

function factsOf({ status, page_count, size_bytes }: StoredDocument): string {
  if (status === "processing") return "Being read";
  if (status === "failed") return "Could not be read";
  const pages = page_count === null ? [] : [page_count === 1 ? "1 page" : `${page_count} pages`];
  return [...pages, sizeOf(size_bytes)].join(" · ");
}
