/** Retry, settle and waive, one or many, with a reason and a way back. */
import { App, Button } from "antd";
import { useState } from "react";
import { useClient } from "urql";
import { ReasonDialog } from "../../parts/reason_dialog";
import { useRights } from "../../shell/me";
import { filled, useWords } from "../../words";
import { RETRY, SETTLE, WAIVE } from "./asked";
import type { Row } from "./rows";
import { mayBe } from "./states";

export type Act = "retry" | "settle" | "waive";
const ACTS: Act[] = ["retry", "settle", "waive"];
const UNDO_SECONDS = 12;
const AT_ONCE = 200;

interface Props {
  rows: readonly Row[];
  /** Called with what the rows are now. */
  done: (rows: readonly Row[]) => void;
}

/** Buttons for what may be done with these; nothing for who may not act. */
export function Acts({ rows, done }: Props) {
  const words = useWords();
  const rights = useRights();
  const [asking, setAsking] = useState<Act | null>(null);
  const act = useAct(done);
  if (!rights.acts) return null;
  const fit = (which: Act): Row[] => rows.filter((row) => mayBe(which, row.state));
  return (
    <span className="row">
      {ACTS.map((which) => (
        <Button key={which} danger={which === "waive"} type={which === "retry" ? "primary" : "default"} disabled={!fit(which).length} onClick={() => setAsking(which)}>
          {words[`obligations.${which}`]}
        </Button>
      ))}
      {asking && (
        <ReasonDialog
          title={filled(words[`obligations.${asking}Title`], { n: fit(asking).length })}
          help={words[`obligations.${asking}Help`]}
          confirm={words[`obligations.${asking}`]}
          danger={asking === "waive"}
          optional={asking === "retry"}
          act={(reason) => act(asking, fit(asking).map((row) => row.key), reason)}
          close={() => setAsking(null)}
        />
      )}
    </span>
  );
}

/** Return a function that does it, tells what came of it, and offers to take it back. */
function useAct(done: Props["done"]): (which: Act, keys: string[], reason: string) => Promise<void> {
  const words = useWords();
  const client = useClient();
  const { notification } = App.useApp();

  async function carriedOut(which: Act, keys: string[], reason: string): Promise<{ rows: Row[]; refused: string[] }> {
    const rows: Row[] = [];
    const refused: string[] = [];
    const note = (told: { userErrors: { message: string }[] } | null | undefined, error: { message: string } | undefined): void => {
      if (error) refused.push(error.message);
      refused.push(...(told?.userErrors.map((each) => each.message) ?? []));
    };
    if (which === "retry") {
      for (let at = 0; at < keys.length; at += AT_ONCE) {
        const { data, error } = await client.mutation(RETRY, { keys: keys.slice(at, at + AT_ONCE), reason: reason || null }).toPromise();
        note(data?.retryObligations, error);
        rows.push(...(data?.retryObligations?.obligations ?? []));
      }
      return { rows, refused };
    }
    for (const key of keys) {
      const { told, error } = await (which === "waive" ? waived(key, reason) : settled(key, reason));
      note(told, error);
      if (told?.obligation) rows.push(told.obligation);
    }
    return { rows, refused };
  }

  async function waived(key: string, reason: string) {
    const { data, error } = await client.mutation(WAIVE, { key, reason }).toPromise();
    return { told: data?.waiveObligation, error };
  }

  async function settled(key: string, reason: string) {
    const { data, error } = await client.mutation(SETTLE, { key, reason }).toPromise();
    return { told: data?.settleObligation, error };
  }

  return async (which, keys, reason) => {
    const { rows, refused } = await carriedOut(which, keys, reason);
    done(rows);
    if (refused.length)
      notification.error({ title: filled(words["obligations.refused"], { n: refused.length, message: [...new Set(refused)].slice(0, 3).join("; ") }), duration: 0 });
    if (!rows.length) return;
    const title = `${words[`obligations.${which}`]}: ${filled(words["obligations.done"], { n: rows.length })}`;
    if (which === "retry") { notification.success({ title }); return; }
    const name = `act-${Date.now()}`;
    const undo = async (): Promise<void> => {
      notification.destroy(name);
      const back = await carriedOut("retry", rows.map((row) => row.key), filled(words["obligations.undoReason"], { reason }));
      done(back.rows);
    };
    notification.success({
      key: name,
      title,
      duration: UNDO_SECONDS,
      actions: <Button onClick={() => void undo()}>{words["obligations.undo"]}</Button>,
    });
  };
}
