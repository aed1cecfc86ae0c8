/** What the page of a subject asks. */
import { graphql } from "../../../generated";

export const SUBJECT = graphql(`
  query SubjectPage($code: String!, $sees: Boolean!) {
    subject(code: $code) {
      id
      code
      name
      codeType
      freshness {
        source
        observedAt
        stale
      }
      profile {
        score
        grade
        regulatoryPoints
        updatedAt
        freshness {
          source
          observedAt
          stale
        }
      }
      identifiers(first: 50) {
        edges {
          node {
            identifier
            kind
          }
        }
      }
      creditRecords(first: 200, orderBy: OCCURRED_AT_DESC) {
        totalCount
        edges {
          node {
            id
            recordId
            category
            itemName
            points
            openPoints
            occurredAt
            cancelled
            department {
              name
            }
            repairs(first: 20) {
              edges {
                node {
                  points
                  way
                  completedAt
                }
              }
            }
          }
        }
      }
      approvals(first: 50, orderBy: ACCEPTED_AT_DESC) {
        totalCount
        edges {
          node {
            id
            approvalNo
            matterName
            procedure
            state
            decidedAt
            departmentName
            phone
            identityNo
            representativeIdentityNo
          }
        }
      }
      results(first: 50, orderBy: CHECKED_AT_DESC) {
        totalCount
        edges {
          node {
            id
            resultId
            taskId
            conclusion
            checkedAt
          }
        }
      }
      obligations(first: 50, orderBy: DUE_AT_DESC) @include(if: $sees) {
        totalCount
        edges {
          node {
            key
            rule
            state
            dueAt
          }
        }
      }
    }
  }
`);

export const REVEAL = graphql(`
  mutation Reveal($id: ID!, $field: String!, $reason: String!) {
    revealPersonalData(input: { id: $id, field: $field, reason: $reason }) {
      value
      userErrors {
        message
      }
    }
  }
`);
