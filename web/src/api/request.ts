/** What the server says about a request that failed (RFC 9457). */
interface ProblemDetails {
  title?: string;
  detail?: string;
  code?: string;
}

const UNREACHABLE = "The server can't be reached. Check that it is running, then try again.";

/** A request that failed; its message is a sentence for a person. */
export class Problem extends Error {
  constructor(
    message: string,
    readonly status: number,
    readonly code: string,
  ) {
    super(message);
  }
}

/** Returns the address of a path of the server, wherever the page is served from. */
export function addressOf(path: string): URL {
  return new URL(path, document.baseURI);
}

/** Sends a request and returns the JSON of its answer, or undefined where it has none. */
export async function request<T>(path: string, init: RequestInit = {}): Promise<T> {
  const response = await fetch(addressOf(`api/v1/${path}`), init).catch((error: unknown) => {
    if (init.signal?.aborted) throw error;
    throw new Problem(UNREACHABLE, 0, "unreachable");
  });
  const text = await response.text();
  if (!response.ok) throw problemOf(response.status, text);
  return (text ? JSON.parse(text) : undefined) as T;
}

/** Returns the failure that an answer tells of, in a sentence. */
export function problemOf(status: number, text: string): Problem {
  if (status === 0) return new Problem(UNREACHABLE, 0, "unreachable");
  const details = parse(text);
  const message = details.detail ?? details.title ?? `The server answered with error ${status}.`;
  return new Problem(message, status, details.code ?? "unknown");
}

/** Returns a sentence for anything that was thrown. */
export function sentenceOf(error: unknown): string {
  return error instanceof Problem ? error.message : "Something went wrong on this page.";
}

function parse(text: string): ProblemDetails {
  try {
    const details: unknown = JSON.parse(text);
    return typeof details === "object" && details !== null ? details : {};
  } catch {
    return {};
  }
}
