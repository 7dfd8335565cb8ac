import type { ReportedOverlap } from '../report-data.ts';
import { label, labelWidth, rule, shortened } from './axes.ts';
import { type Chart, ink } from './chart.ts';

/** A square for every two masks, the larger the more they prune in common. */
export function overlapChart(names: readonly string[], overlaps: readonly ReportedOverlap[]): Chart {
  const place = new Map(names.map((name, i) => [name, i]));
  const largest = Math.max(...overlaps.map(({ jaccard }) => jaccard), Number.MIN_VALUE);
  const cells = overlaps.flatMap(({ first, second, jaccard }) => {
    const [a, b] = [place.get(first), place.get(second)];
    if (a === undefined || b === undefined) return [];
    // The area says it, as no colour scale would in both schemes.
    const symbolSize = 22 * Math.sqrt(jaccard / largest);
    return [
      { value: [a, b], symbolSize },
      { value: [b, a], symbolSize },
    ];
  });
  return {
    height: names.length * 30 + 90,
    option: (width) => {
      const characters = Math.floor(width / 34);
      const short = names.map((name) => shortened(name, characters));
      const axis = {
        type: 'category',
        data: short,
        axisTick: { show: false },
        axisLine: rule,
        splitLine: { show: true, ...rule },
      } as const;
      return {
        grid: { left: labelWidth(names, characters), right: 16, top: 8, bottom: 76 },
        xAxis: { ...axis, axisLabel: { ...label, rotate: 40, interval: 0 } },
        yAxis: { ...axis, inverse: true, axisLabel: { ...label, interval: 0 } },
        series: [{ type: 'scatter', silent: true, symbol: 'rect', itemStyle: { color: ink.second }, data: cells }],
      };
    },
  };
}
