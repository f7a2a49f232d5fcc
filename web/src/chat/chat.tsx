import {
  type AppendMessage,
  AssistantRuntimeProvider,
  ThreadPrimitive,
  useExternalStoreRuntime,
} from "@assistant-ui/react";
import type { ReactNode } from "react";
import { Approvals } from "../approvals/approvals";
import { Icon } from "../elements/icon";
import type { Citation } from "../wire/events";
import { Announcer } from "./announcer";
import { Answer, WaitingAnswer } from "./answer";
import "./chat.css";
import { Composer } from "./composer";
import { Question, UnsentQuestion } from "./question";
import { asThreadMessage, type Shown } from "./shown";
import { type Conversation, useConversation } from "./use-conversation";

interface ChatProps {
  conversationId: string;
  /** Whether it has no question yet, so that the server does not know it. */
  isNew: boolean;
  /** What stands in an empty conversation. */
  opening: ReactNode;
  /** What stands above the box. */
  above: ReactNode;
  onFirstQuestion: () => void;
  onCite: (citation: Citation) => void;
  onFiles: (files: Iterable<File>) => void;
}

/** One conversation: what was said in it, and the box to say more. */
export function Chat(props: ChatProps) {
  const { conversationId, isNew, onFirstQuestion, onCite } = props;
  const conversation = useConversation(conversationId, isNew);
  const runtime = useExternalStoreRuntime<Shown>({
    messages: conversation.shown,
    isRunning: conversation.isRunning,
    convertMessage: asThreadMessage,
    onNew: async (message) => {
      conversation.ask(textOf(message));
      onFirstQuestion();
    },
    onCancel: async () => conversation.stop(),
  });

  const draw = (shown: unknown) =>
    drawShown(shown as Shown | undefined, conversation, { onCite, onAsk: conversation.ask });

  return (
    <AssistantRuntimeProvider runtime={runtime}>
      <ThreadPrimitive.Root className="thread">
        <ThreadPrimitive.Viewport className="thread-viewport">
          {isNew && conversation.shown.length === 0 && props.opening}
          {conversation.stage === "missing" && <MissingConversation />}
          <div className="thread-messages" role="log" aria-label="Conversation" aria-live="off">
            <ThreadPrimitive.Messages>
              {({ message }) => draw(message.metadata.custom.shown)}
            </ThreadPrimitive.Messages>
          </div>
          <ThreadPrimitive.ViewportFooter className="thread-footer">
            <ThreadPrimitive.ScrollToBottom className="to-bottom" aria-label="Go to the end">
              <Icon name="down" />
            </ThreadPrimitive.ScrollToBottom>
            <Approvals
              interrupts={conversation.interrupts}
              isBusy={conversation.isRunning}
              onAnswer={conversation.answer}
            />
            {props.above}
            <Composer onFiles={props.onFiles} />
          </ThreadPrimitive.ViewportFooter>
        </ThreadPrimitive.Viewport>
      </ThreadPrimitive.Root>
      <Announcer transcript={conversation.transcript} runId={conversation.runId} />
    </AssistantRuntimeProvider>
  );
}

interface Actions {
  onCite: (citation: Citation) => void;
  onAsk: (text: string) => void;
}

function drawShown(shown: Shown | undefined, conversation: Conversation, actions: Actions) {
  // The library puts a message of its own where an answer is due but has not begun.
  if (!shown) return <WaitingAnswer />;
  if (!("kind" in shown)) {
    return (
      <UnsentQuestion
        submission={shown}
        onSendAgain={() => conversation.sendAgain(shown)}
        onWithdraw={() => conversation.withdraw(shown)}
      />
    );
  }
  if (shown.kind === "question") return <Question text={shown.text} />;
  const question = questionBefore(conversation.shown, shown);
  return (
    <Answer
      answer={shown}
      calls={conversation.calls}
      onCite={actions.onCite}
      onAskAgain={question === null ? null : () => actions.onAsk(question)}
    />
  );
}

/** Returns what an answer answers, where it is the last one; null elsewhere. */
function questionBefore(shown: readonly Shown[], answer: Shown): string | null {
  if (shown.at(-1) !== answer) return null;
  const before = shown.at(-2);
  return before && "kind" in before && before.kind === "question" ? before.text : null;
}

function MissingConversation() {
  return (
    <p className="missing" role="alert">
      This conversation is not there any more. It may have been deleted.
    </p>
  );
}

function textOf(message: AppendMessage): string {
  return message.content.map((part) => (part.type === "text" ? part.text : "")).join("");
}
