/** The page that stays open all day: the promise, what is late, each platform, what just happened. */
import { Table } from "antd";
import { useState } from "react";
import { Link } from "react-router";
import { useSubscription } from "urql";
import type { OverviewFiguresQuery } from "../../../generated/graphql";
import { hubNow } from "../../graph/hub_time";
import { useAsked, useSettled } from "../../graph/use";
import { Failure } from "../../parts/failure";
import { PlatformName, StateMark } from "../../parts/mark";
import { lengthOf, Moment } from "../../parts/moment";
import { useRights } from "../../shell/me";
import { useNamed, useWords } from "../../words";
import { OPEN_STATES } from "../obligations/states";
import { CHANGES, FIGURES, HEALTH, OPS_ITEMS, PLATFORMS, WINDOWS } from "./asked";
import { type Change, Changes } from "./changes";
import { Figures } from "./figures";
import { Platforms } from "./platforms";
import { Standing } from "./standing";
import { Trend } from "./trend";

const SHOWN = 9;
const SETTLE = 800;
const UNASKED = 10;
const WEEK = 7 * 86_400_000;

export default function Overview() {
  const rights = useRights();
  const words = useWords();
  const platforms = useAsked(PLATFORMS, {}, { everySeconds: UNASKED });
  const [since] = useState(() => new Date(hubNow() - WEEK).toISOString());
  const windows = useAsked(WINDOWS, { since }, { everySeconds: UNASKED });
  const figures = useAsked(FIGURES, { open: OPEN_STATES }, { everySeconds: UNASKED });
  const opsItems = useAsked(OPS_ITEMS, {}, { everySeconds: UNASKED, pause: !rights.seesAll });
  const [changes, setChanges] = useState<readonly Change[]>([]);
  const lookAgain = useSettled(() => {
    figures.again();
    if (rights.seesAll) opsItems.again();
  }, SETTLE);
  useSubscription({ query: CHANGES }, (_, told) => {
    setChanges((before) => [told.obligationChanges, ...before].slice(0, SHOWN));
    lookAgain();
    return told;
  });
  const decided = (): void => {
    platforms.again();
    windows.again();
  };
  const platformsAgain = useSettled(decided, SETTLE);
  useSubscription({ query: HEALTH }, (_, told) => {
    platformsAgain();
    return told;
  });
  return (
    <>
      <Failure error={figures.error} again={figures.again} />
      {figures.data && <Figures told={figures.data} opsItems={opsItems.data?.opsItems?.totalCount} />}
      <section className="pane" aria-labelledby="platforms">
        <h2 id="platforms">{words["overview.platforms"]}</h2>
        <Failure error={platforms.error} again={platforms.again} />
        {platforms.data?.platforms && (
          <>
            <Standing platforms={platforms.data.platforms} windows={windows.data?.maintenanceWindows?.edges.map((edge) => edge.node) ?? []} done={decided} />
            <Platforms platforms={platforms.data.platforms} again={decided} />
          </>
        )}
      </section>
      <div className="split wide">
        {rights.reads && <Trend />}
        <Changes changes={changes} />
      </div>
      {figures.data?.late && <Late late={figures.data.late.edges.map((edge) => edge.node)} />}
    </>
  );
}

type LateOne = NonNullable<OverviewFiguresQuery["late"]>["edges"][number]["node"];

function Late({ late }: { late: LateOne[] }) {
  const words = useWords();
  const named = useNamed();
  return (
    <section className="pane" aria-labelledby="late">
      <h2 id="late">{words["overview.lateTitle"]}</h2>
      {late.length === 0 ? (
        <p className="quiet">{words["overview.lateNone"]}</p>
      ) : (
        <Table<LateOne>
          size="small"
          rowKey="key"
          pagination={false}
          dataSource={late}
          columns={[
            { title: words["obligations.key"], render: (_, of) => <Link to={`/obligations/${encodeURIComponent(of.key)}`}>{named("rule", of.rule)}</Link> },
            { title: words["obligations.subject"], ellipsis: true, render: (_, of) => of.subject?.name ?? "—" },
            { title: words["obligations.platform"], render: (_, of) => <PlatformName name={of.platform} /> },
            { title: words["obligations.state"], render: (_, of) => <StateMark state={of.state} /> },
            { title: words["obligations.due"], render: (_, of) => <Moment at={of.dueAt} /> },
            { title: words["overview.overdue"], align: "right", render: (_, of) => lengthOf(of.lateSeconds ?? 0, words) },
          ]}
        />
      )}
    </section>
  );
}
