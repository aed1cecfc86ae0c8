/** Figures counted from the records, as a chart and a table, to be taken along as CSV and PNG. */
import { DownloadOutlined } from "@ant-design/icons";
import { Button, DatePicker, Empty, Segmented, Select, Spin, Table } from "antd";
import type { EChartsOption } from "echarts";
import { useMemo, useState } from "react";
import { useAsked } from "../../graph/use";
import { Chart, type Drawn } from "../../parts/chart";
import { Failure } from "../../parts/failure";
import { filled, useWords } from "../../words";
import { AXES, type Axis, type Figure, goTogether, type Group, GROUPS, isTime, nameOf, type Row, STATISTICS, type Told } from "./asked";
import { alongOne, alongTwo } from "./drawing";
import { csvOf, save } from "./export";

const REFRESH = 60;
const AXIS_WIDTH = 140;
/** Wide enough for the longest word of a heading. */
const FIGURE_WIDTH = 128;

type Days = [string, string] | null;

export default function Statistics() {
  const words = useWords();
  const [axis, setAxis] = useState<Axis>("DEPARTMENT");
  const [second, setSecond] = useState<Axis | null>(null);
  const [group, setGroup] = useState<Group>("approval");
  const [days, setDays] = useState<Days>(null);
  const { data, error, waiting, again } = useAsked(STATISTICS, { from: days?.[0] ?? null, to: days?.[1] ?? null, by: second === null ? [axis] : [axis, second] }, { everySeconds: REFRESH });
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
          onChange={(next) => {
            setAxis(next);
            if (second !== null && !goTogether(next, second)) setSecond(null);
          }}
          style={{ width: 130 }}
          aria-label={words["statistics.by"]}
          options={AXES.map((value) => ({ value, label: words[`statistics.axis.${value}`] }))}
        />
        <Select
          allowClear
          value={second}
          onChange={(next: Axis | undefined) => setSecond(next ?? null)}
          style={{ width: 140 }}
          aria-label={words["statistics.andBy"]}
          placeholder={words["statistics.andBy"]}
          options={AXES.filter((value) => goTogether(axis, value)).map((value) => ({ value, label: words[`statistics.axis.${value}`] }))}
        />
        <DatePicker.RangePicker aria-label={words["statistics.period"]} allowEmpty={[true, true]} onChange={(_, told) => setDays(told[0] && told[1] ? [told[0], told[1]] : null)} />
        {data?.statistics && data.statistics.uncounted > 0 && <span className="quiet">{filled(words["overview.uncounted"], { n: data.statistics.uncounted })}</span>}
      </search>
      <Failure error={error} again={again} />
      {waiting && <Spin />}
      {data?.statistics && <Shown key={group} told={data.statistics} axis={axis} second={second} figures={GROUPS[group]} group={group} />}
    </>
  );
}

interface Props {
  told: Told;
  axis: Axis;
  second: Axis | null;
  group: Group;
  figures: readonly [Figure, ...Figure[]];
}

function Shown({ told, axis, second, group, figures }: Props) {
  const words = useWords();
  const [drawn, setDrawn] = useState<Drawn | null>(null);
  const [chosen, choose] = useState<Figure>(figures[0]);
  const axes = useMemo(() => (second === null ? [axis] : [axis, second]), [axis, second]);
  const rows = useMemo(() => shownRows(told.rows, axes, figures), [told.rows, axes, figures]);
  const name = (row: Row, of: Axis): string => nameOf(row, of) ?? words["statistics.unnamed"];
  const label = filled(words["statistics.chart"], {
    figures: second === null ? words[`statistics.group.${group}`] : words[`figure.${chosen}`],
    axis: axes.map((each) => words[`statistics.axis.${each}`]).join(words["statistics.and"]),
  });
  const option = useMemo<EChartsOption>(
    () => (second === null ? alongOne(rows, axis, figures, words) : alongTwo(rows, axis, second, chosen, words)),
    [rows, axis, second, chosen, figures, words],
  );
  if (!rows.length) return <Empty description={words["statistics.none"]} />;
  const file = `bihuan-${group}-${axes.join("-").toLowerCase()}`;
  const lines = (): string[][] => [
    [...axes.map((each) => words[`statistics.axis.${each}`]), ...figures.map((figure) => words[`figure.${figure}`])],
    ...rows.map((row) => [...axes.map((each) => name(row, each)), ...figures.map((figure) => String(row.figures[figure]))]),
    [words["statistics.total"], ...axes.slice(1).map(() => ""), ...figures.map((figure) => String(told.total[figure]))],
  ];
  return (
    <section className="pane" aria-labelledby="figures">
      <div className="row" style={{ marginBottom: 10 }}>
        <h2 id="figures">{label}</h2>
        {second !== null && (
          <Select<Figure>
            value={chosen}
            onChange={choose}
            style={{ width: 200 }}
            aria-label={words["statistics.drawn"]}
            options={figures.map((value) => ({ value, label: words[`figure.${value}`] }))}
          />
        )}
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
        rowKey={(row) => axes.map((each) => nameOf(row, each) ?? "").join("\n")}
        pagination={false}
        dataSource={rows}
        scroll={{ x: axes.length * AXIS_WIDTH + figures.length * FIGURE_WIDTH }}
        columns={[
          ...axes.map((each) => ({ title: words[`statistics.axis.${each}`], fixed: "left" as const, width: AXIS_WIDTH, render: (_: unknown, row: Row) => name(row, each) })),
          ...figures.map((figure) => ({
            title: words[`figure.${figure}`],
            align: "right" as const,
            width: FIGURE_WIDTH,
            sorter: (a: Row, b: Row) => Number(a.figures[figure]) - Number(b.figures[figure]),
            render: (_: unknown, row: Row) => <span className="number">{row.figures[figure]}</span>,
          })),
        ]}
        summary={() => (
          <Table.Summary.Row>
            <Table.Summary.Cell index={0} colSpan={axes.length}>
              <strong>{words["statistics.total"]}</strong>
            </Table.Summary.Cell>
            {figures.map((figure, at) => (
              <Table.Summary.Cell key={figure} index={at + axes.length} align="right">
                <strong className="number">{told.total[figure]}</strong>
              </Table.Summary.Cell>
            ))}
          </Table.Summary.Row>
        )}
      />
    </section>
  );
}

/** Rows that have one of the figures; in the order of time, else the most first; those of one name of the first axis together. */
function shownRows(rows: readonly Row[], axes: readonly Axis[], figures: readonly Figure[]): Row[] {
  const some = rows.filter((row) => figures.some((figure) => Number(row.figures[figure]) !== 0));
  const first = figures[0];
  const size = (row: Row): number => (first ? Number(row.figures[first]) : 0);
  const sums = new Map<string, number>();
  const whole = (row: Row, axis: Axis): string => `${axis} ${nameOf(row, axis) ?? ""}`;
  for (const axis of axes) for (const row of some) sums.set(whole(row, axis), (sums.get(whole(row, axis)) ?? 0) + size(row));
  const by = (axis: Axis) => (a: Row, b: Row): number => {
    const [one, other] = [whole(a, axis), whole(b, axis)];
    return isTime(axis) ? one.localeCompare(other) : (sums.get(other) ?? 0) - (sums.get(one) ?? 0) || one.localeCompare(other);
  };
  return some.sort((a, b) => axes.map((axis) => by(axis)(a, b)).find((order) => order !== 0) ?? 0);
}
