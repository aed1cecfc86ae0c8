/** What of the list is looked for; it stands in the page's address, so that it can be sent to a colleague. */
import { useMemo } from "react";
import { useSearchParams } from "react-router";
import type { OpsItemFilter, OpsItemOrder } from "../../../generated/graphql";
import { en } from "../../words/en";

export const ORDERS = ["OPENED_AT_ASC", "OPENED_AT_DESC"] as const satisfies OpsItemOrder[];
/** Kinds that stand alone; others are a rule's: `breach-record.undecided`. */
export const KINDS = Object.keys(en)
  .filter((name) => name.startsWith("opsKind."))
  .map((name) => name.slice("opsKind.".length));

export interface Wanted {
  text: string;
  kind: string | null;
  settled: boolean;
  order: OpsItemOrder;
}

export function useWanted(): [Wanted, (change: Partial<Wanted>) => void] {
  const [told, tell] = useSearchParams();
  const wanted = useMemo<Wanted>(
    () => ({
      text: told.get("q") ?? "",
      kind: told.get("kind"),
      settled: told.has("settled"),
      order: ORDERS.find((order) => order === told.get("order")) ?? "OPENED_AT_ASC",
    }),
    [told],
  );
  return [wanted, (change) => tell(written({ ...wanted, ...change }))];
}

function written(wanted: Wanted): URLSearchParams {
  const told = new URLSearchParams();
  if (wanted.text) told.set("q", wanted.text);
  if (wanted.kind) told.set("kind", wanted.kind);
  if (wanted.settled) told.set("settled", "1");
  if (wanted.order !== "OPENED_AT_ASC") told.set("order", wanted.order);
  return told;
}

/** The graph's filter, but for the number that is looked for. */
export function filterOf(wanted: Wanted): OpsItemFilter {
  return {
    resolvedAt: { isNull: !wanted.settled },
    ...(wanted.kind ? { kind: { eq: wanted.kind } } : {}),
  };
}
