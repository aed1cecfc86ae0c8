// Composes subgraphs and serves the supergraph: node gateway.mjs KEY NAME=URL... It prints its address; it ends with its standard input.
import { ApolloServer } from "@apollo/server";
import { startStandaloneServer } from "@apollo/server/standalone";
import { ApolloGateway, IntrospectAndCompose, RemoteGraphQLDataSource } from "@apollo/gateway";

const [key, ...named] = process.argv.slice(2);
const subgraphs = named.map((each) => ({ name: each.split("=")[0], url: each.slice(each.indexOf("=") + 1) }));
const headers = { "x-api-key": key };
const buildService = ({ url }) =>
  new RemoteGraphQLDataSource({ url, willSendRequest: ({ request }) => request.http.headers.set("x-api-key", key) });
const supergraphSdl = new IntrospectAndCompose({ subgraphs, introspectionHeaders: headers });

process.stdin.resume().on("end", () => process.exit(0));
const server = new ApolloServer({ gateway: new ApolloGateway({ supergraphSdl, buildService, debug: false }) });
const { url } = await startStandaloneServer(server, { listen: { host: "127.0.0.1", port: 0 } });
console.log(JSON.stringify({ url }));
