import { useEffect, useRef, useState } from "react";
import { getPassage, type Passage } from "../api/documents";
import { sentenceOf } from "../api/request";
import { Panel } from "../elements/panel";
import type { Citation } from "../wire/events";
import "./passages.css";
import { placeQuote } from "./quote-place";

interface PassagePanelProps {
  citation: Citation;
  onClose: () => void;
}

/** The passage that a statement rests on, with the quoted words marked. */
export function PassagePanel({ citation, onClose }: PassagePanelProps) {
  const { passage, problem } = usePassage(citation);
  return (
    <Panel title={citation.document_name} side="right" onClose={onClose}>
      {citation.page !== null && <p className="passage-page">Page {citation.page}</p>}
      {problem && (
        <p className="problem" role="alert">
          {problem}
        </p>
      )}
      {passage ? (
        <PassageText passage={passage} citation={citation} />
      ) : (
        <blockquote className="passage-text">
          <mark>{citation.quote}</mark>
        </blockquote>
      )}
    </Panel>
  );
}

function PassageText({ passage, citation }: { passage: Passage; citation: Citation }) {
  const mark = useRef<HTMLElement>(null);
  useEffect(() => {
    mark.current?.scrollIntoView({ block: "center" });
  }, []);

  const { text } = passage;
  const place = placeQuote(text, citation.quote, citation.start - passage.start);
  if (!place) return <blockquote className="passage-text">{text}</blockquote>;
  return (
    <blockquote className="passage-text">
      {text.slice(0, place.start)}
      <mark ref={mark}>{text.slice(place.start, place.end)}</mark>
      {text.slice(place.end)}
    </blockquote>
  );
}

interface Loaded {
  passage: Passage | null;
  problem: string | null;
}

/** Returns the passage as soon as it is there. Until then the quote stands alone. */
function usePassage(citation: Citation): Loaded {
  const [loaded, setLoaded] = useState<Loaded>({ passage: null, problem: null });
  const { document_id, passage_id } = citation;
  useEffect(() => {
    const abort = new AbortController();
    getPassage(document_id, passage_id, abort.signal).then(
      (passage) => setLoaded({ passage, problem: null }),
      (error: unknown) => {
        if (!abort.signal.aborted) setLoaded({ passage: null, problem: sentenceOf(error) });
      },
    );
    return () => abort.abort();
  }, [document_id, passage_id]);
  return loaded;
}
