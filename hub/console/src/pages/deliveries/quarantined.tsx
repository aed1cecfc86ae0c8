/** One quarantined record, by whichever way it came: as it came beside the good version that the hub holds, and what is wrong with it. */
import { CloseOutlined } from "@ant-design/icons";
import { Button, Spin } from "antd";
import type { QuarantinedQuery } from "../../../generated/graphql";
import { useAsked } from "../../graph/use";
import { Failure } from "../../parts/failure";
import { Mark, PlatformName } from "../../parts/mark";
import { Moment } from "../../parts/moment";
import { Raw } from "../../parts/raw";
import { filled, useWords } from "../../words";
import { QUARANTINED } from "./asked";

type View = NonNullable<QuarantinedQuery["quarantineView"]>;

export function Quarantined({ id, openDelivery, close }: { id: string; openDelivery: (id: string) => void; close: () => void }) {
  const words = useWords();
  const { data, error, waiting, again } = useAsked(QUARANTINED, { id });
  return (
    <section className="pane" aria-labelledby="quarantined">
      <div className="row" style={{ marginBottom: 10 }}>
        <h2 id="quarantined">{words["deliveries.quarantined"]}</h2>
        <Button icon={<CloseOutlined />} aria-label={words["common.close"]} onClick={close} />
      </div>
      <Failure error={error} again={again} />
      {waiting && <Spin />}
      {data && !data.quarantineView && !error && <p className="quiet">{words["common.none"]}</p>}
      {data?.quarantineView && <One of={data.quarantineView} openDelivery={openDelivery} />}
    </section>
  );
}

function One({ of: { record, raw, held, heldVersion }, openDelivery }: { of: View; openDelivery: (id: string) => void }) {
  const words = useWords();
  const { deliveryId } = record;
  return (
    <>
      <p className="row">
        <Mark tone={record.releasedAt ? "calm" : "bad"}>{record.reason}</Mark>
        <strong><PlatformName name={record.platform} /></strong>
        <span className="quiet">{record.stream}</span>
        <span>{record.entity}</span>
        <span className="mono">{record.recordKey}</span>
        <Moment at={record.quarantinedAt} />
        {deliveryId && <Button size="small" onClick={() => openDelivery(deliveryId)}>{words["deliveries.itsDelivery"]}</Button>}
      </p>
      <p>{record.detail}</p>
      <div className="split">
        <div>
          <h3>{words["deliveries.raw"]}</h3>
          {raw == null ? <p className="quiet">{words["deliveries.rawGone"]}</p> : <Raw text={raw} name={words["deliveries.raw"]} />}
        </div>
        <div>
          <h3>{words["deliveries.held"]} {heldVersion != null && <span className="quiet">{filled(words["deliveries.heldVersion"], { n: heldVersion })}</span>}</h3>
          {held == null ? <p className="quiet">{words["deliveries.heldNone"]}</p> : <Raw text={held} name={words["deliveries.held"]} />}
        </div>
      </div>
    </>
  );
}
