/** Where hub and platforms differ: the last comparisons, what they found, and a way to compare, read again and decide. */
import { App, Button, Checkbox, Popconfirm, Select, Spin, Table } from "antd";
import { useState } from "react";
import { useClient } from "urql";
import type { DriftQuery, DriftState } from "../../../generated/graphql";
import { useAsked } from "../../graph/use";
import { Failure } from "../../parts/failure";
import { Mark, PlatformName, type Tone } from "../../parts/mark";
import { Moment } from "../../parts/moment";
import { ReasonDialog } from "../../parts/reason_dialog";
import { useRights } from "../../shell/me";
import { filled, useNamed, useWords } from "../../words";
import { APPROVE, COMPARE, DRIFT, RESYNC } from "./asked";

const REFRESH = 5;
const STANDING: DriftState[] = ["OPEN", "WAITING", "APPROVED"];
const EVERY: DriftState[] = [...STANDING, "REPAIRED", "TOMBSTONED", "ENDED"];
const STATES: Record<DriftState, Tone> = { OPEN: "bad", WAITING: "warn", APPROVED: "busy", REPAIRED: "good", TOMBSTONED: "calm", ENDED: "calm" };

type Report = NonNullable<DriftQuery["driftReports"]>["edges"][number]["node"];
type Finding = NonNullable<DriftQuery["driftFindings"]>["edges"][number]["node"];

export default function Drift() {
  const words = useWords();
  const [standing, setStanding] = useState(true);
  const { data, error, waiting, again } = useAsked(DRIFT, { states: standing ? STANDING : EVERY }, { everySeconds: REFRESH });
  const reports = data?.driftReports?.edges.map((edge) => edge.node) ?? [];
  const findings = data?.driftFindings?.edges.map((edge) => edge.node) ?? [];
  return (
    <>
      <Failure error={error} again={again} />
      {waiting && <Spin />}
      {data && (
        <>
          <section className="pane" aria-labelledby="reports">
            <div className="row" style={{ marginBottom: 10 }}>
              <h2 id="reports">{words["drift.reports"]}</h2>
              <Levers platforms={[...new Set(reports.map((each) => each.platform))]} again={again} />
            </div>
            <Reports reports={reports} />
          </section>
          <section className="pane" aria-labelledby="findings">
            <div className="row" style={{ marginBottom: 10 }}>
              <h2 id="findings">{words["drift.findings"]}</h2>
              <Checkbox checked={standing} onChange={(event) => setStanding(event.target.checked)}>
                {words["drift.openOnly"]}
              </Checkbox>
              <span className="quiet">{filled(words["common.total"], { n: data.driftFindings?.totalCount ?? 0 })}</span>
            </div>
            <Findings findings={findings} again={again} />
          </section>
        </>
      )}
    </>
  );
}

/** Do something to one platform or to all of those, and tell what came of it. */
function Levers({ platforms, again }: { platforms: readonly string[]; again: () => void }) {
  const words = useWords();
  const rights = useRights();
  const client = useClient();
  const named = useNamed();
  const { message } = App.useApp();
  const [only, setOnly] = useState<string | null>(null);
  if (!rights.acts || !platforms.length) return null;
  const compare = async (): Promise<void> => {
    let begun = 0;
    for (const platform of only === null ? platforms : [only]) {
      const { data, error } = await client.mutation(COMPARE, { platform }).toPromise();
      const refused = error?.message ?? data?.compareNow?.userErrors[0]?.message;
      if (refused) return void message.error(refused);
      begun += data?.compareNow?.reports.length ?? 0;
    }
    void message.success(filled(words["drift.asked"], { n: begun }));
    again();
  };
  return (
    <>
      <Select
        allowClear
        style={{ width: 150 }}
        aria-label={words["obligations.platform"]}
        placeholder={words["drift.allPlatforms"]}
        value={only}
        onChange={(platform: string | undefined) => setOnly(platform ?? null)}
        options={platforms.map((value) => ({ value, label: named("platform", value) }))}
      />
      <Button type="primary" title={words["drift.checkHelp"]} onClick={() => void compare()}>
        {only === null ? words["drift.checkAll"] : filled(words["drift.checkOne"], { platform: named("platform", only) })}
      </Button>
    </>
  );
}

