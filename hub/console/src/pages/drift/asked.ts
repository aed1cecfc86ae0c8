/** What the page of drift asks, and does. */
import { graphql } from "../../../generated";

export const DRIFT = graphql(`
  query Drift($states: [DriftState!]!) {
    driftReports(first: 200) {
      edges {
        node {
          reportId
          platform
          entity
          method
          startedAt
          endedAt
          failure
          checked
          differing
          repaired
          waiting
          unexplained
        }
      }
    }
    driftFindings(first: 200, where: { state: { in: $states } }) {
      totalCount
      edges {
        node {
          findingId
          platform
          entity
          recordKey
          kind
          state
          ourVersion
          theirVersion
          foundAt
          itemId
        }
      }
    }
  }
`);

export const COMPARE = graphql(`
  mutation Compare($platform: String!) {
    compareNow(input: { platform: $platform }) {
      userErrors {
        message
      }
      reports {
        reportId
      }
    }
  }
`);

export const RESYNC = graphql(`
  mutation Resync($platform: String!) {
    resync(input: { platform: $platform }) {
      userErrors {
        message
      }
      streams {
        streamId
      }
    }
  }
`);

export const APPROVE = graphql(`
  mutation ApproveGone($itemId: String!, $reason: String!) {
    approveTombstones(input: { itemId: $itemId, reason: $reason }) {
      userErrors {
        message
      }
    }
  }
`);
