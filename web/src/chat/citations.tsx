import type { Citation } from "../wire/events";

interface CitationMarkProps {
  number: number;
  citation: Citation | undefined;
  /** Whether the sources are still to come. */
  isDue: boolean;
  onCite: (citation: Citation) => void;
}

/** The number behind a statement; it opens the passage that the statement rests on. */
export function CitationMark({ number, citation, isDue, onCite }: CitationMarkProps) {
  if (!citation) return isDue ? <span className="mark">{number}</span> : ` [${number}]`;
  return (
    <button
      type="button"
      className="mark"
      aria-label={`Source ${number}: ${placeOf(citation)}`}
      title={placeOf(citation)}
      onClick={() => onCite(citation)}
    >
      {number}
    </button>
  );
}

interface SourcesProps {
  citations: readonly Citation[];
  onCite: (citation: Citation) => void;
}

/** Everything an answer rests on. */
export function Sources({ citations, onCite }: SourcesProps) {
  if (citations.length === 0) return null;
  return (
    <ol className="sources" aria-label="Sources">
      {citations.map((citation) => (
        <li key={citation.number}>
          <button type="button" className="source" onClick={() => onCite(citation)}>
            <span className="source-number">{citation.number}</span>
            <span className="source-place">{placeOf(citation)}</span>
            <span className="source-quote">{citation.quote}</span>
          </button>
        </li>
      ))}
    </ol>
  );
}

function placeOf({ document_name, page }: Citation): string {
  return page === null ? document_name : `${document_name}, page ${page}`;
}
