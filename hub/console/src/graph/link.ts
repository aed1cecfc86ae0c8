/** Whether the hub tells of changes now, and when it was last heard. Read by the sign in the header. */
import { useEffect, useRef, useSyncExternalStore } from "react";
import { hubNow } from "./hub_time";

export interface Link {
  state: "connecting" | "live" | "gone";
  /** When something was last heard, in milliseconds of this machine's clock; null before the first answer. */
  heardAt: number | null;
  /** Since when, by the hub's clock, it has not been live, having been so before; null while it is. */
  lostAt: number | null;
}

let link: Link = { state: "connecting", heardAt: null, lostAt: null };
const listeners = new Set<() => void>();

export function noteLink(state: Link["state"]): void {
  if (state === link.state) return;
  const lost = state !== "live" && (link.state === "live" || link.lostAt !== null);
  put({ ...link, state, lostAt: lost ? (link.lostAt ?? hubNow()) : null });
}

/** Note an answer or an event; shown by the second, so told no more often. */
export function noteHeard(): void {
  const now = Date.now();
  if (link.heardAt === null || now - link.heardAt > 500) put({ ...link, heardAt: now });
}

export function useLink(): Link {
  return useSyncExternalStore(listen, () => link);
}

/** Call when the connection is back: what was told meanwhile was missed. */
export function useComeBack(call: () => void): void {
  const lost = useSyncExternalStore(listen, () => link.lostAt !== null);
  const before = useRef(lost);
  useEffect(() => {
    if (before.current && !lost) call();
    before.current = lost;
  }, [lost, call]);
}

function listen(listener: () => void): () => void {
  listeners.add(listener);
  return () => {
    listeners.delete(listener);
  };
}

function put(next: Link): void {
  link = next;
  for (const each of listeners) each();
}
