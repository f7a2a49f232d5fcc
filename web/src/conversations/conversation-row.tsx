import { type KeyboardEvent, useRef, useState } from "react";
import type { Conversation } from "../api/conversations";
import { IconButton } from "../elements/icon-button";
import { hrefOf } from "./place";

interface ConversationRowProps {
  conversation: Conversation;
  isCurrent: boolean;
  isBusy: boolean;
  onChosen: () => void;
  onRename: (title: string) => void;
  onDelete: () => void;
}

/** One conversation of the list, with what can be done to it. */
export function ConversationRow(props: ConversationRowProps) {
  const { conversation, isCurrent, isBusy, onChosen, onRename, onDelete } = props;
  const [isRenaming, setIsRenaming] = useState(false);
  const link = useRef<HTMLAnchorElement>(null);

  const rename = (title: string | null) => {
    setIsRenaming(false);
    if (title && title !== conversation.title) onRename(title);
    // The box is gone; the focus goes back to what it stood for.
    requestAnimationFrame(() => link.current?.focus());
  };

  if (isRenaming) {
    return (
      <li className="conversation-row" data-current={isCurrent}>
        <TitleBox title={conversation.title} onDone={rename} />
      </li>
    );
  }
  return (
    <li className="conversation-row" data-current={isCurrent}>
      <a
        ref={link}
        href={hrefOf(conversation.id)}
        aria-current={isCurrent ? "page" : undefined}
        onClick={onChosen}
      >
        <span className="conversation-title">{conversation.title}</span>
        {isBusy && <span className="working-dot" role="img" aria-label="being answered" />}
      </a>
      <span className="conversation-actions">
        <IconButton
          icon="rename"
          label={`Rename “${conversation.title}”`}
          onClick={() => setIsRenaming(true)}
        />
        <IconButton icon="remove" label={`Delete “${conversation.title}”`} onClick={onDelete} />
      </span>
    </li>
  );
}

interface TitleBoxProps {
  title: string;
  /** null: nothing is to be changed. */
  onDone: (title: string | null) => void;
}

function TitleBox({ title, onDone }: TitleBoxProps) {
  const [text, setText] = useState(title);
  const finish = (event: KeyboardEvent) => {
    if (event.key !== "Enter" && event.key !== "Escape") return;
    if (event.nativeEvent.isComposing) return;
    event.preventDefault();
    event.stopPropagation();
    onDone(event.key === "Enter" ? text.trim() : null);
  };
  return (
    <input
      className="title-box"
      aria-label="Title of the conversation"
      value={text}
      maxLength={200}
      // biome-ignore lint/a11y/noAutofocus: the box stands where the button was pressed.
      autoFocus
      onFocus={(event) => event.target.select()}
      onChange={(event) => setText(event.target.value)}
      onKeyDown={finish}
      onBlur={() => onDone(text.trim())}
    />
  );
}
