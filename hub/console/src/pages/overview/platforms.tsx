/** One line a platform: whether it is in sync, and what stands against it. */
import { Table, Tooltip } from "antd";
import { Link } from "react-router";
import type { PlatformsQuery } from "../../../generated/graphql";
import { Mark, PlatformName, type Tone } from "../../parts/mark";
import { inBeijing, lengthOf, Moment } from "../../parts/moment";
import { filled, useWords, type Words } from "../../words";

export type Platform = NonNullable<PlatformsQuery["platforms"]>[number];

const LATE = 300;

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

export function Platforms({ platforms }: { platforms: readonly Platform[] }) {
  const words = useWords();
  return (
    <Table<Platform>
      size="small"
      rowKey="name"
      pagination={false}
      dataSource={[...platforms]}
      scroll={{ x: 640 }}
      columns={[
        { title: words["overview.platform"], render: (_, of) => <strong><PlatformName name={of.name} /></strong> },
        { title: words["overview.health"], render: (_, of) => <HealthMark of={of} /> },
        { title: words["overview.lastSuccess"], render: (_, of) => (of.streams.length ? <Moment at={of.lastSuccess} /> : <span className="quiet">{words["overview.noStream"]}</span>) },
        { title: words["overview.lag"], align: "right", render: (_, of) => (of.lagSeconds == null ? "—" : <span className="number">{lengthOf(of.lagSeconds, words)}</span>) },
        { title: words["overview.backlog"], align: "right", render: (_, of) => <Count n={of.backlog} to={`/obligations?platform=${of.name}`} /> },
        { title: words["overview.stuckColumn"], align: "right", render: (_, of) => <Count n={of.stuck} to={`/obligations?platform=${of.name}&state=STUCK`} /> },
        { title: words["overview.clock"], render: (_, of) => <Clock of={of} /> },
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

function Clock({ of }: { of: Platform }) {
  const words = useWords();
  if (!of.clock) return <>—</>;
  const n = Math.abs(of.clock.aheadSeconds);
  const shown = n < 1 ? words["overview.inStep"] : filled(words[of.clock.aheadSeconds > 0 ? "overview.ahead" : "overview.behindBy"], { n: n.toFixed(1) });
  return <Tooltip title={of.clock.warning}>{of.clock.warning ? <Mark tone="warn">{shown}</Mark> : <span className="number">{shown}</span>}</Tooltip>;
}
