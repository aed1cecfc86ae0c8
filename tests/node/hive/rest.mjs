// A thin REST server with the platforms' records, for a gateway to compose: node rest.mjs RECORDS. It ends with its standard input.
//
// Three services under one address, each with its OpenAPI document at /<service>/openapi.json. What is asked by keys answers all of
// them at once, in the order of the keys; a task comes with its results and findings, as the enforcement platform tells of it.
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { documents } from "./openapi.mjs";

const told = JSON.parse(readFileSync(process.argv[2], "utf8"));
const grouped = (records, key) => Map.groupBy(records, (each) => each[key]);

const findings = grouped(told.Finding, "resultId");
const results = grouped(
  told.TaskResult.map((result) => ({ ...result, findings: { items: findings.get(result.resultId) ?? [] } })),
  "taskId",
);
const tasks = grouped(
  told.VerificationTask.map((task) => ({ ...task, results: { items: results.get(task.taskId) ?? [] } })),
  "originRef",
);
const profiles = new Map(told.CreditProfile.map((each) => [each.code, each]));
const subjects = new Map(told.Subject.map((each) => [each.code, { ...each, profile: profiles.get(each.code) }]));
const records = grouped(told.CreditRecord, "subjectCode");

const keys = (query) => query.get("keys").split(",");
const answers = {
  "/approval/approvals": (query) => ({ items: told.Approval.slice(0, Number(query.get("first") ?? 20)) }),
  "/credit/subjects": (query) => keys(query).map((key) => subjects.get(key) ?? null),
  "/credit/records": (query) => keys(query).map((key) => ({ items: records.get(key) ?? [] })),
  "/enforcement/tasks": (query) => keys(query).map((key) => ({ items: tasks.get(key) ?? [] })),
};

process.stdin.resume().on("end", () => process.exit(0));
const server = createServer((request, response) => {
  const { pathname, searchParams } = new URL(request.url, "http://rest");
  const document = documents[pathname.match(/^\/(\w+)\/openapi\.json$/)?.[1]];
  const body = document ?? answers[pathname]?.(searchParams);
  response.writeHead(body ? 200 : 404, { "content-type": "application/json" }).end(JSON.stringify(body ?? {}));
});
server.keepAliveTimeout = 60_000;
server.listen(0, "127.0.0.1", () => {
  console.log(JSON.stringify({ url: `http://127.0.0.1:${server.address().port}` }));
});
