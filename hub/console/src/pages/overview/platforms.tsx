/** One line a platform: whether it is in sync, and what stands against it. */
import { Table, Tooltip } from "antd";
import { Link } from "react-router";
import type { PlatformsQuery } from "../../../generated/graphql";
import { Mark, PlatformName, type Tone } from "../../parts/mark";
import { inBeijing, lengthOf, Moment } from "../../parts/moment";
import { useRights } from "../../shell/me";
import { filled, useWords, type Words } from "../../words";
import { Levers } from "./levers";

export type Platform = NonNullable<PlatformsQuery["platforms"]>[number];

const LATE = 300;
/** Share of the calls, and of the quota, from which it catches the eye. */
const MANY_FAILED = 0.1;
const NEARLY_ALL = 0.8;

interface Health {
  tone: Tone;
  word: keyof Words;
  why?: string;
}

/** Say in one word how a platform does, the worst first. */
export function healthOf(of: Platform, words: Words): Health {
  const failures = of.streams.filter((each) => each.failure).map((each) => `${each.stream}: ${each.failure ?? ""}`);
  if (!of.bridged) return { tone: "bad", word: "health.leftOut", why: words["health.why.leftOut"] };
  if (of.paused) return { tone: "warn", word: "health.paused", why: filled(words["health.why.paused"], of.paused) };
  if (of.maintenance) return { tone: "warn", word: "health.maintenance", why: filled(words["health.why.maintenance"], { ...of.maintenance, time: inBeijing(of.maintenance.until) }) };
  if (of.breakerOpenUntil) return { tone: "bad", word: "health.open", why: filled(words["health.why.open"], { time: inBeijing(of.breakerOpenUntil) }) };
  if (of.lagSeconds != null && of.lagSeconds > LATE) return { tone: "bad", word: "health.behind", why: failures.join("; ") };
  if (of.stuck) return { tone: "bad", word: "health.stuck" };
  if (of.clock?.warning) return { tone: "warn", word: "health.clock", why: of.clock.warning };
  if (of.lastSuccess == null && of.streams.length) return { tone: "warn", word: "health.never", why: failures.join("; ") };
  return { tone: "good", word: "health.ok", why: failures.join("; ") };
}

export function Platforms({ platforms, again }: { platforms: readonly Platform[]; again: () => void }) {
  const words = useWords();
  const rights = useRights();
  return (
    <Table<Platform>
      size="small"
      rowKey="name"
      pagination={false}
      dataSource={[...platforms]}
      scroll={{ x: 900 }}
      columns={[
        { title: words["overview.platform"], render: (_, of) => <strong><PlatformName name={of.name} /></strong> },
        { title: words["overview.health"], render: (_, of) => <HealthMark of={of} /> },
        { title: words["overview.lastSuccess"], render: (_, of) => (of.streams.length ? <Moment at={of.lastSuccess} /> : <span className="quiet">{words["overview.noStream"]}</span>) },
        { title: words["overview.lag"], align: "right", render: (_, of) => (of.lagSeconds == null ? "—" : <span className="number">{lengthOf(of.lagSeconds, words)}</span>) },
        { title: words["overview.backlog"], align: "right", render: (_, of) => <Count n={of.backlog} to={`/obligations?platform=${of.name}`} /> },
        { title: words["overview.stuckColumn"], align: "right", render: (_, of) => <Count n={of.stuck} to={`/obligations?platform=${of.name}&state=STUCK`} /> },
        { title: words["overview.calls"], align: "right", render: (_, of) => <Calls of={of} /> },
        { title: words["overview.quota"], align: "right", render: (_, of) => <Quota of={of} /> },
        { title: words["overview.clock"], render: (_, of) => <Clock of={of} /> },
        ...(rights.acts ? [{ title: <span className="unseen">{words["levers.title"]}</span>, width: 48, render: (_: unknown, of: Platform) => <Levers of={of} done={again} /> }] : []),
      ]}
    />
  );
}

function HealthMark({ of }: { of: Platform }) {
  const words = useWords();
  const { tone, word, why } = healthOf(of, words);
  return <Mark tone={tone} help={why}>{words[word]}</Mark>;
}

function Count({ n, to }: { n: number; to: string }) {
  return n ? <Link className="number" to={to}>{n}</Link> : <span className="number quiet">0</span>;
}

/** Calls of the last hour, those in vain marked; the day's beside them. */
function Calls({ of }: { of: Platform }) {
  const words = useWords();
  const { lastHour, today } = of.calls;
  return (
    <Tooltip title={<>{filled(words["overview.callsHour"], lastHour)}<br />{filled(words["overview.callsToday"], today)}</>}>
      <span className={lastHour.made ? "number" : "number quiet"} data-calls={of.name}>
        {lastHour.made}
        {lastHour.failed > 0 && <> <Mark tone={lastHour.failed > lastHour.made * MANY_FAILED ? "bad" : "warn"}>{filled(words["overview.failed"], { n: lastHour.failed })}</Mark></>}
      </span>
    </Tooltip>
  );
}

/** How much of what the platform allows was used in the last minute. */
function Quota({ of }: { of: Platform }) {
  const words = useWords();
  if (!of.quota) return <>—</>;
  const { used, perSecond, waitSeconds } = of.quota;
  const shown = filled(words["overview.percent"], { n: Math.round(used * 100) });
  const help = waitSeconds >= 1 ? words["overview.quotaWait"] : words["overview.quotaHelp"];
  return (
    <Tooltip title={filled(help, { n: perSecond, wait: lengthOf(waitSeconds, words) })}>
      <span className={used ? "number" : "number quiet"} data-quota={of.name}>{used >= NEARLY_ALL ? <Mark tone="warn">{shown}</Mark> : shown}</span>
    </Tooltip>
  );
}

function Clock({ of }: { of: Platform }) {
  const words = useWords();
  if (!of.clock) return <>—</>;
  const n = Math.abs(of.clock.aheadSeconds);
  const shown = n < 1 ? words["overview.inStep"] : filled(words[of.clock.aheadSeconds > 0 ? "overview.ahead" : "overview.behindBy"], { n: n.toFixed(1) });
  return <Tooltip title={of.clock.warning}>{of.clock.warning ? <Mark tone="warn">{shown}</Mark> : <span className="number">{shown}</span>}</Tooltip>;
}
