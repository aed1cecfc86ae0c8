/** What platforms say about a subject, list by list. */
import { Table, type TableColumnsType } from "antd";
import { Link } from "react-router";
import { Mark, StateMark, type Tone } from "../../parts/mark";
import { Moment } from "../../parts/moment";
import { filled, useNamed, useWords } from "../../words";
import type { CreditRecord } from "./history";
import { Reveal } from "./reveal";
import type { Subject } from "./subject";

interface Listed<One> {
  id: string;
  title: string;
  total: number;
  rows: readonly One[];
  rowKey: keyof One & string;
  columns: TableColumnsType<One>;
}

function List<One extends object>({ id, title, total, rows, rowKey, columns }: Listed<One>) {
  const words = useWords();
  return (
    <section className="pane" aria-labelledby={id}>
      <div className="row" style={{ marginBottom: 10 }}>
        <h2 id={id}>{title}</h2>
        <span className="quiet">{filled(words["common.total"], { n: total })}</span>
      </div>
      <Table<One>
        size="small"
        rowKey={rowKey}
        dataSource={[...rows]}
        columns={columns}
        pagination={rows.length > 10 ? { pageSize: 10, size: "small", showSizeChanger: false } : false}
        locale={{ emptyText: words["common.none"] }}
      />
    </section>
  );
}

export function Records({ records, total }: { records: readonly CreditRecord[]; total: number }) {
  const words = useWords();
  const named = useNamed();
  return (
    <List
      id="records"
      title={words["subject.records"]}
      total={total}
      rows={records}
      rowKey="id"
      columns={[
        { title: words["subject.occurred"], width: 180, render: (_, of) => <Moment at={of.occurredAt} /> },
        { title: words["subject.item"], render: (_, of) => <Link to={`/loop?of=${encodeURIComponent(of.id)}`}>{of.itemName}</Link> },
        { title: words["subject.category"], width: 170, render: (_, of) => <>{named("category", of.category)} {of.cancelled && <Mark tone="calm">{words["subject.cancelled"]}</Mark>}</> },
        { title: words["subject.department"], render: (_, of) => of.department?.name ?? "—" },
        { title: words["subject.taken"], align: "right", width: 80, render: (_, of) => <span className="number">{of.points}</span> },
        { title: words["subject.open"], align: "right", width: 80, render: (_, of) => <span className="number">{of.openPoints}</span> },
      ]}
    />
  );
}

type Approval = Subject["approvals"]["edges"][number]["node"];
const APPROVAL: Record<string, Tone> = { ACCEPTED: "busy", GRANTED: "good", REFUSED: "bad", REVOKED: "warn" };

export function Approvals({ of }: { of: Subject }) {
  const words = useWords();
  const named = useNamed();
  return (
    <List
      id="approvals"
      title={words["subject.approvals"]}
      total={of.approvals.totalCount}
      rows={of.approvals.edges.map((edge) => edge.node)}
      rowKey="id"
      columns={[
        { title: words["subject.decided"], width: 180, render: (_, one) => <Moment at={one.decidedAt} plain /> },
        { title: words["subject.matter"], render: (_, one) => <Link to={`/loop?of=${encodeURIComponent(one.id)}`}>{one.matterName}<br /><span className="mono quiet">{one.approvalNo}</span></Link> },
        { title: words["subject.procedure"], width: 120, render: (_, one) => named("procedure", one.procedure) },
        { title: words["subject.state"], width: 110, render: (_, one) => <Mark tone={APPROVAL[one.state] ?? "calm"}>{named("approvalState", one.state)}</Mark> },
        { title: words["subject.department"], render: (_, one) => one.departmentName },
        { title: words["subject.personal"], width: 260, render: (_, one) => <Personal of={one} /> },
      ]}
    />
  );
}

/** The masked numbers of an approval, each with its eye. */
function Personal({ of }: { of: Approval }) {
  const words = useWords();
  const shown = [
    { field: "phone", label: words["subject.phone"], masked: of.phone },
    { field: "identityNo", label: words["subject.identityNo"], masked: of.identityNo },
    { field: "representativeIdentityNo", label: words["subject.representativeIdentityNo"], masked: of.representativeIdentityNo },
  ];
  return shown.map(({ field, label, masked }) =>
    masked == null ? null : (
      <div key={field}>
        <span className="quiet">{label}</span> <Reveal id={of.id} field={field} label={label} masked={masked} />
      </div>
    ),
  );
}

const CONCLUSION: Record<string, Tone> = { CONFORM: "good", NONCONFORM: "bad", UNREACHABLE: "warn" };

export function Checks({ of }: { of: Subject }) {
  const words = useWords();
  const named = useNamed();
  return (
    <List
      id="checks"
      title={words["subject.checks"]}
      total={of.results.totalCount}
      rows={of.results.edges.map((edge) => edge.node)}
      rowKey="id"
      columns={[
        { title: words["subject.checked"], width: 180, render: (_, one) => <Moment at={one.checkedAt} plain /> },
        { title: words["subject.conclusion"], width: 150, render: (_, one) => <Mark tone={CONCLUSION[one.conclusion] ?? "calm"}>{named("conclusion", one.conclusion)}</Mark> },
        { title: words["found.verificationTask"], render: (_, one) => <Link className="mono" to={`/loop?of=${encodeURIComponent(one.id)}`}>{one.taskId}</Link> },
      ]}
    />
  );
}

export function Obligations({ of }: { of: Subject }) {
  const words = useWords();
  const named = useNamed();
  if (!of.obligations) return null;
  return (
    <List
      id="obligations"
      title={words["subject.obligations"]}
      total={of.obligations.totalCount}
      rows={of.obligations.edges.map((edge) => edge.node)}
      rowKey="key"
      columns={[
        { title: words["obligations.state"], width: 120, render: (_, one) => <StateMark state={one.state} /> },
        { title: words["obligations.key"], render: (_, one) => <Link to={`/obligations/${encodeURIComponent(one.key)}`}>{named("rule", one.rule)}</Link> },
        { title: words["obligations.due"], width: 200, render: (_, one) => <Moment at={one.dueAt} /> },
      ]}
    />
  );
}
