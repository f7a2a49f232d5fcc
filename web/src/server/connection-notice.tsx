import { useLink } from "../connection/use-link";
import "./server.css";

/** How many attempts may fail before anybody is told: shorter losses go by unnoticed. */
const PATIENCE = 4;

/** Says that the server is out of reach, once that has lasted. */
export function ConnectionNotice() {
  const refusal = useLink((link) => link.refusal);
  const isLost = useLink((link) => link.phase !== "live" && link.attempt >= PATIENCE);
  return (
    <div className="connection-notice" role="status">
      {refusal && <p>{refusal}</p>}
      {!refusal && isLost && <p>The server can't be reached. Trying again…</p>}
    </div>
  );
}
