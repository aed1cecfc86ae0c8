/** What the pages of obligations ask, and do. */
import { graphql } from "../../../generated";

export const ROW = graphql(`
  fragment ObligationRow on Obligation {
    key
    rule
    platform
    state
    cause
    subjectCode
    dueAt
    createdAt
    lateSeconds
    overdue
    attempts
    lastError
    subject {
      name
    }
  }
`);

export const LIST = graphql(`
  query ObligationList($first: Int!, $after: String, $where: ObligationFilter!, $order: ObligationOrder!) {
    obligations(first: $first, after: $after, where: $where, orderBy: $order) {
      totalCount
      pageInfo {
        hasNextPage
        endCursor
      }
      edges {
        node {
          ...ObligationRow
        }
      }
    }
  }
`);

export const FIND = graphql(`
  query FindObligations($begins: TextMatch!) {
    byKey: obligations(first: 200, where: { key: $begins }) {
      totalCount
      edges {
        node {
          ...ObligationRow
        }
      }
    }
    byNumber: obligations(first: 200, where: { number: $begins }) {
      totalCount
      edges {
        node {
          ...ObligationRow
        }
      }
    }
    byCause: obligations(first: 200, where: { cause: $begins }) {
      totalCount
      edges {
        node {
          ...ObligationRow
        }
      }
    }
    bySubject: obligations(first: 200, where: { subjectCode: $begins }) {
      totalCount
      edges {
        node {
          ...ObligationRow
        }
      }
    }
    byReceipt: obligations(first: 200, where: { receipt: $begins }) {
      totalCount
      edges {
        node {
          ...ObligationRow
        }
      }
    }
  }
`);

export const CHANGED = graphql(`
  subscription ObligationChanged($filter: ObligationFilter) {
    obligationChanges(filter: $filter) {
      cursor
      key
      state
      obligation {
        ...ObligationRow
      }
    }
  }
`);

export const RETRY = graphql(`
  mutation Retry($keys: [String!]!, $reason: String) {
    retryObligations(input: { keys: $keys, reason: $reason }) {
      userErrors {
        message
      }
      obligations {
        ...ObligationRow
      }
    }
  }
`);

export const WAIVE = graphql(`
  mutation Waive($key: String!, $reason: String!) {
    waiveObligation(input: { key: $key, reason: $reason }) {
      userErrors {
        message
      }
      obligation {
        ...ObligationRow
      }
    }
  }
`);

export const SETTLE = graphql(`
  mutation Settle($key: String!, $reason: String!) {
    settleObligation(input: { key: $key, reason: $reason }) {
      userErrors {
        message
      }
      obligation {
        ...ObligationRow
      }
    }
  }
`);

export const ONE = graphql(`
  query OneObligation($key: String!) {
    obligation(key: $key) {
      ...ObligationRow
      id
      number
      command
      needs
      waitsFor
      nextAt
      receipt
      policyVersion
      dueProvisional
      sentAt
      closedAt
      decidedBy
      reason
      decidedAt
      approval {
        id
        approvalNo
        matterName
      }
      task {
        id
        taskId
        title
      }
      gridEvent {
        id
        eventNo
        title
      }
      history(first: 50, orderBy: STARTED_AT_DESC) {
        totalCount
        edges {
          node {
            id
            attemptId
            number
            startedAt
            endedAt
            outcome
            detail
          }
        }
      }
      audit(first: 50, orderBy: AT_DESC) {
        edges {
          node {
            entryId
            at
            actor
            action
            reason
            outcome
          }
        }
      }
    }
  }
`);

export const SAID = graphql(`
  query Said($id: ID!) {
    node(id: $id) {
      __typename
      ... on Attempt {
        outcome
        command
        exchanges {
          operation
          sentAt
          answeredAt
          outcome
          request
          answer
        }
      }
    }
  }
`);
