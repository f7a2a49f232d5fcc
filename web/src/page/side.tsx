import type { ReactNode } from "react";
import { DocumentPanel } from "../documents/document-panel";
import type { Documents } from "../documents/use-documents";
import type { Uploads } from "../documents/use-uploads";
import { Panel } from "../elements/panel";
import { PassagePanel } from "../passages/passage-panel";
import type { Citation } from "../wire/events";

/** What stands at the side of the conversation. */
export type SideView =
  | { kind: "conversations" }
  | { kind: "documents" }
  | { kind: "passage"; citation: Citation };

interface SideProps {
  view: SideView | null;
  /** The list, which has a place of its own where there is room. */
  conversations: ReactNode;
  documents: Documents;
  uploads: Uploads;
  onClose: () => void;
}

/** The panel that is open, if one is. */
export function Side({ view, conversations, documents, uploads, onClose }: SideProps) {
  switch (view?.kind) {
    case undefined:
      return null;
    case "conversations":
      return (
        <Panel title="Colloquy" side="left" onClose={onClose}>
          {conversations}
        </Panel>
      );
    case "documents":
      return <DocumentPanel documents={documents} uploads={uploads} onClose={onClose} />;
    case "passage": {
      const { citation } = view;
      // Another citation is another panel: the focus goes to its name.
      const key = `${citation.passage_id} ${citation.start}`;
      return <PassagePanel key={key} citation={citation} onClose={onClose} />;
    }
  }
}
