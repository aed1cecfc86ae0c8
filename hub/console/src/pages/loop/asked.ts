/** What the loop page asks: which record has a number, and the chain that it stands in. */
import { graphql } from "../../../generated";

export const FIND = graphql(`
  query FindRecord($number: String!, $seesAll: Boolean!) {
    approval(approvalNo: $number) {
      id
    }
    gridEvent(eventNo: $number) {
      id
    }
    verificationTask(taskId: $number) {
      id
    }
    creditRecord(recordId: $number) {
      id
    }
    coordination(coordinationId: $number) {
      id
    }
    repair(repairId: $number) {
      id
    }
    selfReport(reportNo: $number) {
      id
    }
    campaign(campaignId: $number) {
      id
    }
    obligation(key: $number) @include(if: $seesAll) {
      id
    }
    byBizNo: creditRecords(first: 1, where: { bizNo: { eq: $number } }) {
      edges {
        node {
          id
        }
      }
    }
    byExternalNo: verificationTasks(first: 1, where: { externalNo: { eq: $number } }) {
      edges {
        node {
          id
        }
      }
    }
    subject(code: $number) {
      code
      name
      approvals(first: 50, orderBy: ACCEPTED_AT_DESC) {
        edges {
          node {
            id
            approvalNo
            matterName
            decidedAt
          }
        }
      }
      creditRecords(first: 50, orderBy: OCCURRED_AT_DESC) {
        edges {
          node {
            id
            recordId
            itemName
            occurredAt
          }
        }
      }
    }
  }
`);

export const LOOP = graphql(`
  query Case($of: ID!) {
    loop(of: $of) {
      complete
      owed
      awaited
      overdue
      truncated
      trigger {
        id
      }
      steps {
        id
        at
        kind
        platform
        title {
          en
          zh
        }
        key
        subjectCode
        causes
        dueAt
        lateSeconds
        obligation {
          key
          rule
          state
          needs
          dueProvisional
        }
      }
    }
  }
`);
