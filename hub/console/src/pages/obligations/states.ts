/** Where an obligation may stand, and what may be done with it there. */
import type { ObligationState } from "../../graph/generated/graphql";

export const OPEN_STATES: ObligationState[] = ["WAITING", "DUE", "LEASED", "SENT", "STUCK"];

export const ALL_STATES: ObligationState[] = [...OPEN_STATES, "CLOSED", "WAIVED", "SETTLED", "WITHDRAWN"];

const OPEN: ReadonlySet<string> = new Set(OPEN_STATES);
const AGAIN: ReadonlySet<string> = new Set(["STUCK", "WAIVED", "SETTLED", "DUE"]);

/** Whether the hub lets it be done in this state (hub/reconcile/operations.py). */
export function mayBe(act: "retry" | "settle" | "waive", state: string): boolean {
  return (act === "retry" ? AGAIN : OPEN).has(state);
}
