/** Who is signed in, and what the pages may offer. */
import { createContext, useContext } from "react";
import { graphql } from "../../generated";
import type { MeQuery } from "../../generated/graphql";

export const ME = graphql(`
  query Me {
    me {
      name
      scopes
      departments
      regions
    }
  }
`);

export class Rights {
  readonly name: string | null;
  readonly #scopes: ReadonlySet<string>;

  constructor(me: MeQuery["me"]) {
    this.name = me.name ?? null;
    this.#scopes = new Set(me.scopes);
  }

  /** May read records of the city. */
  get reads(): boolean {
    return this.#scopes.has("graph:read");
  }

  /** May see what operators see, of all platforms or of some. */
  get sees(): boolean {
    return this.seesAll || [...this.#scopes].some((scope) => scope.startsWith("platform:"));
  }

  get seesAll(): boolean {
    return this.#scopes.has("ops:read");
  }

  /** May retry, settle, waive, replay, repair. */
  get acts(): boolean {
    return this.#scopes.has("ops:act");
  }

  /** May see personal data in clear text. */
  get reveals(): boolean {
    return this.#scopes.has("graph:pii") && this.reads;
  }
}

export const RightsContext = createContext<Rights | null>(null);

export function useRights(): Rights {
  const found = useContext(RightsContext);
  if (found === null) throw new Error("useRights outside of a signed-in console");
  return found;
}
