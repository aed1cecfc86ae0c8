/** The figures that the page offers, in the groups of the people who ask for them. */
import { graphql } from "../../../generated";
import type { StatisticsPageQuery } from "../../../generated/graphql";

export const STATISTICS = graphql(`
  query StatisticsPage($from: Date, $to: Date, $by: [StatisticAxis!]!) {
    statistics(from: $from, to: $to, by: $by) {
      uncounted
      total {
        ...ShownFigures
      }
      rows {
        period
        departmentCode
        matterCode
        town
        grade
        department {
          name
        }
        matter {
          name
        }
        figures {
          ...ShownFigures
        }
      }
    }
  }
  fragment ShownFigures on Figures {
    approvalsGranted
    grantedByCommitment
    verificationsReceived
    verificationsDone
    verificationsDoneOnTime
    commitmentsNotKept
    creditRecords
    pointsTaken
    subjectsScored
    eventsReceived
    eventsDispatched
    eventsClosed
    eventsClosedWithinLimit
    coordinationsIssued
    coordinationsHandled
    repairs
    pointsRepaired
    selfReports
    selfChecks
    subjectsSelfGoverning
  }
`);

export type Told = NonNullable<StatisticsPageQuery["statistics"]>;
export type Row = Told["rows"][number];
export type Figure = keyof Told["total"];

export const GROUPS = {
  approval: ["approvalsGranted", "grantedByCommitment", "verificationsReceived", "verificationsDone", "verificationsDoneOnTime", "commitmentsNotKept"],
  credit: ["creditRecords", "pointsTaken", "subjectsScored", "repairs", "pointsRepaired"],
  grid: ["eventsReceived", "eventsDispatched", "eventsClosed", "eventsClosedWithinLimit", "coordinationsIssued", "coordinationsHandled"],
  selfgov: ["selfReports", "selfChecks", "subjectsSelfGoverning"],
} as const satisfies Record<string, readonly Figure[]>;

export type Group = keyof typeof GROUPS;

export const AXES = ["DEPARTMENT", "MATTER", "TOWN", "MONTH", "DAY", "YEAR", "GRADE"] as const;

export type Axis = (typeof AXES)[number];

export function isTime(axis: Axis): boolean {
  return axis === "DAY" || axis === "MONTH" || axis === "YEAR";
}

/** Whether the hub can count by both: a row has one period. */
export function goTogether(axis: Axis, second: Axis): boolean {
  return axis !== second && !(isTime(axis) && isTime(second));
}

/** What a row is told apart by; null where the records do not say. */
export function nameOf(row: Row, axis: Axis): string | null {
  switch (axis) {
    case "DEPARTMENT":
      return row.department?.name ?? row.departmentCode ?? null;
    case "MATTER":
      return row.matter?.name ?? row.matterCode ?? null;
    case "TOWN":
      return row.town ?? null;
    case "GRADE":
      return row.grade ?? null;
    default:
      return row.period ?? null;
  }
}
