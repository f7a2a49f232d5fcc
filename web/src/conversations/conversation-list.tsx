import { useRef, useState } from "react";
import type { Conversation } from "../api/conversations";
import { Confirm } from "../elements/confirm";
import { Icon } from "../elements/icon";
import { ConversationRow } from "./conversation-row";
import "./conversations.css";
import type { Conversations } from "./use-conversations";

interface ConversationListProps {
  conversations: Conversations;
  currentId: string;
  onNew: () => void;
  /** Somebody chose one: the list may close where it stands over it. */
  onChosen: () => void;
  onDeleted: (id: string) => void;
}

/** The conversations to choose from. */
export function ConversationList(props: ConversationListProps) {
  const { conversations, currentId, onNew, onChosen, onDeleted } = props;
  const [doomed, setDoomed] = useState<Conversation | null>(null);

  const newButton = useRef<HTMLButtonElement>(null);

  const remove = (id: string) => {
    setDoomed(null);
    // The row that had the focus goes away.
    requestAnimationFrame(() => newButton.current?.focus());
    conversations.remove(id);
    onDeleted(id);
  };

  return (
    <nav className="conversations" aria-label="Conversations">
      <button ref={newButton} type="button" className="new-conversation" onClick={onNew}>
        <Icon name="add" />
        New conversation
      </button>
      {conversations.problem && <p className="problem">{conversations.problem}</p>}
      <ul>
        {conversations.all.map((conversation) => (
          <ConversationRow
            key={conversation.id}
            conversation={conversation}
            isCurrent={conversation.id === currentId}
            isBusy={conversations.busy.has(conversation.id)}
            onChosen={onChosen}
            onRename={(title) => conversations.rename(conversation.id, title)}
            onDelete={() => setDoomed(conversation)}
          />
        ))}
      </ul>
      {conversations.hasMore && (
        <button type="button" className="quiet-button" onClick={conversations.loadMore}>
          Show older
        </button>
      )}
      {doomed && (
        <Confirm
          question={`Delete “${doomed.title}”?`}
          consequence="The conversation and everything said in it will be gone."
          action="Delete"
          onConfirm={() => remove(doomed.id)}
          onClose={() => setDoomed(null)}
        />
      )}
    </nav>
  );
}
