import { useEffect, useState } from "react";
import { getServer, type ServerInfo } from "../api/server";
import { useLink } from "../connection/use-link";

/** Returns what the server says of itself; null until it did. It is asked again by every socket. */
export function useServer(): ServerInfo | null {
  const [server, setServer] = useState<ServerInfo | null>(null);
  const isLive = useLink((link) => link.phase === "live");
  useEffect(() => {
    if (!isLive) return;
    // A banner that can't be drawn is no reason to disturb anybody; the socket says what is wrong.
    getServer().then(setServer, () => undefined);
  }, [isLive]);
  return server;
}

/** Returns the name of the language model that answers, or nothing where there is none. */
export function modelName(server: ServerInfo | null): string {
  return server && server.model.kind !== "extractive" ? server.model.name : "";
}
