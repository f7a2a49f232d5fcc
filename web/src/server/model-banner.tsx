import "./server.css";

/** Says plainly that no language model answers here, and how to set one. */
export function ModelBanner() {
  return (
    <aside className="model-banner" aria-label="About the answers">
      <details>
        <summary>
          <span>
            <strong>No language model is configured.</strong> Answers quote your documents word for
            word.
          </span>
          <span className="model-banner-more">How to set one</span>
        </summary>
        <p>
          Put <code>OPENAI_API_KEY</code> into <code>.env</code>, or <code>OPENAI_BASE_URL</code>{" "}
          for a server of your own, and <code>MODEL</code> for its model. Or start Ollama on the
          machine of the server. Then start the server again.
        </p>
      </details>
    </aside>
  );
}
