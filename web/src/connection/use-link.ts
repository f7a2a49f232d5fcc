import { createContext, useContext, useSyncExternalStore } from "react";
import type { Connection } from "./connection";
import type { Link } from "./link";

export const ConnectionContext = createContext<Connection | null>(null);

/** Returns the page's connection. */
export function useConnection(): Connection {
  const connection = useContext(ConnectionContext);
  if (!connection) throw new Error("there is no connection above this component");
  return connection;
}

/** Returns what a component needs of the link; it renders again only when that changes. */
export function useLink<T>(select: (link: Link) => T): T {
  const connection = useConnection();
  return useSyncExternalStore(connection.subscribe, () => select(connection.snapshot()));
}
