/** Times as people in the city read them: Beijing time, with the age beside it. */
import { Tooltip } from "antd";
import { useSyncExternalStore } from "react";
import { hubNow } from "../graph/hub_time";
import { filled, useWords, type Words } from "../words";

const SHOWN = new Intl.DateTimeFormat("sv-SE", {
  timeZone: "Asia/Shanghai",
  year: "numeric",
  month: "2-digit",
  day: "2-digit",
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
});

/** `2019-09-02 09:00:00`, in Beijing. */
export function inBeijing(at: string | number): string {
  return SHOWN.format(new Date(at));
}

/** The day in Beijing, `2019-09-02`. */
export function beijingDay(at: string | number): string {
  return inBeijing(at).slice(0, 10);
}

/** `3 min`: a length of time in its largest unit. */
export function lengthOf(seconds: number, words: Words): string {
  const n = Math.abs(seconds);
  if (n < 60) return filled(words["time.s"], { n: Math.floor(n) });
  if (n < 3600) return filled(words["time.min"], { n: Math.floor(n / 60) });
  if (n < 86_400) return filled(words["time.h"], { n: Math.floor(n / 3600) });
  return filled(words["time.d"], { n: Math.floor(n / 86_400) });
}

/** `0.25 s` from one moment to another. */
export function secondsBetween(from: string, to: string): string {
  return `${((Date.parse(to) - Date.parse(from)) / 1000).toFixed(2)} s`;
}

/** A moment with its age, or with what is left until then. */
export function Moment({ at, plain = false }: { at: string | null | undefined; plain?: boolean }) {
  const words = useWords();
  const now = useNow();
  if (!at) return <span className="quiet">{plain ? "—" : words["time.never"]}</span>;
  const seconds = (now - Date.parse(at)) / 1000;
  const age = filled(seconds < 0 ? words["time.in"] : words["time.ago"], { age: lengthOf(seconds, words) });
  return (
    <Tooltip title={`${inBeijing(at)} ${words["time.beijing"]}`}>
      <time dateTime={at} className="moment">
        {inBeijing(at).slice(5, 16)} <span className="quiet">{age}</span>
      </time>
    </Tooltip>
  );
}

let ticking = 0;
let tick = hubNow();
const listeners = new Set<() => void>();

/** The hub's time, anew each second; one clock for all that shows ages. */
export function useNow(): number {
  return useSyncExternalStore(listen, () => tick);
}

/** Stands here, not within the hook: a new function at each drawing would begin and end the clock each time, for ever. */
function listen(listener: () => void): () => void {
  listeners.add(listener);
  if (listeners.size === 1) {
    tick = hubNow();
    ticking = window.setInterval(() => {
      tick = hubNow();
      for (const each of listeners) each();
    }, 1000);
  }
  return () => {
    listeners.delete(listener);
    if (!listeners.size) clearInterval(ticking);
  };
}
