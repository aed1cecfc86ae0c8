/** Who is signed in, for this tab only: closing it signs out. */

const KEY = "bihuan.key";

let told = sessionStorage.getItem(KEY);
const listeners = new Set<() => void>();

/** The application key or token; "" goes on without one, null is nobody yet. */
export function currentKey(): string | null {
  return told;
}

export function signIn(key: string): void {
  told = key;
  sessionStorage.setItem(KEY, key);
  tell();
}

export function signOut(): void {
  told = null;
  sessionStorage.removeItem(KEY);
  tell();
}

export function onSession(listener: () => void): () => void {
  listeners.add(listener);
  return () => {
    listeners.delete(listener);
  };
}

/** The headers that show who asks. */
export function shown(key: string | null): Record<string, string> {
  return key ? { authorization: `Bearer ${key}` } : {};
}

function tell(): void {
  for (const each of listeners) each();
}
