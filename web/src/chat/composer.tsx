import { AuiIf, ComposerPrimitive } from "@assistant-ui/react";
import { AddButton } from "../documents/add-button";
import { Icon } from "../elements/icon";
import { useMedia } from "../elements/media";

/** A question must fit into one frame of the wire, 64 KiB, in any script. */
const QUESTION_LIMIT = 15_000;

const BOX_ID = "question";

/** Puts the cursor where questions are typed. */
export function focusBox(): void {
  document.getElementById(BOX_ID)?.focus();
}

/** Whether the cursor is there and nothing is typed. */
export function isBoxAtRest(): boolean {
  const box = document.activeElement;
  return box?.id === BOX_ID && box instanceof HTMLTextAreaElement && box.value === "";
}

/** The box to ask in. */
export function Composer({ onFiles }: { onFiles: (files: Iterable<File>) => void }) {
  // On a phone the focus would bring the keyboard up before anybody asked for it.
  const hasKeyboard = useMedia("(any-pointer: fine)");
  return (
    <ComposerPrimitive.Root className="composer">
      <AddButton
        className="icon-button"
        aria-label="Add documents"
        title="Add documents"
        onFiles={onFiles}
      >
        <Icon name="attach" />
      </AddButton>
      <ComposerPrimitive.Input
        id={BOX_ID}
        className="composer-input"
        placeholder="Ask a question"
        aria-label="Your question"
        rows={1}
        maxRows={9}
        maxLength={QUESTION_LIMIT}
        autoFocus={hasKeyboard}
        addAttachmentOnPaste={false}
      />
      <AuiIf condition={({ thread }) => !thread.isRunning}>
        <ComposerPrimitive.Send className="composer-button" aria-label="Send" title="Send (Enter)">
          <Icon name="send" />
        </ComposerPrimitive.Send>
      </AuiIf>
      <AuiIf condition={({ thread }) => thread.isRunning}>
        <ComposerPrimitive.Cancel
          className="composer-button"
          aria-label="Stop"
          title="Stop (Escape)"
        >
          <Icon name="stop" />
        </ComposerPrimitive.Cancel>
      </AuiIf>
    </ComposerPrimitive.Root>
  );
}
