/** Figures counted from the records, as a chart and a table, to be taken along as CSV and PNG. */
import { DownloadOutlined } from "@ant-design/icons";
import { Button, DatePicker, Empty, Segmented, Select, Spin, Table } from "antd";
import type { EChartsOption } from "echarts";
import { useMemo, useState } from "react";
import { useAsked } from "../../graph/use";
import { Chart, type Drawn } from "../../parts/chart";
import { Failure } from "../../parts/failure";
import { filled, useWords } from "../../words";
import { AXES, type Axis, type Figure, type Group, GROUPS, nameOf, type Row, STATISTICS, type Told } from "./asked";
import { csvOf, save } from "./export";

const REFRESH = 60;
const ALL_TIMES: readonly Axis[] = ["DAY", "MONTH", "YEAR"];

type Days = [string, string] | null;

export default function Statistics() {
  const words = useWords();
  const [axis, setAxis] = useState<Axis>("DEPARTMENT");
  const [group, setGroup] = useState<Group>("approval");
  const [days, setDays] = useState<Days>(null);
  const { data, error, waiting, again } = useAsked(STATISTICS, { from: days?.[0] ?? null, to: days?.[1] ?? null, by: [axis] }, { everySeconds: REFRESH });
  return (
    <>
      <search className="row">
        <Segmented<Group>
          value={group}
          onChange={setGroup}
          aria-label={words["statistics.figures"]}
          options={(Object.keys(GROUPS) as Group[]).map((value) => ({ value, label: words[`statistics.group.${value}`] }))}
        />
        <Select<Axis>
          value={axis}
          onChange={setAxis}
          style={{ width: 130 }}
          aria-label={words["statistics.by"]}
          options={AXES.map((value) => ({ value, label: words[`statistics.axis.${value}`] }))}
        />
        <DatePicker.RangePicker aria-label={words["statistics.period"]} allowEmpty={[true, true]} onChange={(_, told) => setDays(told[0] && told[1] ? [told[0], told[1]] : null)} />
        {data?.statistics && data.statistics.uncounted > 0 && <span className="quiet">{filled(words["overview.uncounted"], { n: data.statistics.uncounted })}</span>}
      </search>
      <Failure error={error} again={again} />
      {waiting && <Spin />}
      {data?.statistics && <Shown told={data.statistics} axis={axis} figures={GROUPS[group]} group={group} />}
    </>
  );
}

interface Props {
  told: Told;
  axis: Axis;
  group: Group;
  figures: readonly Figure[];
}

function Shown({ told, axis, group, figures }: Props) {
  const words = useWords();
  const [drawn, setDrawn] = useState<Drawn | null>(null);
  const rows = useMemo(() => shownRows(told.rows, axis, figures), [told.rows, axis, figures]);
  const name = (row: Row): string => nameOf(row, axis) ?? words["statistics.unnamed"];
  const label = filled(words["statistics.chart"], { figures: words[`statistics.group.${group}`], axis: words[`statistics.axis.${axis}`] });
  const option = useMemo<EChartsOption>(
    () => ({
      xAxis: { type: "category", data: rows.map((row) => nameOf(row, axis) ?? words["statistics.unnamed"]), axisLabel: { interval: 0, rotate: rows.length > 8 ? 35 : 0, hideOverlap: true } },
      yAxis: { type: "value" },
      grid: { left: 8, right: 16, top: 60, bottom: 8, outerBoundsMode: "same", outerBoundsContain: "axisLabel" },
      series: figures.map((figure) => ({
        type: ALL_TIMES.includes(axis) ? ("line" as const) : ("bar" as const),
        name: words[`figure.${figure}`],
        barMaxWidth: 26,
        data: rows.map((row) => Number(row.figures[figure])),
      })),
    }),
    [rows, axis, figures, words],
  );
  if (!rows.length) return <Empty description={words["statistics.none"]} />;
  const file = `bihuan-${group}-${axis.toLowerCase()}`;
  const lines = (): string[][] => [
    [words[`statistics.axis.${axis}`], ...figures.map((figure) => words[`figure.${figure}`])],
    ...rows.map((row) => [name(row), ...figures.map((figure) => String(row.figures[figure]))]),
    [words["statistics.total"], ...figures.map((figure) => String(told.total[figure]))],
  ];
  return (
    <section className="pane" aria-labelledby="figures">
      <div className="row" style={{ marginBottom: 10 }}>
        <h2 id="figures">{label}</h2>
        <Button icon={<DownloadOutlined />} onClick={() => save(`${file}.csv`, csvOf(lines()))}>
          {words["statistics.csv"]}
        </Button>
        <Button icon={<DownloadOutlined />} disabled={!drawn} onClick={() => drawn && save(`${file}.png`, drawn.picture())}>
          {words["statistics.png"]}
        </Button>
      </div>
      <Chart label={label} option={option} height={320} drawn={setDrawn} />
      <Table<Row>
        size="small"
        rowKey={(row) => nameOf(row, axis) ?? ""}
        pagination={false}
        dataSource={rows}
        scroll={{ x: 760 }}
        columns={[
          { title: words[`statistics.axis.${axis}`], fixed: "left", width: 160, render: (_, row) => name(row) },
          ...figures.map((figure) => ({
            title: words[`figure.${figure}`],
            align: "right" as const,
            sorter: (a: Row, b: Row) => Number(a.figures[figure]) - Number(b.figures[figure]),
            render: (_: unknown, row: Row) => <span className="number">{row.figures[figure]}</span>,
          })),
        ]}
        summary={() => (
          <Table.Summary.Row>
            <Table.Summary.Cell index={0}>
              <strong>{words["statistics.total"]}</strong>
            </Table.Summary.Cell>
            {figures.map((figure, at) => (
              <Table.Summary.Cell key={figure} index={at + 1} align="right">
                <strong className="number">{told.total[figure]}</strong>
              </Table.Summary.Cell>
            ))}
          </Table.Summary.Row>
        )}
      />
    </section>
  );
}

/** Rows that have one of the figures; in the order of time, else the most first. */
function shownRows(rows: readonly Row[], axis: Axis, figures: readonly Figure[]): Row[] {
  const some = rows.filter((row) => figures.some((figure) => Number(row.figures[figure]) !== 0));
  const first = figures[0];
  if (ALL_TIMES.includes(axis) || !first) return some.sort((a, b) => (a.period ?? "").localeCompare(b.period ?? ""));
  return some.sort((a, b) => Number(b.figures[first]) - Number(a.figures[first]));
}
