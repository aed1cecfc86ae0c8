import { readFileSync } from "node:fs";
import type { Plugin } from "vite";

/** A query of docs/graph.md: its heading, and the query as it stands there. */
export interface Example {
  title: string;
  query: string;
  variables: string;
}

const NAME = "virtual:examples";
const PAGE = new URL("../../docs/graph.md", import.meta.url);

/** Return the queries of the page, which the tests run as they stand there. */
export function examplesIn(page: string): Example[] {
  const found = page.matchAll(/### \d+\. ([^\n]+)\n.*?```graphql\n(.*?)```/gs);
  return [...found].map(([, title = "", query = ""]) => ({ title, query, variables: placesFor(query) }));
}

/** Return JSON with an empty place for each variable that a query declares. */
function placesFor(query: string): string {
  const declared = [...(query.split("{")[0] ?? "").matchAll(/\$(\w+): *(\w+)(!?)/g)];
  const places = declared.map(([, name, type, required]) => [name, required && type === "String" ? "" : null]);
  return declared.length ? JSON.stringify(Object.fromEntries(places), null, 2) : "";
}

/** Makes `virtual:examples` of the page. */
export function examples(): Plugin {
  return {
    name: "examples",
    resolveId: (id) => (id === NAME ? `\0${NAME}` : undefined),
    load: (id) => (id === `\0${NAME}` ? `export default ${JSON.stringify(examplesIn(readFileSync(PAGE, "utf8")))}` : undefined),
  };
}
