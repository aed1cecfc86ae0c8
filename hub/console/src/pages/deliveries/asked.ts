/** What the page of deliveries asks, and does. */
import { graphql } from "../../../generated";

export const DELIVERIES = graphql(`
  query DeliveryList($after: String, $where: DeliveryFilter) {
    deliveries(first: 50, after: $after, where: $where, orderBy: RECEIVED_AT_DESC) {
      totalCount
      pageInfo {
        hasNextPage
        endCursor
      }
      edges {
        node {
          deliveryId
          platform
          messageId
          receivedAt
          state
          detail
          repeats
        }
      }
    }
  }
`);

export const QUARANTINE = graphql(`
  query QuarantineList($after: String) {
    quarantinedRecords(first: 50, after: $after, orderBy: QUARANTINED_AT_DESC) {
      totalCount
      pageInfo {
        hasNextPage
        endCursor
      }
      edges {
        node {
          quarantineId
          platform
          stream
          recordKey
          reason
          detail
          deliveryId
          quarantinedAt
          releasedAt
        }
      }
    }
  }
`);

export const REFUSED = graphql(`
  query RefusedList($after: String) {
    refusedDeliveries(first: 50, after: $after, orderBy: LAST_AT_DESC) {
      totalCount
      pageInfo {
        hasNextPage
        endCursor
      }
      edges {
        node {
          refusalId
          platform
          code
          remote
          messageId
          detail
          lastAt
          times
        }
      }
    }
  }
`);

export const TRACE = graphql(`
  query Trace($id: String!) {
    deliveryTraces(id: $id) {
      traces {
        delivery {
          deliveryId
          platform
          messageId
          receivedAt
          appliedAt
          state
          detail
          repeats
        }
        remote
        body
        records {
          entity
          key
          version
          fate
          detail
          content
        }
      }
    }
  }
`);

export const QUARANTINED = graphql(`
  query Quarantined($id: String!) {
    quarantineView(id: $id) {
      record {
        platform
        stream
        entity
        recordKey
        reason
        detail
        deliveryId
        quarantinedAt
        releasedAt
      }
      raw
      held
      heldVersion
    }
  }
`);

export const REPLAY = graphql(`
  mutation Replay($ids: [String!]!, $dryRun: Boolean!) {
    replayDeliveries(input: { deliveryIds: $ids, dryRun: $dryRun }) {
      userErrors {
        message
      }
      replayed
      difference {
        obligations
        counts {
          outcome
          number
        }
        records {
          entity
          key
          version
          heldVersion
          outcome
          detail
        }
      }
    }
  }
`);
