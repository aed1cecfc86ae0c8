// The protocols' own clients subscribe: `node subscribe.mjs <ws|sse> <address> <key> <query> <events>`; prints what they got as JSON.
import { createClient } from "graphql-ws";
import { createClient as createEventClient } from "graphql-sse";
import WebSocket from "ws";

const [, , way, address, key, query, events] = process.argv;
const got = { events: [], closed: null, error: null };

const client =
  way === "ws"
    ? createClient({
        url: address.replace("http", "ws"),
        webSocketImpl: WebSocket,
        connectionParams: key ? { authorization: `Bearer ${key}` } : {},
        retryAttempts: 0,
        on: { closed: (event) => (got.closed = { code: event.code, reason: event.reason }) },
      })
    : createEventClient({ url: address, headers: key ? { authorization: `Bearer ${key}` } : {}, retryAttempts: 0 });

try {
  console.error("ready");
  for await (const result of client.iterate({ query })) {
    got.events.push(result);
    console.error(`event ${got.events.length}`);
    if (got.events.length >= Number(events)) break;
  }
} catch (error) {
  got.error = { code: error.code ?? null, message: error.message ?? String(error), errors: Array.isArray(error) ? error : null };
}
await client.dispose();
console.log(JSON.stringify(got));
process.exit(0);
