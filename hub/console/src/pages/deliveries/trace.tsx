/** One delivery: as it came beside how it was understood, what became of each record, and what applying it once more would do. */
import { CloseOutlined } from "@ant-design/icons";
import { App, Button, Modal, Spin, Table } from "antd";
import { useState } from "react";
import { useMutation } from "urql";
import type { ReplayMutation, TraceQuery } from "../../../generated/graphql";
import { useAsked } from "../../graph/use";
import { Failure } from "../../parts/failure";
import { Mark, PlatformName, type Tone } from "../../parts/mark";
import { Moment } from "../../parts/moment";
import { Raw } from "../../parts/raw";
import { useRights } from "../../shell/me";
import { filled, useNamed, useWords } from "../../words";
import { REPLAY, TRACE } from "./asked";

type Traced = NonNullable<TraceQuery["deliveryTraces"]>["traces"][number];
type Difference = NonNullable<NonNullable<ReplayMutation["replayDeliveries"]>["difference"]>;
const FATES: Record<string, Tone> = { APPLIED: "good", UNCHANGED: "calm", OUTDATED: "calm", CONFLICT: "bad", QUARANTINED: "bad", PENDING: "busy", FAILED: "bad", FORGOTTEN: "calm" };

export function Trace({ id, close }: { id: string; close: () => void }) {
  const words = useWords();
  const { data, error, waiting, again } = useAsked(TRACE, { id });
  const traces = data?.deliveryTraces?.traces ?? [];
  return (
    <section className="pane" aria-labelledby="trace">
      <div className="row" style={{ marginBottom: 10 }}>
        <h2 id="trace">{words["deliveries.trace"]}</h2>
        <Button icon={<CloseOutlined />} aria-label={words["common.close"]} onClick={close} />
      </div>
      <Failure error={error} again={again} />
      {waiting && <Spin />}
      {data && !traces.length && <p className="quiet">{words["common.none"]}</p>}
      {traces.map((trace) => (
        <One key={trace.delivery.deliveryId} trace={trace} again={again} />
      ))}
    </section>
  );
}

function One({ trace, again }: { trace: Traced; again: () => void }) {
  const words = useWords();
  const named = useNamed();
  const { delivery } = trace;
  return (
    <>
      <p className="row">
        <strong><PlatformName name={delivery.platform} /></strong>
        <span className="mono">{delivery.messageId ?? delivery.deliveryId}</span>
        <Moment at={delivery.receivedAt} />
        {trace.remote && <span className="quiet">{filled(words["deliveries.remote"], { address: trace.remote })}</span>}
        <Replay id={delivery.deliveryId} again={again} />
      </p>
      {delivery.detail && <p>{delivery.detail}</p>}
      <div className="split">
        <div>
          <h3>{words["deliveries.raw"]}</h3>
          <Raw text={trace.body ?? words["deliveries.rawGone"]} name={words["deliveries.raw"]} />
        </div>
        <div>
          <h3>{words["deliveries.parsed"]}</h3>
          {trace.records.map((record, at) => (
            <div key={`${record.entity ?? ""}${record.key ?? ""}${at}`}>
              <p className="row">
                <Mark tone={FATES[record.fate] ?? "calm"}>{named("fate", record.fate)}</Mark>
                <span>{record.entity}</span>
                <span className="mono">{record.key}</span>
                {record.version != null && <span className="quiet">{words["deliveries.version"]} {record.version}</span>}
              </p>
              {record.detail && <p className="quiet">{record.detail}</p>}
              {record.content && <Raw text={record.content} name={words["deliveries.parsed"]} />}
            </div>
          ))}
        </div>
      </div>
    </>
  );
}

function Replay({ id, again }: { id: string; again: () => void }) {
  const words = useWords();
  const rights = useRights();
  const { message } = App.useApp();
  const [{ fetching }, replay] = useMutation(REPLAY);
  const [difference, setDifference] = useState<Difference | null>(null);
  if (!rights.acts) return null;
  const asked = async (dryRun: boolean): Promise<void> => {
    const { data, error } = await replay({ ids: [id], dryRun });
    const told = data?.replayDeliveries;
    const refused = error?.message ?? told?.userErrors[0]?.message;
    if (refused) return void message.error(refused);
    if (dryRun) { setDifference(told?.difference ?? null); return; }
    setDifference(null);
    void message.success(words["deliveries.replayed"]);
    setTimeout(again, 1500);
  };
  return (
    <>
      <Button size="small" loading={fetching} onClick={() => void asked(true)}>{words["deliveries.dryRun"]}</Button>
      {difference && (
        <Modal open width={760} title={words["deliveries.dryRunTitle"]} okText={words["deliveries.replay"]} cancelText={words["common.cancel"]} onOk={() => void asked(false)} onCancel={() => setDifference(null)}>
          <Foreseen difference={difference} />
        </Modal>
      )}
    </>
  );
}

function Foreseen({ difference }: { difference: Difference }) {
  const words = useWords();
  const named = useNamed();
  const nothing = difference.obligations === 0 && difference.counts.every((each) => each.number === 0 || ["UNCHANGED", "OLDER"].includes(each.outcome));
  return (
    <>
      <p>{nothing ? words["deliveries.changesNothing"] : filled(words["deliveries.owed"], { n: difference.obligations })}</p>
      <Table
        size="small"
        pagination={false}
        rowKey={(of) => `${of.entity ?? ""}/${of.key ?? ""}`}
        dataSource={difference.records}
        columns={[
          { title: words["deliveries.record"], render: (_, of) => <>{of.entity} <span className="mono">{of.key}</span></> },
          { title: words["deliveries.version"], render: (_, of) => `${of.heldVersion ?? "—"} → ${of.version ?? "—"}` },
          { title: words["deliveries.fate"], render: (_, of) => <Mark tone={of.outcome === "UNCHANGED" ? "calm" : "busy"}>{named("effect", of.outcome)}</Mark> },
          { title: words["deliveries.detail"], dataIndex: "detail" },
        ]}
      />
    </>
  );
}
