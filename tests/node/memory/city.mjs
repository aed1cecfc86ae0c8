// The records in memory, found by what they are asked for; and the schema of the nested query, as the hub's.
import { readFileSync } from "node:fs";

export const typeDefs = /* GraphQL */ `
  type Query { approvals(first: Int = 20): ApprovalConnection! }
  type ApprovalConnection { edges: [ApprovalEdge!]! }
  type ApprovalEdge { node: Approval! }
  type Approval { approvalNo: String! matterName: String! state: ApprovalState! subject: Subject tasks: VerificationTaskConnection! }
  enum ApprovalState { ACCEPTED GRANTED REFUSED REVOKED }
  type Subject { code: String! name: String! profile: CreditProfile creditRecords: CreditRecordConnection! }
  type CreditProfile { score: String! grade: String! }
  type CreditRecordConnection { edges: [CreditRecordEdge!]! }
  type CreditRecordEdge { node: CreditRecord! }
  type CreditRecord { recordId: String! category: RecordCategory! points: String! }
  enum RecordCategory { COMMITMENT_BREACH REGULATORY_POINTS COMPREHENSIVE_DEDUCTION RESPONSIBLE_PERSON }
  type VerificationTaskConnection { edges: [VerificationTaskEdge!]! }
  type VerificationTaskEdge { node: VerificationTask! }
  type VerificationTask { taskId: String! status: TaskStatus! results: TaskResultConnection! }
  enum TaskStatus { PENDING DISPATCHED ACCEPTED IN_PROGRESS DONE CANCELLED TRANSFERRED }
  type TaskResultConnection { edges: [TaskResultEdge!]! }
  type TaskResultEdge { node: TaskResult! }
  type TaskResult { resultId: String! conclusion: Conclusion! findings: FindingConnection! }
  enum Conclusion { CONFORM NONCONFORM UNREACHABLE }
  type FindingConnection { edges: [FindingEdge!]! }
  type FindingEdge { node: Finding! }
  type Finding { findingId: String! itemName: String! conform: Boolean! }
`;

/** Reads the file of records and indexes it by what the edges ask for. */
export function cityOf(path) {
  const told = JSON.parse(readFileSync(path, "utf8"));
  return {
    approvals: told.Approval,
    subjects: one(told.Subject, "code"),
    profiles: one(told.CreditProfile, "code"),
    creditRecords: many(told.CreditRecord, "subjectCode"),
    tasks: many(told.VerificationTask, "originRef"),
    results: many(told.TaskResult, "taskId"),
    findings: many(told.Finding, "resultId"),
  };
}

/** Returns a connection of records; an absent list is an empty one. */
export const connection = (records = []) => ({ edges: records.map((node) => ({ node })) });

const one = (records, key) => new Map(records.map((each) => [each[key], each]));
const many = (records, key) => Map.groupBy(records, (each) => each[key]);
