import type { ScatterSeriesOption } from 'echarts';
import type { ReportedTrial } from '../report-data.ts';
import { label, rule, shareAxis } from './axes.ts';
import { type Chart, ink } from './chart.ts';

/** Masks that were tried: what they erase and what they keep over how much they prune. Small marks are off the front. */
export function tradeOffChart(trials: readonly ReportedTrial[]): Chart {
  return {
    height: 340,
    option: (width) => ({
      grid: { left: 64, right: 24, top: 36, bottom: 52 },
      legend: { top: 0, left: 'center', textStyle: label, itemGap: 20 },
      xAxis: {
        type: 'value',
        name: 'weights pruned',
        nameLocation: 'middle',
        nameGap: 30,
        nameTextStyle: label,
        min: 0,
        splitNumber: width < 500 ? 2 : 5,
        axisLabel: { ...label, formatter: (value: number) => `${(100 * value).toPrecision(2)} %` },
        splitLine: rule,
        axisLine: rule,
      },
      yAxis: { ...shareAxis(''), nameGap: 44 },
      series: [
        series('target erased', trials, ({ erased }) => erased.share, 'circle', ink.second),
        series('others kept', trials, ({ kept }) => kept.share, 'diamond', ink.first),
      ],
    }),
  };
}

function series(
  name: string,
  trials: readonly ReportedTrial[],
  share: (trial: ReportedTrial) => number,
  symbol: string,
  colour: string,
): ScatterSeriesOption {
  return {
    name,
    type: 'scatter',
    silent: true,
    symbol,
    itemStyle: { color: colour },
    data: trials.map((trial) => ({
      value: [trial.density, share(trial)],
      symbolSize: trial.chosen ? 18 : trial.front ? 11 : 5,
      ...(trial.chosen ? { itemStyle: { borderColor: ink.text, borderWidth: 2 } } : {}),
    })),
  };
}
