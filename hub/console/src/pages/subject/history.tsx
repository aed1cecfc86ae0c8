/** Points taken and restored over time, and what stands of them. */
import type { EChartsOption } from "echarts";
import { useMemo } from "react";
import type { SubjectPageQuery } from "../../../generated/graphql";
import { Chart } from "../../parts/chart";
import { beijingDay } from "../../parts/moment";
import { useWords } from "../../words";

export type CreditRecord = NonNullable<SubjectPageQuery["subject"]>["creditRecords"]["edges"][number]["node"];

export function History({ records }: { records: readonly CreditRecord[] }) {
  const words = useWords();
  const option = useMemo<EChartsOption>(() => {
    const taken = new Map<string, number>();
    const restored = new Map<string, number>();
    const add = (to: Map<string, number>, at: string, points: string): void => {
      const day = beijingDay(at);
      to.set(day, (to.get(day) ?? 0) + Number(points));
    };
    for (const record of records) {
      if (record.cancelled) continue;
      add(taken, record.occurredAt, record.points);
      for (const { node } of record.repairs.edges) add(restored, node.completedAt, node.points);
    }
    const days = [...new Set([...taken.keys(), ...restored.keys()])].sort();
    const stands = days.reduce<number[]>((sums, day) => [...sums, (sums.at(-1) ?? 0) + (taken.get(day) ?? 0) - (restored.get(day) ?? 0)], []);
    return {
      xAxis: { type: "category", data: days },
      yAxis: { type: "value" },
      series: [
        { type: "bar", name: words["subject.taken"], data: days.map((day) => taken.get(day) ?? 0), barMaxWidth: 22 },
        { type: "bar", name: words["subject.restored"], data: days.map((day) => -(restored.get(day) ?? 0)), barMaxWidth: 22 },
        { type: "line", step: "end", name: words["subject.standing"], data: stands },
      ],
    };
  }, [records, words]);
  return <Chart label={words["subject.historyLabel"]} option={option} height={240} />;
}
