/** Whether the hub tells of changes now, and when it was last heard. Read by the sign in the header. */
import { useSyncExternalStore } from "react";

export interface Link {
  state: "connecting" | "live" | "gone";
  /** Milliseconds of this machine's clock; null before the first answer. */
  heardAt: number | null;
}

let link: Link = { state: "connecting", heardAt: null };
const listeners = new Set<() => void>();

export function noteLink(state: Link["state"]): void {
  if (state !== link.state) put({ ...link, state });
}

/** Note an answer or an event; shown by the second, so told no more often. */
export function noteHeard(): void {
  const now = Date.now();
  if (link.heardAt === null || now - link.heardAt > 500) put({ ...link, heardAt: now });
}

export function useLink(): Link {
  return useSyncExternalStore(listen, () => link);
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
