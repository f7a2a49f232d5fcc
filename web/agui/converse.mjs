// Runs a conversation with AG-UI's official client: node converse.mjs URL QUESTION...
// Prints one JSON object: the messages as the client holds them, and what went wrong.
import { randomUUID } from "node:crypto";
import { HttpAgent } from "@ag-ui/client";

const [url, ...questions] = process.argv.slice(2);
const agent = new HttpAgent({ url, threadId: randomUUID() });
const outcomes = [];
const customs = [];

for (const content of questions) {
  agent.addMessage({ id: randomUUID(), role: "user", content });
  try {
    await agent.runAgent(
      { runId: randomUUID() },
      {
        onCustomEvent: ({ event }) => {
          customs.push(event.name);
        },
        onRunFinishedEvent: ({ outcome }) => {
          outcomes.push(outcome);
        },
        onRunErrorEvent: ({ event }) => {
          outcomes.push(event.code);
        },
      },
    );
  } catch (error) {
    outcomes.push(`threw ${error.message}`);
  }
}

const messages = agent.messages.map(({ id, role, content }) => ({ id, role, content }));
process.stdout.write(JSON.stringify({ threadId: agent.threadId, messages, outcomes, customs }));
