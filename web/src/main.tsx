import "@fontsource-variable/hanken-grotesk/wght.css";
import "@fontsource-variable/source-serif-4/wght.css";
import "@fontsource-variable/source-serif-4/wght-italic.css";
import "./styles/tokens.css";
import "./styles/base.css";
import "./elements/elements.css";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { addressOf } from "./api/request";
import { Connection } from "./connection/connection";
import { recall, remember } from "./connection/memory";
import { ConnectionContext } from "./connection/use-link";
import { Mishap } from "./elements/mishap";
import { Page } from "./page/page";

const socketAddress = addressOf("ws");
socketAddress.protocol = location.protocol === "https:" ? "wss:" : "ws:";

const connection = new Connection(socketAddress.href, recall(sessionStorage), (link) =>
  remember(sessionStorage, link),
);
connection.start();

const root = document.getElementById("root");
if (!root) throw new Error("the page has no root element");
createRoot(root).render(
  <StrictMode>
    <ConnectionContext value={connection}>
      <Mishap>
        <Page />
      </Mishap>
    </ConnectionContext>
  </StrictMode>,
);
