import { Icon } from "../elements/icon";
import { IconButton } from "../elements/icon-button";
import type { SideView } from "./side";

interface HeaderProps {
  /** null where the conversation has none yet. */
  title: string | null;
  /** Whether the list of conversations has no room of its own. */
  isNarrow: boolean;
  view: SideView | null;
  onView: (view: SideView | null) => void;
}

/** What stands above a conversation. */
export function Header({ title, isNarrow, view, onView }: HeaderProps) {
  const showsDocuments = view?.kind === "documents";
  return (
    <header className="main-header">
      {isNarrow && (
        <IconButton
          icon="menu"
          label="Conversations"
          onClick={() => onView({ kind: "conversations" })}
        />
      )}
      {title !== null && <h2 className="main-title">{title}</h2>}
      <button
        type="button"
        className="quiet-button"
        aria-expanded={showsDocuments}
        onClick={() => onView(showsDocuments ? null : { kind: "documents" })}
      >
        <Icon name="documents" />
        Documents
      </button>
    </header>
  );
}
