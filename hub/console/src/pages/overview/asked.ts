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
        since
        reason
        by
      }
      maintenance {
        until
        reason
        kind
      }
      calls {
        lastHour {
          made
          failed
        }
        today {
          made
          failed
        }
      }
      quota {
        perSecond
        used
        waitSeconds
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

/** All that may stand now: none lasts longer than a week. */
export const WINDOWS = graphql(`
  query MaintenanceWindows($since: DateTime!) {
    maintenanceWindows(first: 100, orderBy: BEGINS_AT_DESC, where: { beginsAt: { gte: $since } }) {
      edges {
        node {
          windowId
          platform
          beginsAt
          endsAt
          reason
          plannedBy
          cancelledAt
        }
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

export const PAUSE = graphql(`
  mutation Pause($platform: String!, $reason: String!) {
    pausePlatform(input: { platform: $platform, reason: $reason }) {
      userErrors {
        message
      }
    }
  }
`);

export const RESUME = graphql(`
  mutation Resume($platform: String!, $reason: String!) {
    resumePlatform(input: { platform: $platform, reason: $reason }) {
      userErrors {
        message
      }
    }
  }
`);

export const PLAN_MAINTENANCE = graphql(`
  mutation PlanMaintenance($platform: String!, $from: DateTime, $until: DateTime!, $reason: String!) {
    planMaintenance(input: { platform: $platform, from: $from, until: $until, reason: $reason }) {
      userErrors {
        message
      }
    }
  }
`);

export const CANCEL_MAINTENANCE = graphql(`
  mutation CancelMaintenance($windowId: String!, $reason: String!) {
    cancelMaintenance(input: { windowId: $windowId, reason: $reason }) {
      userErrors {
        message
      }
    }
  }
`);
