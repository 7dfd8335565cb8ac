import type { CustomSeriesOption } from 'echarts';
import type { Rate } from '../report-data.ts';
import { label, labelWidth, rule, shareAxis, shortened } from './axes.ts';
import { type Chart, ink } from './chart.ts';

/** A row of the chart: rates of one thing, before and after. */
export interface RateRow {
  readonly name: string;
  readonly before?: Rate;
  readonly after: Rate;
}

const rowHeight = 34;

/** Rates with their intervals, a row each: before as a ring above, after as a disc below. */
export function rateChart(rows: readonly RateRow[]): Chart {
  return {
    height: rows.length * rowHeight + 80,
    option: (width) => {
      const characters = Math.floor(width / 22);
      const names = rows.map(({ name }) => name);
      return {
        color: [ink.first, ink.second],
        grid: { left: labelWidth(names, characters), right: 24, top: 32, bottom: 40 },
        legend: { top: 0, left: 'center', textStyle: label, data: ['before', 'after'], itemGap: 24 },
        xAxis: shareAxis('share of images'),
        yAxis: {
          type: 'category',
          inverse: true,
          data: names.map((name) => shortened(name, characters)),
          axisLabel: label,
          axisTick: { show: false },
          axisLine: rule,
        },
        series: [series('before', rows, -6), series('after', rows, 6)],
      };
    },
  };
}

/** Intervals are not among the library's own marks, so each is drawn: a line, and a mark at the share. */
function series(key: 'before' | 'after', rows: readonly RateRow[], shift: number): CustomSeriesOption {
  const colour = key === 'before' ? ink.first : ink.second;
  return {
    name: key,
    type: 'custom',
    silent: true,
    data: rows.flatMap((row, i) => {
      const rate = row[key];
      return rate === undefined ? [] : [[rate.share, i, rate.low, rate.high]];
    }),
    renderItem: (_, api) => {
      const at = (value: number): readonly [number, number] => {
        const [x = 0, y = 0] = api.coord([value, api.value(1)]);
        return [x, y + shift];
      };
      const [x, y] = at(Number(api.value(0)));
      const [low] = at(Number(api.value(2)));
      const [high] = at(Number(api.value(3)));
      return {
        type: 'group',
        children: [
          { type: 'line', shape: { x1: low, x2: high, y1: y, y2: y }, style: { stroke: colour, lineWidth: 2 } },
          {
            type: 'circle',
            shape: { cx: x, cy: y, r: 5 },
            style: { fill: key === 'before' ? ink.page : colour, stroke: colour, lineWidth: 2 },
          },
        ],
      };
    },
  };
}
