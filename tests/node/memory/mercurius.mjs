// Mercurius with its JIT, records in memory: node mercurius.mjs RECORDS. It prints its address; it ends with its standard input.
import Fastify from "fastify";
import mercurius from "mercurius";
import { cityOf, connection, typeDefs } from "./city.mjs";

const city = cityOf(process.argv[2]);
const resolvers = {
  Query: { approvals: (_, { first }) => connection(city.approvals.slice(0, first)) },
  Approval: {
    subject: (approval) => city.subjects.get(approval.subjectCode),
    tasks: (approval) => connection(city.tasks.get(approval.approvalNo)),
  },
  Subject: {
    profile: (subject) => city.profiles.get(subject.code),
    creditRecords: (subject) => connection(city.creditRecords.get(subject.code)),
  },
  VerificationTask: { results: (task) => connection(city.results.get(task.taskId)) },
  TaskResult: { findings: (result) => connection(city.findings.get(result.resultId)) },
};

process.stdin.resume().on("end", () => process.exit(0));
const app = Fastify();
app.register(mercurius, { schema: typeDefs, resolvers, jit: 1 });
const url = await app.listen({ host: "127.0.0.1", port: 0 });
console.log(JSON.stringify({ url: `${url}/graphql` }));
