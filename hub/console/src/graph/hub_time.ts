/** The hub's clock as far as we know it: ages are counted by it, for a browser's own clock may be off. */
let ahead: number | null = null;

/** Take the hub's word for what time it is. It was on its way for a while: the word that came quickest is the nearest. */
export function setHubTime(at: string): void {
  ahead = Math.max(ahead ?? -Infinity, Date.parse(at) - Date.now());
}

/** Milliseconds. */
export function hubNow(): number {
  return Date.now() + (ahead ?? 0);
}
