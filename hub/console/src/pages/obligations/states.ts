/** Where an obligation may stand, and what may be done with it there. */
import type { ObligationState } from "../../../generated/graphql";

export const OPEN_STATES: ObligationState[] = ["WAITING", "DUE", "LEASED", "SENT", "STUCK"];

export const ALL_STATES: ObligationState[] = [...OPEN_STATES, "CLOSED", "WAIVED", "SETTLED", "WITHDRAWN"];

/** In which states the hub lets it be done (hub/reconcile/operations.py). */
const ALLOWED: Record<"retry" | "take off", readonly string[]> = {
  retry: ["STUCK", "WAIVED", "SETTLED"],
  "take off": ["WAITING", "DUE", "SENT", "STUCK"],
};

export function mayBe(act: "retry" | "settle" | "waive", state: string): boolean {
  return ALLOWED[act === "retry" ? "retry" : "take off"].includes(state);
}
