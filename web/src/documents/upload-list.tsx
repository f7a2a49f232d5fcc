import { Icon } from "../elements/icon";
import { IconButton } from "../elements/icon-button";
import "./documents.css";
import type { Upload } from "./upload";
import type { Uploads } from "./use-uploads";

/** The files on their way, each with how far it is. */
export function UploadList({ uploads }: { uploads: Uploads }) {
  if (uploads.all.length === 0) return null;
  return (
    <ul className="uploads" aria-label="Uploads">
      {uploads.all.map((upload) => (
        <UploadRow key={upload.id} upload={upload} onDismiss={() => uploads.dismiss(upload.id)} />
      ))}
    </ul>
  );
}

function UploadRow({ upload, onDismiss }: { upload: Upload; onDismiss: () => void }) {
  const isMoving = upload.stage === "sending" || upload.stage === "reading";
  return (
    <li className="upload" data-stage={upload.stage}>
      <span className="upload-name">{upload.name}</span>
      {/* The bar tells the numbers; the words are said when they change. */}
      <span className="upload-stage" role="status">
        {upload.stage === "ready" && <Icon name="check" />}
        {wordsOf(upload)}
      </span>
      {upload.stage === "failed" && (
        <IconButton icon="close" label={`Dismiss ${upload.name}`} onClick={onDismiss} />
      )}
      {isMoving && (
        <progress
          value={upload.progress}
          max={1}
          aria-label={`${wordsOf(upload)} ${upload.name}`}
        />
      )}
    </li>
  );
}

function wordsOf({ stage, detail, problem }: Upload): string {
  switch (stage) {
    case "sending":
      return "Uploading";
    case "reading":
      return detail ? detail.charAt(0).toUpperCase() + detail.slice(1) : "Reading";
    case "ready":
      return "Ready to be asked";
    case "failed":
      return problem ?? "It could not be read.";
  }
}