function Reports({ reports }: { reports: Report[] }) {
  const words = useWords();
  const named = useNamed();
  const number = (title: string, of: (report: Report) => number, bad = false) => ({
    title,
    align: "right" as const,
    width: 96,
    render: (_: unknown, report: Report) => (bad && of(report) ? <Mark tone="bad">{of(report)}</Mark> : <span className="number">{of(report)}</span>),
  });
  return (
    <Table<Report>
      size="small"
      rowKey="reportId"
      pagination={false}
      dataSource={reports}
      scroll={{ x: 860 }}
      locale={{ emptyText: words["common.none"] }}
      columns={[
        { title: words["obligations.platform"], width: 120, render: (_, of) => <PlatformName name={of.platform} /> },
        { title: words["drift.entity"], dataIndex: "entity" },
        { title: words["drift.method"], width: 120, render: (_, of) => named("driftMethod", of.method) },
        { title: words["drift.ended"], width: 230, render: (_, of) => <Ended of={of} /> },
        number(words["drift.checked"], (of) => of.checked),
        number(words["drift.differing"], (of) => of.differing),
        number(words["drift.repaired"], (of) => of.repaired),
        number(words["drift.waiting"], (of) => of.waiting, true),
        number(words["drift.unexplained"], (of) => of.unexplained, true),
        { title: "", width: 120, render: (_, of) => <ReadAgain platform={of.platform} /> },
      ]}
    />
  );
}

function Ended({ of }: { of: Report }) {
  const words = useWords();
  if (of.failure) return <Mark tone="bad" help={of.failure}>{of.failure.split(":")[0]}</Mark>;
  if (of.startedAt && !of.endedAt) return <><Mark tone="busy">{words["drift.running"]}</Mark> <Moment at={of.startedAt} /></>;
  return <Moment at={of.endedAt} />;
}

function ReadAgain({ platform }: { platform: string }) {
  const words = useWords();
  const named = useNamed();
  const rights = useRights();
  const client = useClient();
  const { message } = App.useApp();
  if (!rights.acts) return null;
  const act = async (): Promise<void> => {
    const { data, error } = await client.mutation(RESYNC, { platform }).toPromise();
    const refused = error?.message ?? data?.resync?.userErrors[0]?.message;
    if (refused) void message.error(refused);
    else void message.success(filled(words["drift.resyncDone"], { n: data?.resync?.streams?.length ?? 0 }));
  };
  return (
    <Popconfirm title={filled(words["drift.resyncTitle"], { platform: named("platform", platform) })} description={words["drift.resyncHelp"]} okText={words["drift.resync"]} cancelText={words["common.cancel"]} onConfirm={() => void act()}>
      <Button size="small">{words["drift.resync"]}</Button>
    </Popconfirm>
  );
}

function Findings({ findings, again }: { findings: Finding[]; again: () => void }) {
  const words = useWords();
  const named = useNamed();
  const rights = useRights();
  const client = useClient();
  const { message } = App.useApp();
  const [asking, setAsking] = useState<string | null>(null);
  const approve = async (reason: string): Promise<void> => {
    const { data, error } = await client.mutation(APPROVE, { itemId: asking ?? "", reason }).toPromise();
    const refused = error?.message ?? data?.approveTombstones?.userErrors[0]?.message;
    if (refused) void message.error(refused);
    else void message.success(words["drift.approved"]);
    again();
  };
  return (
    <>
      <Table<Finding>
        size="small"
        rowKey="findingId"
        pagination={false}
        dataSource={findings}
        locale={{ emptyText: words["drift.none"] }}
        columns={[
          { title: words["obligations.platform"], width: 120, render: (_, of) => <PlatformName name={of.platform} /> },
          { title: words["drift.key"], render: (_, of) => <>{of.entity} <span className="mono">{of.recordKey}</span></> },
          { title: words["drift.kind"], width: 140, render: (_, of) => named("driftKind", of.kind) },
          { title: words["drift.state"], width: 130, render: (_, of) => <Mark tone={STATES[of.state]}>{named("driftState", of.state)}</Mark> },
          { title: words["drift.ours"], width: 80, align: "right", render: (_, of) => of.ourVersion ?? "—" },
          { title: words["drift.theirs"], width: 80, align: "right", render: (_, of) => of.theirVersion ?? "—" },
          { title: words["drift.found"], width: 190, render: (_, of) => <Moment at={of.foundAt} /> },
          { title: "", width: 140, render: (_, of) => rights.acts && of.state === "WAITING" && of.itemId && <Button size="small" danger onClick={() => setAsking(of.itemId ?? null)}>{words["drift.approve"]}</Button> },
        ]}
      />
      {asking && <ReasonDialog danger title={words["drift.approveTitle"]} help={words["drift.approveHelp"]} confirm={words["drift.approve"]} act={approve} close={() => setAsking(null)} />}
    </>
  );
}
