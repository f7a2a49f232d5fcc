import { memo, type ReactNode } from "react";
import ReactMarkdown, { type Components } from "react-markdown";
import remarkGfm from "remark-gfm";
import { citationMarks, MARK } from "./citation-marks";
import { Link } from "./link";
import "./markdown.css";

interface MarkdownProps {
  text: string;
  /** Draws the mark `[number]`. */
  renderMark: (number: number) => ReactNode;
}

const PLUGINS = [remarkGfm, citationMarks];

// A picture's address may carry what was said to a stranger, so no picture is ever fetched.
// Raw HTML is text to this library unless a plugin says otherwise.
const FORBIDDEN = ["img"];

/** Text of a model, drawn as Markdown: no HTML, no pictures, links that show where they lead. */
export const Markdown = memo(function Markdown({ text, renderMark }: MarkdownProps) {
  const components = {
    a: ({ href, children }) => <Link href={href}>{children}</Link>,
    table: ({ children }) => (
      <div className="table-scroll">
        <table>{children}</table>
      </div>
    ),
    [MARK]: ({ number }: { number: string }) => renderMark(Number(number)),
  } as Components;
  return (
    <div className="markdown">
      <ReactMarkdown remarkPlugins={PLUGINS} disallowedElements={FORBIDDEN} components={components}>
        {text}
      </ReactMarkdown>
    </div>
  );
});
