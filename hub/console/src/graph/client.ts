/** The client of one session: questions over HTTP, changes over graphql-transport-ws. What is wrong with the key signs out. */
import { Client, fetchExchange, mapExchange, subscriptionExchange } from "@urql/core";
import { createClient as createSocket } from "graphql-ws";
import { GRAPH, GRAPH_SOCKET } from "./address";
import { noteHeard, noteLink } from "./link";
import { shown, signOut } from "./session";

const PATIENCE = 20_000;
const ASKED_EVERY = 5_000;
const LONGEST_WAIT = 10_000;

/** Return the client of whoever shows this key. Its socket is open as long as something is subscribed to. */
export function openSession(key: string): Client {
  const socket = createSocket({
    url: GRAPH_SOCKET,
    connectionParams: shown(key),
    lazy: true,
    keepAlive: ASKED_EVERY, // a line that is cut without a word is noticed by a pong that does not come
    retryAttempts: Infinity,
    retryWait: async (retries) => {
      await new Promise((resolve) => setTimeout(resolve, Math.min(500 * 2 ** retries, LONGEST_WAIT) * (0.75 + Math.random() / 2)));
    },
    shouldRetry: (event) => !(event instanceof CloseEvent && [4401, 4403].includes(event.code)),
    on: {
      connecting: () => noteLink("connecting"),
      connected: () => noteLink("live"),
      message: () => noteHeard(),
      closed: (event) => {
        noteLink("gone");
        if (event instanceof CloseEvent && event.code === 4403) signOut();
      },
      ...pulse(() => socket.terminate()),
    },
  });
  return new Client({
    url: GRAPH,
    requestPolicy: "network-only",
    preferGetMethod: false,
    fetchOptions: () => ({ headers: shown(key), signal: AbortSignal.timeout(PATIENCE) }),
    exchanges: [
      mapExchange({
        onResult: (result) => {
          if ((result.error?.response as Response | undefined)?.status === 401) signOut();
          else if (!result.error?.networkError) noteHeard();
        },
      }),
      fetchExchange,
      subscriptionExchange({
        forwardSubscription: (request) => ({
          subscribe: (sink) => ({
            unsubscribe: socket.subscribe({ ...request, query: request.query ?? "" }, sink),
          }),
        }),
      }),
    ],
  });
}

/** Listeners that end a socket whose ping is not answered in time. */
function pulse(end: () => void): { ping: (received: boolean) => void; pong: (received: boolean) => void } {
  let waiting: ReturnType<typeof setTimeout> | undefined;
  return {
    ping: (received) => {
      if (!received) waiting = setTimeout(end, ASKED_EVERY);
    },
    pong: (received) => {
      if (received) {
        clearTimeout(waiting);
        noteHeard();
      }
    },
  };
}
