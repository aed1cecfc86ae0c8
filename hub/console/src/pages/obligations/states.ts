/** Where an obligation may stand, and what may be done with it there. */
import type { ObligationState } from "../../graph/generated/graphql";

export const OPEN_STATES: ObligationState[] = ["WAITING", "DUE", "LEASED", "SENT", "STUCK"];

export const ALL_STATES: ObligationState[] = [...OPEN_STATES, "CLOSED", "WAIVED", "SETTLED", "WITHDRAWN"];
