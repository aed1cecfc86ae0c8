/** A state by word and colour. Colours of their own, since Ant Design's tags have too little contrast for WCAG AA. */
import { Tooltip } from "antd";
import { useNamed } from "../words";

export type Tone = "good" | "busy" | "warn" | "bad" | "calm";

export function Mark({ tone, children, help }: { tone: Tone; children: React.ReactNode; help?: React.ReactNode }) {
  const mark = <span className={`mark mark-${tone}`}>{children}</span>;
  return help ? <Tooltip title={help}>{mark}</Tooltip> : mark;
}

const STATES: Record<string, Tone> = {
  WAITING: "calm",
  DUE: "busy",
  LEASED: "busy",
  SENT: "busy",
  CLOSED: "good",
  STUCK: "bad",
  WITHDRAWN: "calm",
  WAIVED: "warn",
  SETTLED: "warn",
};

/** Where an obligation stands. */
export function StateMark({ state }: { state: string }) {
  const named = useNamed();
  return (
    <Mark tone={STATES[state] ?? "calm"} help={named("stateHelp", state)}>
      {named("state", state)}
    </Mark>
  );
}

/** The name of a platform in the reader's language. */
export function PlatformName({ name }: { name: string }) {
  return <>{useNamed()("platform", name)}</>;
}
