/** What is looked for stands in the page's address, so that it can be sent to a colleague. */
import { useMemo } from "react";
import { useSearchParams } from "react-router";
import type { ObligationFilter, ObligationOrder, ObligationState } from "../../../generated/graphql";
import { hubNow } from "../../graph/hub_time";
import { ALL_STATES, OPEN_STATES } from "./states";

export const ORDERS = ["DUE_AT_ASC", "DUE_AT_DESC", "CREATED_AT_DESC", "CREATED_AT_ASC"] as const satisfies ObligationOrder[];
const DAY = 86_400_000;

export interface Wanted {
  text: string;
  states: ObligationState[];
  platform: string | null;
  rule: string | null;
  overdue: boolean;
  soon: boolean;
  order: ObligationOrder;
}

export function useWanted(): [Wanted, (change: Partial<Wanted>) => void] {
  const [told, tell] = useSearchParams();
  const wanted = useMemo<Wanted>(
    () => ({
      text: told.get("q") ?? "",
      states: ALL_STATES.filter((state) => told.getAll("state").includes(state)),
      platform: told.get("platform"),
      rule: told.get("rule"),
      overdue: told.has("overdue"),
      soon: told.has("soon"),
      order: ORDERS.find((order) => order === told.get("order")) ?? "DUE_AT_ASC",
    }),
    [told],
  );
  return [wanted, (change) => tell(written({ ...wanted, ...change }))];
}

function written(wanted: Wanted): URLSearchParams {
  const told = new URLSearchParams();
  if (wanted.text) told.set("q", wanted.text);
  for (const state of wanted.states) told.append("state", state);
  if (wanted.platform) told.set("platform", wanted.platform);
  if (wanted.rule) told.set("rule", wanted.rule);
  if (wanted.overdue) told.set("overdue", "1");
  if (wanted.soon) told.set("soon", "1");
  if (wanted.order !== "DUE_AT_ASC") told.set("order", wanted.order);
  return told;
}

/** The graph's filter; open ones where no state is named. */
export function filterOf(wanted: Wanted): ObligationFilter {
  const now = hubNow();
  const late = wanted.overdue ? { lt: new Date(now).toISOString() } : undefined;
  const soon = wanted.soon ? { gte: new Date(now).toISOString(), lte: new Date(now + DAY).toISOString() } : undefined;
  return {
    state: { in: wanted.states.length ? wanted.states : OPEN_STATES },
    ...(wanted.platform ? { platform: { eq: wanted.platform } } : {}),
    ...(wanted.rule ? { rule: { eq: wanted.rule } } : {}),
    ...((late ?? soon) ? { dueAt: late ?? soon } : {}),
  };
}
