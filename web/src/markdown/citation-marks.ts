import type { PhrasingContent, Root, RootContent, Text } from "mdast";

/** The element that a mark becomes; `Markdown` draws it. */
export const MARK = "citation-mark";

const PATTERN = /\[(\d{1,3}(?:\s*,\s*\d{1,3})*)\]/g;

/** Turns `[1]` and `[1, 2]` in running text into citation marks; code keeps its brackets. */
export function citationMarks() {
  return (tree: Root): void => markAll(tree);
}

function markAll(parent: { children: RootContent[] }): void {
  parent.children = parent.children.flatMap((child): RootContent[] => {
    if (child.type === "text") return split(child);
    // An answer may define `[1]: https://…`; what looks like a source must be one.
    if (child.type === "linkReference" && /^\d+$/.test(child.identifier)) {
      return [mark(child.identifier)];
    }
    if ("children" in child) markAll(child as { children: RootContent[] });
    return [child];
  });
}

/** Cuts a text at its marks. */
export function split(node: Text): PhrasingContent[] {
  const pieces: PhrasingContent[] = [];
  let end = 0;
  for (const match of node.value.matchAll(PATTERN)) {
    // A mark hangs on the word before it, as a raised number does in print.
    const before = node.value.slice(end, match.index).trimEnd();
    if (before) pieces.push(textNode(before));
    for (const number of (match[1] ?? "").split(",")) pieces.push(mark(number.trim()));
    end = match.index + match[0].length;
  }
  if (end < node.value.length) pieces.push(textNode(node.value.slice(end)));
  return pieces;
}

function textNode(value: string): Text {
  return { type: "text", value };
}

/** A text node that is drawn as an element of its own (mdast-util-to-hast's `hName`). */
function mark(number: string): Text {
  const data = { hName: MARK, hProperties: { number }, hChildren: [textNode(number)] };
  return { type: "text", value: number, data } as Text;
}
