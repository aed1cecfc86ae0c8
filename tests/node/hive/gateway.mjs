// Hive Gateway over the REST services: node gateway.mjs REST-ADDRESS. It prints its address; it ends with its standard input.
//
// Mesh composes the services from their OpenAPI documents; edges between them are asked for by keys, all of one level at once.
import { createServer } from "node:http";
import { createGatewayRuntime } from "@graphql-hive/gateway";
import { getComposedSchemaFromConfig } from "@graphql-mesh/compose-cli";
import { loadOpenAPISubgraph } from "@omnigraph/openapi";

const rest = process.argv[2];
const subgraph = (name) => ({
  sourceHandler: loadOpenAPISubgraph(name, { source: `${rest}/${name}/openapi.json`, endpoint: `${rest}/${name}` }),
});
const silent = { log() {}, debug() {}, info() {}, warn: console.error, error: console.error, child: () => silent };

const composition = {
  subgraphs: ["approval", "credit", "enforcement"].map(subgraph),
  additionalTypeDefs: /* GraphQL */ `
    extend type Approval {
      subject: Subject
        @resolveTo(
          sourceName: "credit"
          sourceTypeName: "Query"
          sourceFieldName: "subjectsByCode"
          requiredSelectionSet: "{ subjectCode }"
          keyField: "subjectCode"
          keysArg: "keys"
        )
      tasks: TaskList
        @resolveTo(
          sourceName: "enforcement"
          sourceTypeName: "Query"
          sourceFieldName: "tasksByOrigin"
          requiredSelectionSet: "{ approvalNo }"
          keyField: "approvalNo"
          keysArg: "keys"
        )
    }
    extend type Subject {
      creditRecords: CreditRecordList
        @resolveTo(
          sourceName: "credit"
          sourceTypeName: "Query"
          sourceFieldName: "recordsBySubject"
          requiredSelectionSet: "{ code }"
          keyField: "code"
          keysArg: "keys"
        )
    }
  `,
};

process.stdin.resume().on("end", () => process.exit(0));
const gateway = createGatewayRuntime({
  supergraph: await getComposedSchemaFromConfig(composition, silent),
  logging: false,
  graphiql: false,
  landingPage: false,
});
const server = createServer(gateway).listen(0, "127.0.0.1", () => {
  console.log(JSON.stringify({ url: `http://127.0.0.1:${server.address().port}/graphql` }));
});
