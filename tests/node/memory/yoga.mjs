// GraphQL Yoga, records in memory behind DataLoader: node yoga.mjs RECORDS. It prints its address; it ends with its standard input.
import { createServer } from "node:http";
import DataLoader from "dataloader";
import { createSchema, createYoga } from "graphql-yoga";
import { cityOf, connection, typeDefs } from "./city.mjs";

const city = cityOf(process.argv[2]);
const loader = (index) => new DataLoader(async (keys) => keys.map((key) => index.get(key)));
const loaders = () =>
  Object.fromEntries(["subjects", "profiles", "creditRecords", "tasks", "results", "findings"].map((name) => [name, loader(city[name])]));
const list = (name, key) => async (parent, _, context) => connection(await context[name].load(parent[key]));

const resolvers = {
  Query: { approvals: (_, { first }) => connection(city.approvals.slice(0, first)) },
  Approval: {
    subject: (approval, _, { subjects }) => subjects.load(approval.subjectCode),
    tasks: list("tasks", "approvalNo"),
  },
  Subject: {
    profile: (subject, _, { profiles }) => profiles.load(subject.code),
    creditRecords: list("creditRecords", "code"),
  },
  VerificationTask: { results: list("results", "taskId") },
  TaskResult: { findings: list("findings", "resultId") },
};

process.stdin.resume().on("end", () => process.exit(0));
const yoga = createYoga({ schema: createSchema({ typeDefs, resolvers }), context: loaders, logging: false, graphiql: false });
const server = createServer(yoga).listen(0, "127.0.0.1", () => {
  console.log(JSON.stringify({ url: `http://127.0.0.1:${server.address().port}/graphql` }));
});
