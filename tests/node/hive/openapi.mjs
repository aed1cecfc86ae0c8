// The OpenAPI documents of rest.mjs, by service.
const text = { type: "string" };
const truth = { type: "boolean" };
const ref = (name) => ({ $ref: `#/components/schemas/${name}` });
const object = (properties) => ({ type: "object", properties, required: Object.keys(properties) });
const list = (name) => object({ items: { type: "array", items: ref(name) } });

const first = { name: "first", in: "query", schema: { type: "integer" } };
const keys = { name: "keys", in: "query", required: true, style: "form", explode: false, schema: { type: "array", items: text } };
const reads = (operationId, parameter, schema) => ({
  get: { operationId, parameters: [parameter], responses: { 200: { description: "found", content: { "application/json": { schema } } } } },
});
const many = (name) => ({ type: "array", items: ref(name) });
const service = (title, paths, schemas) => ({ openapi: "3.0.3", info: { title, version: "1" }, paths, components: { schemas } });

export const documents = {
  approval: service(
    "approval",
    { "/approvals": reads("approvals", first, ref("ApprovalList")) },
    {
      ApprovalList: list("Approval"),
      Approval: object({ approvalNo: text, matterName: text, state: text, subjectCode: text }),
    },
  ),
  credit: service(
    "credit",
    {
      "/subjects": reads("subjectsByCode", keys, many("Subject")),
      "/records": reads("recordsBySubject", keys, many("CreditRecordList")),
    },
    {
      Subject: object({ code: text, name: text, profile: ref("CreditProfile") }),
      CreditProfile: object({ score: text, grade: text }),
      CreditRecordList: list("CreditRecord"),
      CreditRecord: object({ recordId: text, category: text, points: text }),
    },
  ),
  enforcement: service(
    "enforcement",
    { "/tasks": reads("tasksByOrigin", keys, many("TaskList")) },
    {
      TaskList: list("Task"),
      Task: object({ taskId: text, status: text, results: ref("ResultList") }),
      ResultList: list("Result"),
      Result: object({ resultId: text, conclusion: text, findings: ref("FindingList") }),
      FindingList: list("Finding"),
      Finding: object({ findingId: text, itemName: text, conform: truth }),
    },
  ),
};
