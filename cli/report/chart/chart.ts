import { BarChart, CustomChart, ScatterChart } from 'echarts/charts';
import { GridComponent, LegendComponent } from 'echarts/components';
import * as echarts from 'echarts/core';
import type { EChartsOption } from 'echarts';
import { SVGRenderer } from 'echarts/renderers';
import { type Html, html, trusted } from '../html.ts';

echarts.use([BarChart, CustomChart, ScatterChart, GridComponent, LegendComponent, SVGRenderer]);

/** Colours that follow the page's light or dark scheme; report-style.ts defines them. */
export const ink = {
  text: 'var(--text)',
  quiet: 'var(--quiet)',
  line: 'var(--line)',
  page: 'var(--page)',
  first: 'var(--first)',
  second: 'var(--second)',
} as const;

/** What a chart looks like at a width in pixels. */
export interface Chart {
  readonly height: number;
  option(width: number): EChartsOption;
}

/** Text is as large on a phone as on a desk, so a chart is drawn for both widths, and the page shows one. */
const widths = { wide: 680, narrow: 340 } as const;

/**
 * A chart as SVG in the page. Its numbers stand in a table beside it, so to a screen reader it is one image with a name.
 *
 * @param id of the page's elements; letters, digits and -
 */
export function chartHtml(chart: Chart, id: string, name: string): Html {
  const draw = (width: keyof typeof widths): Html =>
    html`<div class="chart-${width}">${trusted(drawSvg(chart, widths[width], `${id}-${width}`))}</div>`;
  return html`<div class="chart" role="img" aria-label="${name}">${draw('wide')}${draw('narrow')}</div>`;
}

function drawSvg(chart: Chart, width: number, id: string): string {
  const instance = echarts.init(null, null, { renderer: 'svg', ssr: true, width, height: chart.height });
  try {
    instance.setOption({ animation: false, textStyle: { fontFamily: 'inherit' }, ...chart.option(width) });
    return inPage(instance.renderToSVGString({ useViewBox: true }), id);
  } finally {
    instance.dispose();
  }
}

/**
 * The library's SVG for a page without inline styles (its Content-Security-Policy refuses them) and with other charts: what
 * it says in style attributes becomes attributes, its hover styles and bookkeeping go, its ids become this chart's own.
 */
function inPage(svg: string, id: string): string {
  return svg
    .replace(/<style\b[\s\S]*?<\/style>/g, '')
    .replace(/ (?:class|ecmeta_\w+)="[^"]*"/g, '')
    .replace(/ style="([^"]*)"/g, (_, style: string) => {
      const declarations = style.split(';').filter((each) => each.includes(':'));
      return declarations.map((each) => ` ${each.replace(/^\s*([\w-]+)\s*:\s*(.*)$/, '$1="$2"')}`).join('');
    })
    .replace(/\bzr\d+-/g, `${id}-`)
    .replace('<svg ', '<svg aria-hidden="true" focusable="false" ');
}
