// Gives one run's events, a JSON array on standard input, to AG-UI's official client, which
// verifies their order. Prints one JSON object: the messages as the client then holds them, and
// what went wrong.
import { readFileSync } from "node:fs";
import { AbstractAgent } from "@ag-ui/client";
import { from } from "rxjs";

const events = JSON.parse(readFileSync(0, "utf8"));

class Replay extends AbstractAgent {
  run() {
    return from(events);
  }
}

const { threadId, runId } = events[0];
const agent = new Replay({ threadId });
let fault = null;
try {
  await agent.runAgent({ runId });
} catch (error) {
  fault = error.message;
}

const messages = agent.messages.map(({ id, role, content }) => ({ id, role, content }));
process.stdout.write(JSON.stringify({ messages, fault }));
