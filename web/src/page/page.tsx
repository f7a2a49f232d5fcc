import { useCallback, useEffect, useState } from "react";
import { Chat } from "../chat/chat";
import { focusBox } from "../chat/composer";
import { Opening } from "../chat/opening";
import { useConnection } from "../connection/use-link";
import { ConversationList } from "../conversations/conversation-list";
import { usePlace } from "../conversations/place";
import { useConversations } from "../conversations/use-conversations";
import { DropArea } from "../documents/drop-area";
import { UploadList } from "../documents/upload-list";
import { useDocuments } from "../documents/use-documents";
import { useUploads } from "../documents/use-uploads";
import { NARROW, useMedia } from "../elements/media";
import { ConnectionNotice } from "../server/connection-notice";
import { ModelBanner } from "../server/model-banner";
import { modelName, useServer } from "../server/use-server";
import type { Citation } from "../wire/events";
import { Header } from "./header";
import "./page.css";
import { Side, type SideView } from "./side";

const NEW_TITLE = "New conversation";

/** The whole page. */
export function Page() {
  const connection = useConnection();
  const place = usePlace();
  const conversations = useConversations();
  const documents = useDocuments();
  const server = useServer();
  const uploads = useUploads(server?.limits.upload_max_bytes ?? Infinity, documents.refresh);
  const isNarrow = useMedia(NARROW);
  const [view, setView] = useState<SideView | null>(null);

  const close = useCallback(() => setView(null), []);
  const cite = useCallback((citation: Citation) => setView({ kind: "passage", citation }), []);
  const title =
    conversations.all.find((one) => one.id === place.conversationId)?.title ?? NEW_TITLE;
  useTabTitle(title);

  const begin = () => {
    close();
    place.go(null);
  };
  const forget = (conversationId: string) => {
    connection.put({ kind: "forget", conversationId });
    if (conversationId === place.conversationId) begin();
  };
  const list = (
    <ConversationList
      conversations={conversations}
      currentId={place.conversationId}
      onNew={begin}
      onChosen={close}
      onDeleted={forget}
    />
  );

  return (
    <DropArea onFiles={uploads.add}>
      <button type="button" className="button skip" onClick={focusBox}>
        Go to the question box
      </button>
      <div className="page">
        {!isNarrow && (
          <aside className="sidebar">
            <p className="wordmark">Colloquy</p>
            {list}
            <p className="sidebar-foot">{modelName(server)}</p>
          </aside>
        )}
        <main className="main">
          <Header
            title={place.isNew ? null : title}
            isNarrow={isNarrow}
            view={view}
            onView={setView}
          />
          <div className="notices">
            <ConnectionNotice />
            {server?.model.kind === "extractive" && <ModelBanner />}
          </div>
          <Chat
            key={place.conversationId}
            conversationId={place.conversationId}
            isNew={place.isNew}
            opening={<Opening documents={documents.all} onFiles={uploads.add} />}
            above={view?.kind !== "documents" && <UploadList uploads={uploads} />}
            onFirstQuestion={place.settle}
            onCite={cite}
            onFiles={uploads.add}
          />
        </main>
        <Side
          view={view}
          conversations={list}
          documents={documents}
          uploads={uploads}
          onClose={close}
        />
      </div>
    </DropArea>
  );
}

function useTabTitle(title: string): void {
  useEffect(() => {
    document.title = `${title} · Colloquy`;
  }, [title]);
}
