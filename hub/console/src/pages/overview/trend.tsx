/** The last thirty days in four lines, counted by the hub from the records. */
import type { EChartsOption } from "echarts";
import { useMemo } from "react";
import { hubNow } from "../../graph/hub_time";
import { useAsked } from "../../graph/use";
import { Chart } from "../../parts/chart";
import { Failure } from "../../parts/failure";
import { beijingDay } from "../../parts/moment";
import { filled, useWords } from "../../words";
import { TREND } from "./asked";

const DAY = 86_400_000;
const DAYS = 30;

export function Trend() {
  const words = useWords();
  const today = beijingDay(hubNow());
  const days = useMemo(() => Array.from({ length: DAYS }, (_, at) => beijingDay(Date.parse(`${today}T12:00:00+08:00`) - (DAYS - 1 - at) * DAY)), [today]);
  const { data, error, again } = useAsked(TREND, { from: days[0] ?? today, to: today }, { everySeconds: 60 });
  const rows = data?.statistics?.rows;
  const option = useMemo<EChartsOption>(() => {
    const of = new Map(rows?.map((row) => [row.period, row.figures]));
    const line = (name: string, figure: (of: NonNullable<typeof rows>[number]["figures"]) => number) => ({
      type: "line" as const,
      name,
      showSymbol: false,
      data: days.map((day) => {
        const found = of.get(day);
        return found ? figure(found) : 0;
      }),
    });
    return {
      xAxis: { type: "category", data: days.map((day) => day.slice(5)) },
      yAxis: { type: "value", minInterval: 1 },
      series: [
        line(words["overview.granted"], (each) => each.approvalsGranted),
        line(words["overview.done"], (each) => each.tasksDone),
        line(words["overview.records"], (each) => each.creditRecords),
        line(words["overview.events"], (each) => each.eventsReceived),
      ],
    };
  }, [rows, days, words]);
  const uncounted = data?.statistics?.uncounted ?? 0;
  return (
    <section className="pane" aria-labelledby="trend">
      <div className="row">
        <h2 id="trend">{words["overview.trend"]}</h2>
        {uncounted > 0 && <span className="quiet">{filled(words["overview.uncounted"], { n: uncounted })}</span>}
      </div>
      <Failure error={error} again={again} />
      <Chart label={words["overview.trendLabel"]} option={option} height={230} />
    </section>
  );
}
