import { COLLECTION } from "./documents";
import { addressOf, problemOf } from "./request";

export interface Accepted {
  document_id: string;
  job_id: string;
}

/**
 * Sends a file and returns the job that reads it. Not `fetch`, which can't say how much has gone.
 *
 * onProgress: 0..1 of the file's bytes.
 */
export function uploadDocument(
  file: File,
  onProgress: (progress: number) => void,
): Promise<Accepted> {
  const form = new FormData();
  form.append("collection", COLLECTION);
  form.append("file", file);
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", addressOf("api/v1/documents"));
    request.upload.onprogress = ({ loaded, total }) => onProgress(total > 0 ? loaded / total : 0);
    request.onerror = () => reject(problemOf(0, ""));
    request.onload = () => {
      const { status, responseText } = request;
      if (status === 202) resolve(JSON.parse(responseText) as Accepted);
      else reject(problemOf(status, responseText));
    };
    request.send(form);
  });
}
