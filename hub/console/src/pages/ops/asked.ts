/** What the ops list asks, and does. `$names`: whether whoever asks may read records, and so the names of subjects. */
import { graphql } from "../../../generated";

export const ITEM = graphql(`
  fragment OpsListItem on OpsItem {
    itemId
    kind
    subjectCode
    cause
    message
    before
    after
    openedAt
    resolvedAt
    resolvedBy
    resolution
    subject @include(if: $names) {
      name
    }
    obligation {
      key
      rule
      platform
      state
    }
  }
`);

export const OPS_LIST = graphql(`
  query OpsList($after: String, $where: OpsItemFilter, $order: OpsItemOrder, $names: Boolean!) {
    opsItems(first: 50, after: $after, where: $where, orderBy: $order) {
      totalCount
      pageInfo {
        hasNextPage
        endCursor
      }
      edges {
        node {
          ...OpsListItem
        }
      }
    }
  }
`);

/** A number is what an item is about, or whom. */
export const FIND = graphql(`
  query FindOpsItems($cause: OpsItemFilter, $subject: OpsItemFilter, $order: OpsItemOrder, $names: Boolean!) {
    byCause: opsItems(first: 100, where: $cause, orderBy: $order) {
      edges {
        node {
          ...OpsListItem
        }
      }
    }
    bySubject: opsItems(first: 100, where: $subject, orderBy: $order) {
      edges {
        node {
          ...OpsListItem
        }
      }
    }
  }
`);

export const RESOLVE = graphql(`
  mutation ResolveOpsItem($itemId: String!, $resolution: String!) {
    resolveOpsItem(input: { itemId: $itemId, resolution: $resolution }) {
      userErrors {
        message
      }
    }
  }
`);

/** Most of what comes on the list comes with a change of an obligation. */
export const STIRRED = graphql(`
  subscription Stirred {
    obligationChanges {
      cursor
    }
  }
`);
