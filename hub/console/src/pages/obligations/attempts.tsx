/** Each try: how it ended, and what was said with the platform, to and fro side by side, as it was sent but for what is masked. */
import { Button, Spin, Table } from "antd";
import { useState } from "react";
import type { OneObligationQuery, SaidQuery } from "../../../generated/graphql";
import { useAsked } from "../../graph/use";
import { Failure } from "../../parts/failure";
import { Mark, type Tone } from "../../parts/mark";
import { Moment, secondsBetween } from "../../parts/moment";
import { Raw } from "../../parts/raw";
import { filled, useNamed, useWords } from "../../words";
import { SAID } from "./asked";

type Attempt = NonNullable<OneObligationQuery["obligation"]>["history"]["edges"][number]["node"];
type Said = Extract<NonNullable<SaidQuery["node"]>, { __typename: "Attempt" }>;
const OUTCOMES: Record<string, Tone> = { RUNNING: "busy", ACCEPTED: "good", REFUSED: "bad", FAILED: "warn", UNKNOWN: "warn" };

export function Attempts({ attempts }: { attempts: Attempt[] }) {
  const words = useWords();
  const named = useNamed();
  const [open, setOpen] = useState<string | null>(null);
  const shown = open ?? attempts[0]?.attemptId;
  return (
    <section className="pane" aria-labelledby="attempts">
      <h2 id="attempts">{words["obligation.attempts"]}</h2>
      <Table<Attempt>
        size="small"
        rowKey="attemptId"
        pagination={false}
        dataSource={attempts}
        locale={{ emptyText: words["obligation.attemptsNone"] }}
        expandable={{
          expandedRowKeys: shown ? [shown] : [],
          showExpandColumn: false,
          expandedRowRender: (each) => <Exchanges key={`${each.attemptId} ${each.outcome}`} id={each.id} />,
        }}
        columns={[
          { title: "#", width: 50, dataIndex: "number" },
          { title: words["obligation.started"], width: 190, render: (_, each) => <Moment at={each.startedAt} /> },
          { title: words["obligation.took"], width: 90, align: "right", render: (_, each) => (each.endedAt ? secondsBetween(each.startedAt, each.endedAt) : "—") },
          { title: words["obligation.outcome"], width: 120, render: (_, each) => <Mark tone={OUTCOMES[each.outcome] ?? "calm"}>{named("outcome", each.outcome)}</Mark> },
          { title: words["obligation.detail"], render: (_, each) => <span className="mono">{each.detail ?? "—"}</span> },
          {
            title: "",
            width: 130,
            align: "right",
            render: (_, each) => (
              <Button size="small" aria-expanded={each.attemptId === shown} onClick={() => setOpen(each.attemptId === shown ? "" : each.attemptId)}>
                {words["obligation.said"]}
              </Button>
            ),
          },
        ]}
      />
    </section>
  );
}

function Exchanges({ id }: { id: string }) {
  const { data, error, waiting, again } = useAsked(SAID, { id });
  const said = data?.node?.__typename === "Attempt" ? data.node : null;
  return (
    <>
      <Failure error={error} again={again} />
      {waiting && <Spin />}
      {said && <All of={said} />}
    </>
  );
}

function All({ of }: { of: Said }) {
  const words = useWords();
  return (
    <div className="said">
      {of.exchanges?.map((each, at) => <One key={at} of={each} />)}
      {of.exchanges?.length === 0 && <p className="quiet">{words["obligation.saidNothing"]}</p>}
      {of.exchanges == null && <p className="quiet">{of.outcome === "RUNNING" ? words["obligation.saidRunning"] : words["obligation.saidUnknown"]}</p>}
      {of.command != null && (
        <details open={of.exchanges == null}>
          <summary>{words["obligation.wanted"]}</summary>
          <Raw text={of.command} name={words["obligation.wanted"]} />
        </details>
      )}
    </div>
  );
}

function One({ of }: { of: NonNullable<Said["exchanges"]>[number] }) {
  const words = useWords();
  return (
    <section>
      <p className="row">
        <strong className="mono">{of.operation}</strong>
        <Mark tone={of.outcome === "OK" ? "good" : of.answer == null ? "warn" : "bad"}>{of.outcome}</Mark>
        <Moment at={of.sentAt} />
        {of.answeredAt && <span className="quiet number">{filled(words["obligation.answeredIn"], { seconds: secondsBetween(of.sentAt, of.answeredAt) })}</span>}
      </p>
      <div className="split">
        <div>
          <h3>{words["obligation.request"]}</h3>
          <Raw text={of.request} name={words["obligation.request"]} />
        </div>
        <div>
          <h3>{words["obligation.answer"]}</h3>
          {of.answer == null ? <p className="quiet">{words["obligation.noAnswer"]}</p> : <Raw text={of.answer} name={words["obligation.answer"]} />}
        </div>
      </div>
    </section>
  );
}
