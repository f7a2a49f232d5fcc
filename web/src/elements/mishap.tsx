import { Component, type ReactNode } from "react";

/** Stands in for a page that broke, so that nobody looks at an empty one. */
export class Mishap extends Component<{ children: ReactNode }, { isBroken: boolean }> {
  override state = { isBroken: false };

  static getDerivedStateFromError() {
    return { isBroken: true };
  }

  override render() {
    if (!this.state.isBroken) return this.props.children;
    return (
      <div className="mishap" role="alert">
        <p>Something went wrong on this page. What was said is safe on the server.</p>
        <button type="button" className="button" onClick={() => location.reload()}>
          Reload
        </button>
      </div>
    );
  }
}
