/** The items of a page of the list, or all that a number finds. */
import type { CombinedError } from "urql";
import type { OpsListItemFragment } from "../../../generated/graphql";
import { useAsked } from "../../graph/use";
import { useRights } from "../../shell/me";
import { FIND, OPS_LIST } from "./asked";
import { filterOf, type Wanted } from "./wanted";

const REFRESH = 10;

export type Item = OpsListItemFragment;

export interface Items {
  items: Item[];
  total: number;
  /** Where the next page begins; null where there is none. */
  next: string | null;
  error: CombinedError | undefined;
  waiting: boolean;
  again: () => void;
}

export function useItems(wanted: Wanted, after: string | null): Items {
  const where = filterOf(wanted);
  const { order } = wanted;
  const names = useRights().reads;
  const listed = useAsked(OPS_LIST, { after, where, order, names }, { everySeconds: REFRESH, pause: Boolean(wanted.text) });
  const found = useAsked(
    FIND,
    { cause: { ...where, cause: { eq: wanted.text } }, subject: { ...where, subjectCode: { eq: wanted.text } }, order, names },
    { everySeconds: REFRESH, pause: !wanted.text },
  );
  if (wanted.text) {
    const each = [...(found.data?.byCause?.edges ?? []), ...(found.data?.bySubject?.edges ?? [])].map((edge) => edge.node);
    const items = [...new Map(each.map((one) => [one.itemId, one])).values()];
    return { ...found, items, total: items.length, next: null };
  }
  const list = listed.data?.opsItems;
  return {
    ...listed,
    items: list?.edges.map((edge) => edge.node) ?? [],
    total: list?.totalCount ?? 0,
    next: list?.pageInfo.hasNextPage ? (list.pageInfo.endCursor ?? null) : null,
  };
}
