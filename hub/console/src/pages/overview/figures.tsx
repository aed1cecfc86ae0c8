/** The promise in figures that lead to what they count. */
import { Link } from "react-router";
import type { OverviewFiguresQuery } from "../../../generated/graphql";
import { useWords, type Words } from "../../words";

export function Figures({ told, opsItems }: { told: OverviewFiguresQuery; opsItems: number | undefined }) {
  const kept = (name: keyof Words, help: keyof Words, n: number | undefined, rule: string) => (
    <Figure label={name} help={help} n={n} to={`/obligations?rule=${rule}`} tone={n ? "busy" : "good"} note={n ? "overview.open" : "overview.kept"} />
  );
  const { noTask, noRecord, noAnswer, late, dueSoon, stuck } = told;
  return (
    <section className="figures" aria-label={useWords()["overview.guarantees"]}>
      {kept("overview.noTask", "overview.noTaskHelp", noTask?.totalCount, "approval-verification")}
      {kept("overview.noRecord", "overview.noRecordHelp", noRecord?.totalCount, "breach-record")}
      {kept("overview.noAnswer", "overview.noAnswerHelp", noAnswer?.totalCount, "grid-feedback")}
      <Figure label="overview.overdue" n={late?.totalCount} to="/obligations?overdue=1" tone={late?.totalCount ? "bad" : "good"} />
      <Figure label="overview.stuck" n={stuck?.totalCount} to="/obligations?state=STUCK" tone={stuck?.totalCount ? "bad" : "good"} />
      <Figure label="overview.dueSoon" n={dueSoon?.totalCount} to="/obligations?soon=1" tone="calm" />
      {opsItems !== undefined && <Figure label="overview.opsItems" n={opsItems} to="/ops" tone={opsItems ? "warn" : "good"} />}
    </section>
  );
}

interface Props {
  label: keyof Words;
  n: number | undefined;
  tone: string;
  help?: keyof Words;
  note?: keyof Words;
  to?: string;
}

function Figure({ label, n, tone, help, note, to }: Props) {
  const words = useWords();
  const inside = (
    <>
      <span>{words[label]}</span>
      <b>{n ?? "—"}</b>
      {note && <span className="quiet">{words[note]}</span>}
    </>
  );
  const given = { className: `figure figure-${tone}`, title: help && words[help], "data-figure": label };
  return to ? <Link to={to} {...given}>{inside}</Link> : <div {...given}>{inside}</div>;
}
