/** A question of a page: asked when it is shown, again every so often, and when something says that the answer has changed. */
import { useCallback, useEffect, useRef } from "react";
import { type AnyVariables, type CombinedError, type TypedDocumentNode, useQuery } from "urql";
import { useComeBack } from "./link";

export interface Asked<Data> {
  data: Data | undefined;
  error: CombinedError | undefined;
  /** True until there is a first answer. */
  waiting: boolean;
  again: () => void;
}

export function useAsked<Data, Variables extends AnyVariables>(
  query: TypedDocumentNode<Data, Variables>,
  variables: Variables,
  options: { everySeconds?: number; pause?: boolean } = {},
): Asked<Data> {
  const [{ data, error, fetching }, ask] = useQuery<Data, Variables>({ query, variables, pause: options.pause ?? false } as never);
  const under = useRef({ way: false, wanted: false });
  const again = useCallback(() => {
    // One that is under way is not cut off: a hub that is slow would never come to answer.
    if (under.current.way) under.current.wanted = true;
    else ask({ requestPolicy: "network-only" });
  }, [ask]);
  useEffect(() => {
    under.current.way = fetching;
    if (fetching || !under.current.wanted) return;
    under.current.wanted = false;
    ask({ requestPolicy: "network-only" });
  }, [fetching, ask]);
  useComeBack(again);
  useEvery(again, options.pause ? 0 : (options.everySeconds ?? 0));
  return { data, error, waiting: fetching && data === undefined, again };
}

/** Call again and again while the page is visible, and at once when it becomes visible; 0 is never. */
function useEvery(call: () => void, seconds: number): void {
  useEffect(() => {
    if (!seconds) return undefined;
    const timer = setInterval(() => {
      if (!document.hidden) call();
    }, seconds * 1000);
    const look = (): void => {
      if (!document.hidden) call();
    };
    document.addEventListener("visibilitychange", look);
    return () => {
      clearInterval(timer);
      document.removeEventListener("visibilitychange", look);
    };
  }, [call, seconds]);
}

/** Return a function that calls `call` at most once in `wait` milliseconds, the last time included. */
export function useSettled(call: () => void, wait: number): () => void {
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const latest = useRef(call);
  useEffect(() => {
    latest.current = call;
  }, [call]);
  useEffect(() => () => clearTimeout(timer.current), []);
  return useCallback(() => {
    timer.current ??= setTimeout(() => {
      timer.current = undefined;
      latest.current();
    }, wait);
  }, [wait]);
}
