import type { LayerDensity } from '../../../shared/mask/compare-masks.ts';
import { label, labelWidth, rule, shortened } from './axes.ts';
import { type Chart, ink } from './chart.ts';

/** How much of every layer is pruned: a bar each. */
export function densityChart(layers: readonly LayerDensity[]): Chart {
  return {
    height: layers.length * 22 + 64,
    option: (width) => {
      const characters = Math.floor(width / 17);
      const names = layers.map(({ name }) => name);
      return {
        grid: { left: labelWidth(names, characters), right: 28, top: 8, bottom: 44 },
        xAxis: {
          type: 'value',
          name: 'weights pruned',
          nameLocation: 'middle',
          nameGap: 28,
          nameTextStyle: label,
          splitNumber: width < 500 ? 2 : 4,
          axisLabel: { ...label, formatter: (value: number) => `${(100 * value).toPrecision(2)} %` },
          splitLine: rule,
        },
        yAxis: {
          type: 'category',
          inverse: true,
          data: names.map((name) => shortened(name, characters)),
          axisLabel: { ...label, fontSize: 12 },
          axisTick: { show: false },
          axisLine: rule,
        },
        series: [
          {
            type: 'bar',
            silent: true,
            barMaxWidth: 14,
            itemStyle: { color: ink.second },
            data: layers.map(({ density }) => density),
          },
        ],
      };
    },
  };
}
