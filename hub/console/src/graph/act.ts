/** Something that is done through the graph, and what was refused of it. */
import { useCallback } from "react";
import { type AnyVariables, type TypedDocumentNode, useClient } from "urql";
import { useWords } from "../words";

/** Return a function that carries out a mutation, and returns why it was refused; undefined where it was done. */
export function useActing() {
  const words = useWords();
  const client = useClient();
  return useCallback(
    async <Data, Variables extends AnyVariables>(mutation: TypedDocumentNode<Data, Variables>, variables: Variables): Promise<string | undefined> => {
      const { data, error } = await client.mutation(mutation, variables).toPromise();
      if (error) return error.graphQLErrors[0]?.message ?? words["error.network"];
      return Object.values((data ?? {}) as Record<string, unknown>)
        .flatMap(refusals)
        .join("; ") || undefined;
    },
    [client, words],
  );
}

function refusals(payload: unknown): string[] {
  const { userErrors } = (payload ?? {}) as { userErrors?: readonly { message: string }[] };
  return userErrors?.map((each) => each.message) ?? [];
}
