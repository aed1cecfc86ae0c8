/** What the overview asks. */
import { graphql } from "../../../generated";

export const PLATFORMS = graphql(`
  query Platforms {
    platforms {
      name
      lastSuccess
      lagSeconds
      backlog
      stuck
      breakerOpenUntil
      bridged
      paused {
        reason
        by
      }
      maintenance {
        until
        reason
      }
      clock {
        aheadSeconds
        warning
      }
      streams {
        stream
        lastSuccessAt
        failure
      }
    }
  }
`);

export const FIGURES = graphql(`
  query OverviewFigures($open: [ObligationState!]!) {
    noTask: obligations(first: 1, where: { rule: { eq: "approval-verification" }, state: { in: $open } }) {
      totalCount
    }
    noRecord: obligations(first: 1, where: { rule: { eq: "breach-record" }, state: { in: $open } }) {
      totalCount
    }
    noAnswer: obligations(first: 1, where: { rule: { eq: "grid-feedback" }, state: { in: $open } }) {
      totalCount
    }
    late: overdue(first: 8) {
      totalCount
      edges {
        node {
          key
          rule
          platform
          state
          dueAt
          lateSeconds
          subject {
            name
          }
        }
      }
    }
    dueSoon(first: 1) {
      totalCount
    }
    stuck: obligations(first: 1, where: { state: { eq: STUCK } }) {
      totalCount
    }
  }
`);

export const OPS_ITEMS = graphql(`
  query OpenOpsItems {
    opsItems(first: 1, where: { resolvedAt: { isNull: true } }) {
      totalCount
    }
  }
`);

export const TREND = graphql(`
  query Trend($from: Date!, $to: Date!) {
    statistics(from: $from, to: $to, by: [DAY]) {
      uncounted
      rows {
        period
        figures {
          approvalsGranted
          tasksDone
          creditRecords
          eventsReceived
        }
      }
    }
  }
`);

export const CHANGES = graphql(`
  subscription Changes {
    obligationChanges {
      cursor
      key
      state
      at
      obligation {
        rule
        platform
      }
    }
  }
`);

export const HEALTH = graphql(`
  subscription Health {
    syncHealth {
      at
      platforms {
        name
      }
    }
  }
`);
