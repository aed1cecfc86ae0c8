/** One obligation: why it is owed, what was tried and answered, when it is tried again, what people did. Kept up to date. */
import { ArrowLeftOutlined } from "@ant-design/icons";
import { Alert, Spin } from "antd";
import { Link, useParams } from "react-router";
import { useSubscription } from "urql";
import type { OneObligationQuery } from "../../../generated/graphql";
import { useAsked, useSettled } from "../../graph/use";
import { Facts } from "../../parts/facts";
import { Failure } from "../../parts/failure";
import { Mark, PlatformName, StateMark } from "../../parts/mark";
import { inBeijing, lengthOf, Moment } from "../../parts/moment";
import { filled, useNamed, useWords } from "../../words";
import { Acts } from "./acts";
import { CHANGED, ONE } from "./asked";
import { Attempts } from "./attempts";

type One = NonNullable<OneObligationQuery["obligation"]>;
type Done = One["audit"]["edges"][number]["node"];
const SETTLE = 300;

export default function Obligation() {
  const words = useWords();
  const { key = "" } = useParams();
  const { data, error, waiting, again } = useAsked(ONE, { key }, { everySeconds: 15 });
  const soon = useSettled(again, SETTLE);
  useSubscription({ query: CHANGED, variables: { filter: { key: { eq: key } } } }, (_, told) => {
    soon();
    return told;
  });
  const one = data?.obligation;
  return (
    <>
      <Link to="/obligations">
        <ArrowLeftOutlined /> {words["obligation.back"]}
      </Link>
      <Failure error={error} again={again} />
      {waiting && <Spin />}
      {data && !one && !error && <Alert type="info" showIcon title={words["obligation.gone"]} />}
      {one && <Shown one={one} again={again} />}
    </>
  );
}

function Shown({ one, again }: { one: One; again: () => void }) {
  const words = useWords();
  const named = useNamed();
  const open = ["WAITING", "DUE", "LEASED", "SENT", "STUCK"].includes(one.state);
  return (
    <>
      <section className="pane" aria-labelledby="one">
        <div className="row" style={{ marginBottom: 14 }}>
          <h2 id="one">
            {named("rule", one.rule)} <StateMark state={one.state} /> {one.overdue && <Mark tone="bad">{filled(words["obligations.late"], { age: lengthOf(one.lateSeconds ?? 0, words) })}</Mark>}
          </h2>
          <Acts rows={[one]} done={again} />
        </div>
        {one.lastError && open && <Alert type={one.state === "STUCK" ? "error" : "warning"} title={one.lastError} style={{ marginBottom: 14 }} />}
        <Facts
          facts={[
            [words["obligations.key"], <span className="mono" key="key">{one.key}</span>],
            [words["obligations.platform"], <PlatformName key="platform" name={one.platform} />],
            [words["obligation.command"], one.command],
            [words["obligation.number"], <span className="mono" key="number">{one.number}</span>],
            [words["obligation.receipt"], one.receipt && <span className="mono">{one.receipt}</span>],
            [words["obligation.cause"], <Cause key="cause" one={one} />],
            [words["obligations.subject"], one.subjectCode && <Link to={`/subject?code=${one.subjectCode}`}>{one.subject?.name ?? one.subjectCode}</Link>],
            [words["obligations.created"], <Moment key="created" at={one.createdAt} />],
            [words["obligations.due"], <span key="due"><Moment at={one.dueAt} /> {one.dueProvisional && <Mark tone="warn">{words["obligation.provisional"]}</Mark>}</span>],
            [words["obligation.next"], open && one.state !== "STUCK" ? <Moment at={one.nextAt} /> : null],
            [words["obligation.needs"], one.waitsFor ?? one.needs],
            [words["obligation.sent"], one.sentAt && <Moment at={one.sentAt} />],
            [words["obligation.closed"], one.closedAt && <Moment at={one.closedAt} />],
            [words["obligation.policy"], <span className="mono" key="policy">{one.policyVersion}</span>],
            ...(one.decidedBy ? [[filled(words["obligation.decided"], { by: one.decidedBy }), one.reason] as const] : []),
          ]}
        />
        <p style={{ margin: "14px 0 0" }}>
          <Link to={`/loop?of=${encodeURIComponent(one.id)}`}>{words["obligation.loop"]}</Link>
        </p>
      </section>
      <Attempts attempts={one.history.edges.map((edge) => edge.node)} />
      <Audit entries={one.audit.edges.map((edge) => edge.node)} />
    </>
  );
}

function Cause({ one }: { one: One }) {
  const record = one.approval ?? one.gridEvent ?? one.task;
  const text = one.approval?.matterName ?? one.gridEvent?.title ?? one.task?.title;
  return (
    <>
      <span className="mono">{one.cause}</span>
      {record && <div>{text}</div>}
    </>
  );
}

function Audit({ entries }: { entries: Done[] }) {
  const words = useWords();
  return (
    <section className="pane" aria-labelledby="audit">
      <h2 id="audit">{words["obligation.audit"]}</h2>
      {entries.length === 0 && <p className="quiet">{words["obligation.auditNone"]}</p>}
      <ul className="changes">
        {entries.map((each) => (
          <li key={each.entryId}>
            <span className="quiet number">{inBeijing(each.at)}</span>
            <strong>{each.actor}</strong>
            <span>{each.action}</span>
            <span className="quiet">{each.reason ?? ""}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}
