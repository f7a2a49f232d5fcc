import { request } from "./request";

export interface ServerInfo {
  version: string;
  model: {
    name: string;
    /** `extractive`: no language model is configured, answers quote the documents. */
    kind: string;
  };
  limits: {
    /** Of one document. */
    upload_max_bytes: number;
  };
}

export function getServer(): Promise<ServerInfo> {
  return request("server");
}
