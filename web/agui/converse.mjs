// Runs a conversation with AG-UI's official client: node converse.mjs URL QUESTION...
// A question `resume:approve` approves all that the run before it asked.
// Prints one JSON object: the messages as the client holds them, and what went wrong.
import { randomUUID } from "node:crypto";
import { HttpAgent } from "@ag-ui/client";

const [url, ...questions] = process.argv.slice(2);
const agent = new HttpAgent({ url, threadId: randomUUID() });
const outcomes = [];
const customs = [];

let interrupts = [];

function approvals() {
  return interrupts.map(({ id }) => ({
    interruptId: id,
    status: "resolved",
    payload: { approved: true },
  }));
}

for (const content of questions) {
  const input = { runId: randomUUID() };
  if (content === "resume:approve") input.resume = approvals();
  else agent.addMessage({ id: randomUUID(), role: "user", content });
  try {
    await agent.runAgent(input, {
      onCustomEvent: ({ event }) => {
        customs.push(event.name);
      },
      onRunFinishedEvent: ({ event, outcome }) => {
        outcomes.push(outcome);
        interrupts = event.outcome?.interrupts ?? [];
      },
      onRunErrorEvent: ({ event }) => {
        outcomes.push(event.code);
      },
    });
  } catch (error) {
    outcomes.push(`threw ${error.message}`);
  }
}

const messages = agent.messages.map(({ id, role, content }) => ({ id, role, content }));
process.stdout.write(JSON.stringify({ threadId: agent.threadId, messages, outcomes, customs }));
