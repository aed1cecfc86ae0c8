/** What platforms posted, what of it could not be used, and what was refused at the door. */
import { Button, Input, Select, Table, type TableColumnsType, Tabs } from "antd";
import { useState } from "react";
import { useSearchParams } from "react-router";
import type { DeliveryListQuery, DeliveryState, QuarantineListQuery, RefusedListQuery } from "../../../generated/graphql";
import { useAsked } from "../../graph/use";
import { Failure } from "../../parts/failure";
import { Mark, PlatformName, type Tone } from "../../parts/mark";
import { Moment } from "../../parts/moment";
import { filled, useNamed, useWords } from "../../words";
import { DELIVERIES, QUARANTINE, REFUSED } from "./asked";
import { Quarantined as QuarantinedRecord } from "./quarantined";
import { Trace } from "./trace";

const STATES: Record<DeliveryState, Tone> = { STORED: "busy", APPLIED: "good", PARTLY: "warn", FAILED: "bad", EMPTIED: "calm" };
const REFRESH = 10;

type Delivery = NonNullable<DeliveryListQuery["deliveries"]>["edges"][number]["node"];
type Quarantined = NonNullable<QuarantineListQuery["quarantinedRecords"]>["edges"][number]["node"];
type Refused = NonNullable<RefusedListQuery["refusedDeliveries"]>["edges"][number]["node"];

export default function Deliveries() {
  const words = useWords();
  const [told, tell] = useSearchParams();
  const open = told.get("id");
  const record = told.get("record");
  return (
    <>
      <search className="row">
        <Input.Search
          key={open ?? ""}
          allowClear
          defaultValue={open ?? ""}
          placeholder={words["deliveries.search"]}
          aria-label={words["deliveries.search"]}
          style={{ width: 420 }}
          onSearch={(text) => tell(text.trim() ? { id: text.trim() } : {})}
        />
      </search>
      {record && <QuarantinedRecord key={record} id={record} openDelivery={(id) => tell({ id })} close={() => tell({})} />}
      {open && <Trace key={open} id={open} close={() => tell({})} />}
      <Tabs
        defaultActiveKey={record ? "quarantine" : "all"}
        items={[
          { key: "all", label: words["deliveries.all"], children: <All open={(id) => tell({ id })} /> },
          { key: "quarantine", label: words["deliveries.quarantine"], children: <Quarantine open={(id) => tell({ record: id })} /> },
          { key: "refused", label: words["deliveries.refused"], children: <RefusedOnes /> },
        ]}
      />
    </>
  );
}

interface Paged<One> {
  list: { totalCount: number; pageInfo: { hasNextPage: boolean; endCursor?: string | null }; edges: { node: One }[] } | null | undefined;
  rowKey: keyof One & string;
  columns: TableColumnsType<One>;
  places: readonly (string | null)[];
  go: (places: readonly (string | null)[]) => void;
  waiting: boolean;
}

/** A page of a list, with a way on and back. */
function PageOf<One extends object>({ list, rowKey, columns, places, go, waiting }: Paged<One>) {
  const words = useWords();
  return (
    <>
      <Table<One> size="small" rowKey={rowKey} loading={waiting} pagination={false} dataSource={list?.edges.map((edge) => edge.node) ?? []} columns={columns} scroll={{ x: 820 }} locale={{ emptyText: words["common.none"] }} />
      <div className="row" style={{ marginTop: 12 }}>
        <span className="quiet">{filled(words["common.total"], { n: list?.totalCount ?? 0 })}</span>
        <Button disabled={places.length < 2} onClick={() => go(places.slice(0, -1))} aria-label={words["common.previous"]}>‹</Button>
        <Button disabled={!list?.pageInfo.hasNextPage} onClick={() => go([...places, list?.pageInfo.endCursor ?? null])} aria-label={words["common.next"]}>›</Button>
      </div>
    </>
  );
}

