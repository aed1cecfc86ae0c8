/** What the chart shows: all figures of a group along one axis, or one figure along two. */
import type { EChartsOption } from "echarts";
import type { Words } from "../../words";
import { type Axis, type Figure, isTime, nameOf, type Row } from "./asked";

/** Of the second axis so many are drawn, those with the most; the table has all. */
const DRAWN = 12;
/** What is told apart by subject does not add up: a subject counts in each row that it is in. */
const DISTINCT: readonly Figure[] = ["subjectsScored", "subjectsSelfGoverning"];
const GRID = { left: 8, right: 16, top: 60, bottom: 8, outerBoundsMode: "same", outerBoundsContain: "axisLabel" } as const;

export function alongOne(rows: readonly Row[], axis: Axis, figures: readonly Figure[], words: Words): EChartsOption {
  return {
    xAxis: categories(rows.map((row) => nameOf(row, axis) ?? words["statistics.unnamed"])),
    yAxis: { type: "value" },
    grid: GRID,
    series: figures.map((figure) => ({
      type: isTime(axis) ? ("line" as const) : ("bar" as const),
      name: words[`figure.${figure}`],
      barMaxWidth: 26,
      data: rows.map((row) => Number(row.figures[figure])),
    })),
  };
}

/** Time is always from left to right; what is told apart by the other axis stands on each other where it adds up. */
export function alongTwo(rows: readonly Row[], axis: Axis, second: Axis, figure: Figure, words: Words): EChartsOption {
  const [along, apart] = isTime(second) ? [second, axis] : [axis, second];
  const sums = new Map<string, number>();
  const places: string[] = [];
  const cells = new Map<string, number>();
  for (const row of rows) {
    const [place, name] = [along, apart].map((each) => nameOf(row, each) ?? words["statistics.unnamed"]) as [string, string];
    const n = Number(row.figures[figure]);
    if (!places.includes(place)) places.push(place);
    sums.set(name, (sums.get(name) ?? 0) + n);
    cells.set(`${place}\n${name}`, n);
  }
  if (isTime(along)) places.sort((a, b) => a.localeCompare(b));
  const names = [...sums].sort(([, a], [, b]) => b - a).slice(0, DRAWN).map(([name]) => name);
  return {
    xAxis: categories(places),
    yAxis: { type: "value" },
    grid: GRID,
    series: names.map((name) => ({
      type: "bar" as const,
      name,
      barMaxWidth: 36,
      ...(DISTINCT.includes(figure) ? {} : { stack: "all" }),
      data: places.map((place) => cells.get(`${place}\n${name}`) ?? 0),
    })),
  };
}

function categories(data: string[]): EChartsOption["xAxis"] {
  return { type: "category", data, axisLabel: { interval: 0, rotate: data.length > 8 ? 35 : 0, hideOverlap: true } };
}
