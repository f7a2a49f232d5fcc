import { getJob, type Job } from "../api/documents";
import { Problem } from "../api/request";
import { uploadDocument } from "../api/upload";
import { sizeOf } from "./size";

/** A file on its way to being a document that can be asked. */
export interface Upload {
  id: string;
  name: string;
  /** `reading`: the server has the file and makes passages of it. */
  stage: "sending" | "reading" | "ready" | "failed";
  /** 0..1 of its stage. */
  progress: number;
  /** The server's word for what it does now. */
  detail: string;
  /** Why it failed, for a person. */
  problem: string | null;
}

/** File names that the server can read; it looks at the content itself. */
export const READABLE = ".pdf,.docx,.md,.markdown,.html,.htm,.txt";

const POLL_SECONDS = 0.5;
const POLL_LIMIT_SECONDS = 3;

/**
 * Sends a file and waits until it is read, telling every step.
 *
 * limitBytes: what the server takes; a larger file is not even sent. Throws `Problem` where the
 * file is not taken or can't be read.
 */
export async function follow(
  file: File,
  limitBytes: number,
  onStep: (step: Pick<Upload, "stage" | "progress" | "detail">) => void,
): Promise<void> {
  if (file.size > limitBytes) {
    const sentence = `It has ${sizeOf(file.size)}; the server takes up to ${sizeOf(limitBytes)}.`;
    throw new Problem(sentence, 413, "too_large");
  }
  const { job_id } = await uploadDocument(file, (progress) =>
    onStep({ stage: "sending", progress, detail: "" }),
  );
  for (let seconds = POLL_SECONDS; ; seconds = Math.min(seconds * 1.3, POLL_LIMIT_SECONDS)) {
    const job = await getJob(job_id);
    if (job.status === "succeeded") return;
    refuse(job);
    onStep({ stage: "reading", progress: job.progress, detail: job.stage });
    await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  }
}

function refuse({ status, error }: Job): void {
  if (status === "failed") throw new Problem(error ?? "It can't be read.", 0, "failed");
  if (status === "cancelled") throw new Problem("Reading it was stopped.", 0, "cancelled");
}
