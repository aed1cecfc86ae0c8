/** What only a person can settle: why it stands there, what the hub knows of it, and a way to say how it was settled. */
import { Button, Table } from "antd";
import { useState } from "react";
import { Link } from "react-router";
import { useSubscription } from "urql";
import { useActing } from "../../graph/act";
import { useSettled } from "../../graph/use";
import { Failure } from "../../parts/failure";
import { Moment } from "../../parts/moment";
import { ReasonDialog } from "../../parts/reason_dialog";
import { useRights } from "../../shell/me";
import { filled, useWords } from "../../words";
import { RESOLVE, STIRRED } from "./asked";
import { Evidence } from "./evidence";
import { Filters } from "./filters";
import { type Item, useItems } from "./items";
import { useKindName } from "./kind";
import { useWanted } from "./wanted";

const SETTLE = 800;

export default function Ops() {
  const words = useWords();
  const [wanted, want] = useWanted();
  const [places, go] = useState<readonly (string | null)[]>([null]);
  const { items, total, next, error, waiting, again } = useItems(wanted, places.at(-1) ?? null);
  const stirred = useSettled(again, SETTLE);
  useSubscription({ query: STIRRED }, (_, told) => {
    stirred();
    return told;
  });
  return (
    <>
      <p className="quiet">{words["ops.lead"]}</p>
      <Filters
        wanted={wanted}
        here={items.map((each) => each.kind)}
        want={(change) => {
          want(change);
          go([null]);
        }}
      />
      <Failure error={error} again={again} />
      <section className="pane" aria-labelledby="items">
        <div className="row" style={{ marginBottom: 10 }}>
          <h2 id="items">{words[wanted.settled ? "ops.settled" : "ops.open"]}</h2>
          <span className="quiet number" role="status">{filled(words["common.total"], { n: total })}</span>
        </div>
        <List items={items} none={words[wanted.settled ? "ops.noneSettled" : "ops.none"]} waiting={waiting} again={again} />
        {(next !== null || places.length > 1) && (
          <div className="row" style={{ marginTop: 12 }}>
            <Button disabled={places.length < 2} onClick={() => go(places.slice(0, -1))} aria-label={words["common.previous"]}>‹</Button>
            <Button disabled={next === null} onClick={() => go([...places, next])} aria-label={words["common.next"]}>›</Button>
          </div>
        )}
      </section>
    </>
  );
}

function List({ items, none, waiting, again }: { items: Item[]; none: string; waiting: boolean; again: () => void }) {
  const words = useWords();
  const kindName = useKindName();
  return (
    <Table<Item>
      size="small"
      rowKey="itemId"
      loading={waiting}
      pagination={false}
      dataSource={items}
      scroll={{ x: 860 }}
      locale={{ emptyText: none }}
      expandable={{
        expandedRowRender: (of) => <Evidence of={of} />,
        expandIcon: ({ expanded, onExpand, record }) => (
          <Button size="small" type="text" aria-expanded={expanded} aria-label={`${words["ops.evidence"]}: ${record.cause}`} onClick={(event) => onExpand(record, event)}>
            {expanded ? "▾" : "▸"}
          </Button>
        ),
      }}
      columns={[
        { title: words["ops.since"], width: 180, render: (_, of) => <Moment at={of.openedAt} /> },
        { title: words["ops.kind"], width: 190, render: (_, of) => <strong>{kindName(of.kind)}</strong> },
        { title: words["ops.about"], width: 200, render: (_, of) => <About of={of} /> },
        { title: words["ops.why"], render: (_, of) => <Why of={of} /> },
        { title: <span className="unseen">{words["ops.settle"]}</span>, width: 110, render: (_, of) => <Settle of={of} again={again} /> },
      ]}
    />
  );
}

/** Where more of it is found: the obligation, the comparison, the subject, or the whole case. */
function About({ of }: { of: Item }) {
  const { reads } = useRights();
  return (
    <>
      <Leading className="mono" to={placeOf(of, reads)}>{of.cause}</Leading>
      {of.subjectCode && <div><Leading to={reads ? `/subject?code=${encodeURIComponent(of.subjectCode)}` : null}>{of.subject?.name ?? of.subjectCode}</Leading></div>}
    </>
  );
}

function placeOf(of: Item, reads: boolean): string | null {
  if (of.obligation) return `/obligations/${encodeURIComponent(of.obligation.key)}`;
  if (of.kind === "tombstones") return "/drift";
  return reads ? `/loop?number=${encodeURIComponent(of.cause)}` : null;
}

/** A link, or only its words where it would lead to what one may not see. */
function Leading({ to, className, children }: { to: string | null; className?: string; children: React.ReactNode }) {
  return to === null ? <span className={className}>{children}</span> : <Link className={className} to={to}>{children}</Link>;
}

function Why({ of }: { of: Item }) {
  const words = useWords();
  return (
    <>
      <span style={{ overflowWrap: "anywhere" }}>{of.message}</span>
      {of.resolvedAt && (
        <div className="quiet">
          {filled(words["ops.settledBy"], { by: of.resolvedBy ?? "" })} <Moment at={of.resolvedAt} />: {of.resolution}
        </div>
      )}
    </>
  );
}

function Settle({ of, again }: { of: Item; again: () => void }) {
  const words = useWords();
  const rights = useRights();
  const act = useActing();
  const [asking, setAsking] = useState(false);
  if (!rights.acts || of.resolvedAt) return null;
  const settle = async (resolution: string): Promise<string | undefined> => {
    const refused = await act(RESOLVE, { itemId: of.itemId, resolution });
    again();
    return refused;
  };
  return (
    <>
      <Button size="small" onClick={() => setAsking(true)}>{words["ops.settle"]}</Button>
      {asking && <ReasonDialog title={words["ops.settleTitle"]} help={of.message} confirm={words["ops.settle"]} act={settle} close={() => setAsking(false)} />}
    </>
  );
}
