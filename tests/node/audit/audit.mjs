// Prints, as JSON, what graphql-http's audit finds of a server: node audit.mjs URL KEY
import { auditServer } from "graphql-http";

const [url, key] = process.argv.slice(2);
const asked = (address, init) => fetch(address, { ...init, headers: { ...init?.headers, "x-api-key": key } });
const found = await auditServer({ url, fetchFn: asked });
console.log(JSON.stringify(found.map(({ id, name, status, reason }) => ({ id, name, status, reason }))));
