/** All that is owed: filtered, searched and ordered by the hub, thousands of rows in a window that draws only what shows. */
import { Button, Table, type TableColumnsType } from "antd";
import { useState } from "react";
import { Link } from "react-router";
import { Failure } from "../../parts/failure";
import { PlatformName, StateMark } from "../../parts/mark";
import { lengthOf, Moment } from "../../parts/moment";
import { useRoom } from "../../parts/room";
import { useRights } from "../../shell/me";
import { filled, useNamed, useWords } from "../../words";
import { Acts } from "./acts";
import { useWanted } from "./filter";
import { Filters } from "./filters";
import { type Row, useRows } from "./rows";

const NEAR_END = 400;

export default function Obligations() {
  const words = useWords();
  const rights = useRights();
  const [wanted, want] = useWanted();
  const rows = useRows(wanted);
  const [chosen, setChosen] = useState<readonly string[]>([]);
  const [ref, height] = useRoom();
  const columns = useColumns();
  const picked = rows.rows.filter((row) => chosen.includes(row.key));
  return (
    <>
      <Filters wanted={wanted} want={want} />
      <div className="row" style={{ minHeight: 32 }}>
        <span className="quiet number" role="status">
          {filled(words["common.loaded"], { shown: rows.rows.length, n: rows.total })}
        </span>
        {rows.elsewhere > 0 && (
          <Button type="link" size="small" onClick={rows.again}>
            {words["common.refresh"]} ({rows.elsewhere})
          </Button>
        )}
        {picked.length > 0 && (
          <span className="row" style={{ marginLeft: "auto" }}>
            <strong>{filled(words["obligations.selected"], { n: picked.length })}</strong>
            <Acts
              rows={picked}
              done={(now) => {
                rows.put(now);
                setChosen([]);
              }}
            />
          </span>
        )}
      </div>
      <Failure error={rows.error} again={rows.again} />
      <div ref={ref}>
        <Table<Row>
          virtual
          size="small"
          rowKey="key"
          loading={rows.waiting && !rows.rows.length}
          pagination={false}
          dataSource={rows.rows}
          columns={columns}
          scroll={{ x: 880, y: height }}
          onScroll={({ currentTarget: { scrollHeight, scrollTop, clientHeight } }) => {
            if (scrollHeight - scrollTop - clientHeight < NEAR_END) rows.more();
          }}
          locale={{ emptyText: words["common.none"] }}
          {...(rights.acts
            ? {
                rowSelection: {
                  selectedRowKeys: [...chosen],
                  onChange: (keys) => setChosen(keys as string[]),
                  getCheckboxProps: (row) => ({ "aria-label": row.key }),
                  getTitleCheckboxProps: () => ({ "aria-label": words["common.all"] }),
                  columnWidth: 40,
                },
              }
            : {})}
        />
      </div>
      {rows.next !== null && (
        <Button onClick={rows.more} loading={rows.waiting}>
          {words["common.more"]}
        </Button>
      )}
    </>
  );
}

function useColumns(): TableColumnsType<Row> {
  const words = useWords();
  const named = useNamed();
  return [
    { title: words["obligations.state"], width: 104, render: (_, row) => <StateMark state={row.state} /> },
    {
      title: words["obligations.key"],
      width: 230,
      render: (_, row) => (
        <Link to={`/obligations/${encodeURIComponent(row.key)}`} title={row.key}>
          <span className="truncate">{named("rule", row.rule)}</span>
          <span className="truncate mono quiet">{row.key.slice(row.key.indexOf(":") + 1)}</span>
        </Link>
      ),
    },
    { title: words["obligations.subject"], width: 170, ellipsis: true, render: (_, row) => row.subject?.name ?? row.subjectCode ?? "—" },
    { title: words["obligations.platform"], width: 110, render: (_, row) => <PlatformName name={row.platform} /> },
    { title: words["obligations.due"], width: 190, render: (_, row) => <Due row={row} /> },
    { title: words["obligations.attempts"], width: 64, align: "right", render: (_, row) => <span className="number">{row.attempts}</span> },
    { title: words["obligations.error"], ellipsis: true, render: (_, row) => (row.lastError ? <span title={row.lastError}>{row.lastError}</span> : "—") },
  ];
}

function Due({ row }: { row: Row }) {
  const words = useWords();
  if (!row.overdue) return <Moment at={row.dueAt} />;
  return (
    <>
      <Moment at={row.dueAt} />
      <br />
      <strong className="mark mark-bad">{filled(words["obligations.late"], { age: lengthOf(row.lateSeconds ?? 0, words) })}</strong>
    </>
  );
}
