/** Signing in at the organisation's OpenID provider: authorization code with PKCE (RFC 7636), the code used by this page itself. */

export interface Provider {
  authorizationEndpoint: string;
  tokenEndpoint: string;
  clientId: string;
  scope: string;
}

interface Begun {
  state: string;
  verifier: string;
}

const BEGUN = "bihuan.sign-in";

/** Return the provider that the hub names; null where there is none, or it cannot be told now. */
export async function providerOf(): Promise<Provider | null> {
  try {
    const answer = await fetch(new URL("sign-in", document.baseURI), { signal: AbortSignal.timeout(10_000) });
    return answer.ok ? ((await answer.json()) as Provider | null) : null;
  } catch {
    return null;
  }
}

/** Leave for the provider. */
export async function beginAtProvider(provider: Provider): Promise<void> {
  const begun: Begun = { state: random(), verifier: random() };
  sessionStorage.setItem(BEGUN, JSON.stringify(begun));
  const asked = new URLSearchParams({
    response_type: "code",
    client_id: provider.clientId,
    redirect_uri: here(),
    scope: provider.scope,
    state: begun.state,
    code_challenge: encoded(new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(begun.verifier)))),
    code_challenge_method: "S256",
  });
  const target = new URL(provider.authorizationEndpoint);
  for (const [name, value] of asked) target.searchParams.set(name, value);
  location.assign(target);
}

/** Why a sign-in fails that began in another tab, or nowhere: no word of the provider. */
export const ELSEWHERE = "elsewhere";

/** Exchange the code that the provider sent back for an access token; the address is cleaned in any case. */
export async function finishAtProvider(provider: Provider | null): Promise<{ token: string } | { failed: string }> {
  const told = new URLSearchParams(location.search);
  const begun = JSON.parse(sessionStorage.getItem(BEGUN) ?? "null") as Begun | null;
  sessionStorage.removeItem(BEGUN);
  const clean = here();
  history.replaceState(null, "", clean + location.hash);
  if (told.get("error")) return { failed: told.get("error_description") ?? told.get("error") ?? "" };
  if (!provider || !begun || told.get("state") !== begun.state) return { failed: ELSEWHERE };
  try {
    const answer = await fetch(provider.tokenEndpoint, {
      method: "POST",
      signal: AbortSignal.timeout(20_000),
      body: new URLSearchParams({
        grant_type: "authorization_code",
        code: told.get("code") ?? "",
        redirect_uri: clean,
        client_id: provider.clientId,
        code_verifier: begun.verifier,
      }),
    });
    const given = (await answer.json()) as { access_token?: string; error?: string };
    return given.access_token ? { token: given.access_token } : { failed: given.error ?? String(answer.status) };
  } catch (error) {
    return { failed: String(error) };
  }
}

function here(): string {
  return new URL(".", document.baseURI.split(/[?#]/)[0]).href;
}

function random(): string {
  return encoded(crypto.getRandomValues(new Uint8Array(32)));
}

function encoded(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes)).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}
