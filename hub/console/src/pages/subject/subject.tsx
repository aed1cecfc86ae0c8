/** Everything about one subject, whichever of its identifiers one has. */
import { Alert, Empty, Input, Spin } from "antd";
import { Link, useSearchParams } from "react-router";
import type { SubjectPageQuery } from "../../../generated/graphql";
import { useAsked } from "../../graph/use";
import { Facts } from "../../parts/facts";
import { Failure } from "../../parts/failure";
import { Mark, PlatformName } from "../../parts/mark";
import { Moment } from "../../parts/moment";
import { useRights } from "../../shell/me";
import { filled, useWords } from "../../words";
import { SUBJECT } from "./asked";
import { History } from "./history";
import { Approvals, Checks, Obligations, Records } from "./lists";

export type Subject = NonNullable<SubjectPageQuery["subject"]>;

export default function SubjectPage() {
  const words = useWords();
  const [told, tell] = useSearchParams();
  const code = told.get("code") ?? "";
  return (
    <>
      <search className="row">
        <Input.Search
          key={code}
          autoFocus={!code}
          allowClear
          enterButton={words["loop.find"]}
          defaultValue={code}
          placeholder={words["subject.search"]}
          aria-label={words["subject.search"]}
          style={{ maxWidth: 520 }}
          onSearch={(text) => tell(text.trim() ? { code: text.trim() } : {})}
        />
      </search>
      {code ? <Asked key={code} code={code} /> : <Empty description={words["subject.lead"]} />}
    </>
  );
}

function Asked({ code }: { code: string }) {
  const words = useWords();
  const rights = useRights();
  const { data, error, waiting, again } = useAsked(SUBJECT, { code, sees: rights.sees }, { everySeconds: 60 });
  if (waiting) return <Spin />;
  return (
    <>
      <Failure error={error} again={again} />
      {data && !data.subject && !error && <Alert type="info" showIcon title={filled(words["subject.unknown"], { code })} />}
      {data?.subject && <Shown of={data.subject} />}
    </>
  );
}

function Shown({ of }: { of: Subject }) {
  const words = useWords();
  const records = of.creditRecords.edges.map((edge) => edge.node);
  const open = records.filter((each) => !each.cancelled && each.category === "REGULATORY_POINTS").reduce((sum, each) => sum + Number(each.openPoints), 0);
  return (
    <>
      <section className="pane" aria-labelledby="who">
        <div className="row" style={{ marginBottom: 12 }}>
          <h2 id="who" style={{ fontSize: 17 }}>
            {of.name}
          </h2>
          <Source freshness={of.freshness} />
        </div>
        {of.profile ? (
          <Facts
            facts={[
              [words["subject.score"], <strong key="score" className="number">{of.profile.score}</strong>],
              [words["subject.grade"], <Mark key="grade" tone={of.profile.grade <= "B" ? "good" : of.profile.grade === "C" ? "warn" : "bad"}>{of.profile.grade}</Mark>],
              [words["subject.points"], <span key="points" className="number">{of.profile.regulatoryPoints}</span>],
              [words["subject.openPoints"], <span key="open" className="number">{open}</span>],
              [words["subject.identifiers"], <Identifiers key="identifiers" of={of} />],
            ]}
          />
        ) : (
          <Facts
            facts={[
              [words["subject.identifiers"], <Identifiers key="identifiers" of={of} />],
              [words["subject.score"], words["subject.noProfile"]],
            ]}
          />
        )}
        <p style={{ margin: "12px 0 0" }}>
          <Link to={`/loop?number=${of.code}`}>{words["loop.cases"]}</Link>
        </p>
      </section>
      {records.length > 0 && (
        <section className="pane" aria-labelledby="history">
          <h2 id="history">{words["subject.history"]}</h2>
          <History records={records} />
        </section>
      )}
      <Records records={records} total={of.creditRecords.totalCount} />
      <Approvals of={of} />
      <Checks of={of} />
      <Obligations of={of} />
    </>
  );
}

function Identifiers({ of }: { of: Subject }) {
  const all = of.identifiers.edges.map((edge) => edge.node.identifier);
  return (
    <>
      {(all.length ? all : [of.code]).map((each) => (
        <div key={each} className="mono">
          {each}
        </div>
      ))}
    </>
  );
}

function Source({ freshness }: { freshness: Subject["freshness"] }) {
  const words = useWords();
  return (
    <span className="quiet">
      <PlatformName name={freshness.source} /> · <Moment at={freshness.observedAt} /> {freshness.stale && <Mark tone="warn">{words["subject.stale"]}</Mark>}
    </span>
  );
}
