import type { Spread } from './spread';

/** One group of bars: a policy, and how its waits are spread. */
export interface PlottedPolicy {
  readonly label: string;
  readonly wait: Spread;
}

const WIDTH = 900;
const HEIGHT = 480;
const PERCENTILES = [
  ['p50', 'p50'],
  ['p95', 'p95'],
  ['p99', 'p99'],
] as const;

/**
 * Draws the percentiles of the wait per policy, in seconds on a logarithmic scale: what differs
 * between policies differs by factors.
 * @returns an SVG document
 */
export async function waitPlot(title: string, policies: readonly PlottedPolicy[]): Promise<string> {
  const { init } = await import('echarts');
  const chart = init(null, null, { renderer: 'svg', ssr: true, width: WIDTH, height: HEIGHT });
  chart.setOption({
    animation: false,
    backgroundColor: '#fff',
    title: { text: title, left: 'center', textStyle: { fontSize: 15 } },
    legend: { top: 36 },
    grid: { left: 70, right: 20, top: 70, bottom: 80 },
    xAxis: {
      type: 'category',
      data: policies.map(({ label }) => label),
      axisLabel: { rotate: 30, interval: 0 },
    },
    yAxis: { type: 'log', name: 'wait in s', axisLabel: { formatter: '{value}' } },
    series: PERCENTILES.map(([name, key]) => ({
      name,
      type: 'bar',
      // A logarithmic axis has no 0: such a bar is left out.
      data: policies.map(({ wait }) => (wait[key] === 0 ? null : wait[key])),
    })),
  });
  const svg = chart.renderToSVGString();
  chart.dispose();
  return svg;
}
