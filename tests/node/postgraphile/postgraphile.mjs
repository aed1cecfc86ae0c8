// PostGraphile over the hub's tables: node postgraphile.mjs '{"host", "database", "user"}'. It ends with its standard input.
//
// The tables have no foreign keys, since platforms tell of records in any order. Smart tags say where each edge leads, and give
// the edges the names that they have in the hub's graph; all joins are on columns that have an index.
import { createServer } from "node:http";
import { PgSimplifyInflectionPreset } from "@graphile/simplify-inflection";
import { Pool } from "pg";
import { postgraphile } from "postgraphile";
import { makePgService } from "postgraphile/adaptors/pg";
import { grafserv } from "postgraphile/grafserv/node";
import { PostGraphileAmberPreset } from "postgraphile/presets/amber";
import { jsonPgSmartTags } from "postgraphile/utils";

const edges = jsonPgSmartTags({
  version: 1,
  config: {
    class: {
      approval: { tags: { foreignKey: "(subject_code) references subject (code)|@fieldName subject|@behavior -manyRelation:resource:connection" } },
      credit_profile: { tags: { foreignKey: "(code) references subject (code)|@foreignSimpleFieldName profile|@foreignSingleFieldName profile" } },
      credit_record: { tags: { foreignKey: "(subject_code) references subject (code)|@foreignFieldName creditRecords" } },
      verification_task: { tags: { foreignKey: "(origin_ref) references approval (approval_no)|@foreignFieldName tasks" } },
      task_result: { tags: { foreignKey: "(task_id) references verification_task (task_id)|@foreignFieldName results" } },
      finding: { tags: { foreignKey: "(result_id) references task_result (result_id)|@foreignFieldName findings" } },
    },
  },
});

const preset = {
  extends: [PostGraphileAmberPreset, PgSimplifyInflectionPreset],
  plugins: [edges],
  pgServices: [makePgService({ pool: new Pool({ ...JSON.parse(process.argv[2]), max: 10 }), schemas: ["public"] })],
  grafserv: { graphqlPath: "/graphql", graphiql: false, websockets: false },
  grafast: { explain: false },
};

process.stdin.resume().on("end", () => process.exit(0));
const serv = postgraphile(preset).createServ(grafserv);
const server = createServer();
await serv.addTo(server);
server.listen(0, "127.0.0.1", () => {
  console.log(JSON.stringify({ url: `http://127.0.0.1:${server.address().port}/graphql` }));
});
