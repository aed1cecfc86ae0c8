/** One question outside of a session: whose key is this? */
import { Client, fetchExchange } from "@urql/core";
import { GRAPH } from "../graph/address";
import type { MeQuery } from "../../generated/graphql";
import { shown } from "../graph/session";
import { ME } from "./me";

/** Return who shows the key; UNKNOWN where the hub refuses it, UNREACHABLE where it does not answer. */
export async function whoIs(key: string): Promise<MeQuery["me"] | "UNKNOWN" | "UNREACHABLE"> {
  const client = new Client({
    url: GRAPH,
    exchanges: [fetchExchange],
    preferGetMethod: false,
    fetchOptions: { headers: shown(key), signal: AbortSignal.timeout(10_000) },
  });
  const { data, error } = await client.query(ME, {}).toPromise();
  if (data) return data.me;
  return (error?.response as Response | undefined)?.status === 401 ? "UNKNOWN" : "UNREACHABLE";
}
