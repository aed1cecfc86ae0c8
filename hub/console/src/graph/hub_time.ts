/** The hub's clock as far as we know it: ages are counted by it, for a browser's own clock may be off. */
let ahead = 0;

/** Take the hub's word for what time it is. */
export function setHubTime(at: string): void {
  ahead = Date.parse(at) - Date.now();
}

/** Milliseconds. */
export function hubNow(): number {
  return Date.now() + ahead;
}
