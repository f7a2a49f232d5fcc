import type { ReactNode } from "react";

interface LinkProps {
  href?: string | undefined;
  children?: ReactNode;
}

/** A link of an answer. It shows where it leads, and nothing is fetched before it is clicked. */
export function Link({ href = "", children }: LinkProps) {
  const host = hostOf(href);
  if (!host) return <span>{children}</span>;
  const saysHost = typeof children === "string" && children.includes(host);
  return (
    <a href={href} target="_blank" rel="noopener noreferrer nofollow">
      {children}
      {!saysHost && <span className="link-host"> ({host})</span>}
    </a>
  );
}

/** Returns whom a link leads to; null where it may not be followed from an answer. */
function hostOf(href: string): string | null {
  try {
    const url = new URL(href);
    if (url.protocol === "mailto:") return url.pathname;
    return url.protocol === "https:" || url.protocol === "http:" ? url.host : null;
  } catch {
    return null;
  }
}
