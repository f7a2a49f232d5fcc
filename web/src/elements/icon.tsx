const SHAPES = {
  add: "M12 5v14M5 12h14",
  attach: "M8 12.5 13.6 7a3 3 0 0 1 4.3 4.2l-7.3 7.4a5 5 0 0 1-7.2-7l6.9-7",
  check: "m5 12.5 4.6 4.5L19 7.5",
  close: "M6 6l12 12M18 6 6 18",
  copy: "M9 9h10v11H9zM15 9V4H5v11h4",
  documents: "M7 3.5h7l4 4V20H7zM14 3.5v4h4M10 12h5M10 15.5h5",
  down: "M12 5v13m-5.5-5.5L12 18l5.5-5.5",
  menu: "M4 7h16M4 12h16M4 17h10",
  remove: "M5 7h14M10 7V4.5h4V7m3 0-.8 13H7.8L7 7m3.5 4v5.5m3-5.5v5.5",
  rename: "M5 19l.8-3.8L15.6 5.4a1.9 1.9 0 0 1 2.8 0l.2.2a1.9 1.9 0 0 1 0 2.8L8.8 18.2z",
  send: "M12 19V5m-6 6 6-6 6 6",
  stop: "M8 8h8v8H8z",
} as const;

export type IconName = keyof typeof SHAPES;

/** A small drawing beside or instead of a label; it says nothing to a screen reader. */
export function Icon({ name }: { name: IconName }) {
  return (
    <svg className="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <path d={SHAPES[name]} />
    </svg>
  );
}