function All({ open }: { open: (id: string) => void }) {
  const words = useWords();
  const named = useNamed();
  const [state, setState] = useState<DeliveryState | undefined>();
  const [places, go] = useState<readonly (string | null)[]>([null]);
  const { data, error, waiting, again } = useAsked(DELIVERIES, { after: places.at(-1) ?? null, where: state ? { state: { eq: state } } : null }, { everySeconds: REFRESH });
  return (
    <>
      <div className="row" style={{ marginBottom: 12 }}>
        <Select
          allowClear
          style={{ width: 160 }}
          aria-label={words["deliveries.state"]}
          placeholder={words["deliveries.state"]}
          value={state}
          onChange={(next: DeliveryState | undefined) => {
            setState(next);
            go([null]);
          }}
          options={(Object.keys(STATES) as DeliveryState[]).map((value) => ({ value, label: words[`deliveryState.${value}`] }))}
        />
      </div>
      <Failure error={error} again={again} />
      <PageOf<Delivery>
        list={data?.deliveries}
        rowKey="deliveryId"
        places={places}
        go={go}
        waiting={waiting}
        columns={[
          { title: words["deliveries.received"], width: 190, render: (_, of) => <Moment at={of.receivedAt} /> },
          { title: words["obligations.platform"], width: 110, render: (_, of) => <PlatformName name={of.platform} /> },
          { title: words["deliveries.state"], width: 130, render: (_, of) => <Mark tone={STATES[of.state]}>{named("deliveryState", of.state)}</Mark> },
          { title: words["deliveries.message"], render: (_, of) => <Button type="link" size="small" className="mono" onClick={() => open(of.deliveryId)}>{of.messageId ?? of.deliveryId}</Button> },
          { title: words["deliveries.repeats"], width: 90, align: "right", render: (_, of) => of.repeats ?? "—" },
          { title: words["deliveries.detail"], render: (_, of) => of.detail ?? "—" },
        ]}
      />
    </>
  );
}

function Quarantine({ open }: { open: (id: string) => void }) {
  const words = useWords();
  const [places, go] = useState<readonly (string | null)[]>([null]);
  const { data, error, waiting, again } = useAsked(QUARANTINE, { after: places.at(-1) ?? null }, { everySeconds: REFRESH });
  return (
    <>
      <Failure error={error} again={again} />
      <PageOf<Quarantined>
        list={data?.quarantinedRecords}
        rowKey="quarantineId"
        places={places}
        go={go}
        waiting={waiting}
        columns={[
          { title: words["deliveries.since"], width: 190, render: (_, of) => <Moment at={of.quarantinedAt} /> },
          { title: words["obligations.platform"], width: 110, render: (_, of) => <PlatformName name={of.platform} /> },
          { title: words["deliveries.stream"], width: 120, dataIndex: "stream" },
          { title: words["deliveries.key"], render: (_, of) => <span className="mono">{of.recordKey ?? "—"}</span> },
          { title: words["deliveries.reason"], render: (_, of) => <><Mark tone={of.releasedAt ? "calm" : "bad"}>{of.reason}</Mark><div className="quiet">{of.detail}</div></> },
          { title: words["deliveries.released"], width: 190, render: (_, of) => <Moment at={of.releasedAt} plain /> },
          { title: "", width: 120, render: (_, of) => <Button size="small" onClick={() => open(of.quarantineId)}>{words["common.details"]}</Button> },
        ]}
      />
    </>
  );
}

function RefusedOnes() {
  const words = useWords();
  const [places, go] = useState<readonly (string | null)[]>([null]);
  const { data, error, waiting, again } = useAsked(REFUSED, { after: places.at(-1) ?? null }, { everySeconds: REFRESH });
  return (
    <>
      <Failure error={error} again={again} />
      <PageOf<Refused>
        list={data?.refusedDeliveries}
        rowKey="refusalId"
        places={places}
        go={go}
        waiting={waiting}
        columns={[
          { title: words["deliveries.last"], width: 190, render: (_, of) => <Moment at={of.lastAt} /> },
          { title: words["obligations.platform"], width: 110, render: (_, of) => <PlatformName name={of.platform} /> },
          { title: words["deliveries.code"], width: 160, render: (_, of) => <Mark tone="warn">{of.code}</Mark> },
          { title: words["deliveries.message"], render: (_, of) => <span className="mono">{of.messageId ?? of.remote ?? "—"}</span> },
          { title: words["deliveries.detail"], dataIndex: "detail" },
          { title: words["deliveries.times"], width: 80, align: "right", dataIndex: "times" },
        ]}
      />
    </>
  );
}
