/** The rows of the list: read a page at a time, kept up to date by what the hub tells. Rows do not jump while one looks at them. */
import { useCallback, useEffect, useRef, useState } from "react";
import { type CombinedError, useClient, useSubscription } from "urql";
import type { ObligationRowFragment } from "../../../generated/graphql";
import { useComeBack } from "../../graph/link";
import { CHANGED, FIND, LIST } from "./asked";
import { filterOf, type Wanted } from "./filter";

const PAGE = 200;
/** Sorts behind every character of a number: what is not later than a text and this begins with the text. */
const LAST = "\uffff";

export type Row = ObligationRowFragment;

interface Read {
  rows: Row[];
  total: number;
  next: string | null;
}

const NOTHING: Read = { rows: [], total: 0, next: null };

export interface Rows extends Read {
  waiting: boolean;
  error: CombinedError | undefined;
  /** How many others have changed or come since it was read. */
  elsewhere: number;
  more: () => void;
  again: () => void;
  put: (rows: readonly Row[]) => void;
}

export function useRows(wanted: Wanted): Rows {
  const client = useClient();
  const [read, setRead] = useState<Read>(NOTHING);
  const [waiting, setWaiting] = useState(true);
  const [error, setError] = useState<CombinedError>();
  const [others, setOthers] = useState<ReadonlySet<string>>(new Set());
  const turn = useRef(0);

  const load = useCallback(
    async (before: Read) => {
      const mine = ++turn.current;
      setWaiting(true);
      const told = wanted.text ? await found(wanted.text) : await page(before);
      if (mine !== turn.current) return; // another question was asked meanwhile
      setWaiting(false);
      setError(told.error);
      if (told.read) setRead(told.read);
      if (told.read && before === NOTHING) setOthers(new Set());

      async function page(from: Read) {
        const { data, error } = await client.query(LIST, { first: PAGE, after: from.next, where: filterOf(wanted), order: wanted.order }).toPromise();
        const list = data?.obligations;
        if (!list) return { error };
        const known = new Set(from.rows.map((row) => row.key));
        const rows = [...from.rows, ...list.edges.map((edge) => edge.node).filter((row) => !known.has(row.key))];
        return { error, read: { rows, total: list.totalCount, next: list.pageInfo.hasNextPage ? (list.pageInfo.endCursor ?? null) : null } };
      }

      async function found(text: string) {
        const { data, error } = await client.query(FIND, { begins: { gte: text, lte: text + LAST } }).toPromise();
        if (!data) return { error };
        const rows = new Map<string, Row>();
        const lists = [data.byKey, data.byNumber, data.byCause, data.bySubject, data.byReceipt];
        for (const list of lists) for (const edge of list?.edges ?? []) rows.set(edge.node.key, edge.node);
        const cut = lists.some((list) => list && list.totalCount > list.edges.length);
        const total = cut ? lists.reduce((sum, list) => sum + (list?.totalCount ?? 0), 0) : rows.size;
        return { error, read: { rows: [...rows.values()], total, next: null } };
      }
    },
    [client, wanted],
  );

  const again = useCallback(() => void load(NOTHING), [load]);
  // eslint-disable-next-line react-hooks/set-state-in-effect -- that it waits is what the asking shows at once
  useEffect(again, [again]);
  useComeBack(again);

  const put = useCallback((rows: readonly Row[]) => {
    const changed = new Map(rows.map((row) => [row.key, row]));
    setRead((before) => ({ ...before, rows: before.rows.map((row) => changed.get(row.key) ?? row) }));
  }, []);

  const here = useRef<ReadonlySet<string>>(new Set());
  useEffect(() => {
    here.current = new Set(read.rows.map((row) => row.key));
  }, [read.rows]);
  const filter = wanted.platform ? { platform: { eq: wanted.platform } } : null;
  useSubscription({ query: CHANGED, variables: { filter } }, (_, told) => {
    const { key, obligation } = told.obligationChanges;
    if (here.current.has(key)) {
      if (obligation) put([obligation]);
    } else setOthers((before) => new Set(before).add(key));
    return told;
  });

  return {
    ...read,
    waiting,
    error,
    elsewhere: others.size,
    more: () => {
      if (!waiting && read.next !== null) void load(read);
    },
    again,
    put,
  };
}
