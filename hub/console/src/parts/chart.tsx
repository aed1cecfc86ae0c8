/** A chart. ECharts is fetched when the first one is drawn; who cannot see it reads the same numbers in a table. */
import type { EChartsOption } from "echarts";
import { useContext, useEffect, useRef } from "react";
import { DarkContext } from "../shell/dark";

export interface Drawn {
  /** A picture of it as a data address, on the page's own ground. */
  picture: () => string;
}

interface Props {
  label: string;
  option: EChartsOption;
  height?: number;
  drawn?: (chart: Drawn) => void;
}

const INK = { light: "#434a54", dark: "#c3c8cf" };
const LINES = { light: "#e4e7eb", dark: "#33383f" };

export function Chart({ label, option, height = 240, drawn }: Props) {
  const holder = useRef<HTMLDivElement>(null);
  const dark = useContext(DarkContext);
  useEffect(() => {
    let end = (): void => undefined;
    let over = false;
    void import("./echarts").then(({ echarts }) => {
      if (over || !holder.current) return;
      const chart = echarts.init(holder.current, null, { renderer: "canvas" });
      chart.setOption(coloured(option, dark));
      drawn?.({ picture: () => chart.getDataURL({ type: "png", pixelRatio: 2, backgroundColor: dark ? "#16191d" : "#fff" }) });
      const observer = new ResizeObserver(() => chart.resize());
      observer.observe(holder.current);
      end = () => {
        observer.disconnect();
        chart.dispose();
      };
    });
    return () => {
      over = true;
      end();
    };
  }, [option, dark, drawn]);
  return <div ref={holder} role="img" aria-label={label} style={{ height }} />;
}

function coloured(option: EChartsOption, dark: boolean): EChartsOption {
  const ink = dark ? INK.dark : INK.light;
  const line = { lineStyle: { color: dark ? LINES.dark : LINES.light } };
  const axis = (given: unknown): object => {
    const own = (given ?? {}) as { axisLabel?: object };
    return { axisLine: line, axisTick: line, splitLine: line, ...own, axisLabel: { color: ink, ...own.axisLabel } };
  };
  return {
    color: dark ? ["#5b9bff", "#4fc3a1", "#f0a35e", "#b58cf0", "#e07a9b", "#a9b665"] : ["#1d5fd1", "#137a5b", "#b45309", "#7240b8", "#b3315f", "#5f6b12"],
    textStyle: { color: ink, fontFamily: "inherit" },
    animation: false,
    grid: { left: 8, right: 16, top: 36, bottom: 8, outerBoundsMode: "same", outerBoundsContain: "axisLabel" },
    legend: { top: 0, left: 0, textStyle: { color: ink }, itemWidth: 14, itemHeight: 8 },
    tooltip: { trigger: "axis", confine: true },
    ...option,
    xAxis: axis(option.xAxis),
    yAxis: axis(option.yAxis),
  };
}
