import { createGraphiQLFetcher, type Fetcher } from "@graphiql/toolkit";
import { createClient } from "graphql-ws";

/** Return what asks the graph beside this page, with an application key where one was entered; subscriptions over WebSocket. */
export function asking(key: string): Fetcher {
  const url = new URL("../graphql", document.baseURI);
  const socket = new URL(url);
  socket.protocol = url.protocol.replace("http", "ws");
  const proof: Record<string, string> = key ? { "x-api-key": key } : {};
  return createGraphiQLFetcher({
    url: url.href,
    headers: proof,
    wsClient: createClient({ url: socket.href, connectionParams: proof, retryAttempts: 0 }),
  });
}
