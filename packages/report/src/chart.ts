import { CustomChart, LineChart, ScatterChart } from 'echarts/charts';
import { GridComponent } from 'echarts/components';
import { type EChartsCoreOption, init, use } from 'echarts/core';
import { SVGRenderer } from 'echarts/renderers';
import { escapeHtml, type Markup, trusted } from './markup.js';

// Only what is drawn is registered: bundlers drop the rest of the library.
use([CustomChart, LineChart, ScatterChart, GridComponent, SVGRenderer]);

/**
 * Colours stand in for CSS variables: the library wants a colour it can parse, the page wants one that follows light, dark
 * and print. They are swapped after drawing. No other colour may be used in a plot.
 */
export const PLOT_COLOURS = {
  ink: '#010203',
  muted: '#010204',
  grid: '#010205',
  paper: '#010206',
} as const;

const VARIABLES: Record<string, string> = {
  '#010203': 'var(--ink)',
  '#010204': 'var(--muted)',
  '#010205': 'var(--rule)',
  '#010206': 'var(--paper)',
  '#020201': 'var(--series-1)',
  '#020202': 'var(--series-2)',
  '#020203': 'var(--series-3)',
  '#020204': 'var(--series-4)',
  '#020205': 'var(--series-5)',
  '#020206': 'var(--series-6)',
};

const SERIES = 6;
const DASHES = ['solid', [7, 4], [2, 3], [10, 3, 2, 3], [14, 4], [5, 2, 2, 2, 2, 2]] as const;

/** The colour and the dash of the n-th model: told apart by either alone. */
export function seriesStyle(n: number): { colour: string; cssColour: string; dash: 'solid' | number[] } {
  const k = n % SERIES;
  const dash = DASHES[k]!;
  return {
    colour: `#02020${k + 1}`,
    cssColour: `var(--series-${k + 1})`,
    dash: dash === 'solid' ? 'solid' : [...dash],
  };
}

export interface Chart {
  /** unique in the page; prefixes the ids inside the SVG */
  name: string;
  /** what a reader who cannot see the plot has to know */
  description: string;
  width: number;
  height: number;
  option: EChartsCoreOption;
}

/** Draws a plot as inline SVG without a DOM: scalable, printable, its colours from the page's CSS variables. */
export function renderChart({ name, description, width, height, option }: Chart): Markup {
  const chart = init(null, null, { renderer: 'svg', ssr: true, width, height });
  try {
    chart.setOption({ animation: false, textStyle: { fontFamily: 'inherit', fontSize: 13 }, ...option });
    const svg = chart
      .renderToSVGString()
      // Instance counters would make two runs differ and two plots of one page share ids.
      .replace(/zr\d+-/g, `${name}-`)
      .replace(/#0[12]020[1-6]/g, (colour) => VARIABLES[colour] ?? colour)
      .replace(/^<svg width="\d+" height="\d+"/, '<svg')
      // Hover rules and event data are for live charts; this one is a picture.
      .replace(/<style[\s\S]*?<\/style>/g, '')
      .replace(/ (class="[^"]*-cls-\d+"|ecmeta_\w+="[^"]*"|pointer-events="\w+")/g, '')
      .replace(/font-family:[^;"]*;?/g, '')
      .replace(
        '<svg',
        `<svg class="plot" style="max-width:${width}px" role="img" aria-label="${escapeHtml(description)}"`,
      );
    return trusted(svg);
  } finally {
    chart.dispose();
  }
}

export interface Axis {
  name: string;
  min: number;
  max: number;
  interval?: number;
  format?: (value: number) => string;
}

const axisStyle = ({ name, min, max, interval, format }: Axis) => ({
  type: 'value',
  name,
  min,
  max,
  ...(interval === undefined ? {} : { interval }),
  nameLocation: 'middle',
  nameTextStyle: { color: PLOT_COLOURS.ink, fontSize: 13 },
  axisLabel: {
    color: PLOT_COLOURS.muted,
    fontSize: 12,
    showMinLabel: true,
    showMaxLabel: true,
    ...(format ? { formatter: format } : {}),
  },
  axisLine: { show: true, onZero: false, lineStyle: { color: PLOT_COLOURS.muted } },
  axisTick: { show: true, lineStyle: { color: PLOT_COLOURS.muted } },
  splitLine: { show: true, lineStyle: { color: PLOT_COLOURS.grid } },
});

/** A plot area with two value axes. */
export function axes(x: Axis, y: Axis): EChartsCoreOption {
  return {
    grid: { left: 62, right: 16, top: 12, bottom: 52, containLabel: false },
    xAxis: { ...axisStyle(x), nameGap: 30 },
    yAxis: { ...axisStyle(y), nameGap: 44 },
  };
}

type Point = readonly [number, number];

/** A plain line through points. */
export function line(
  points: Point[],
  style: { colour: string; dash?: 'solid' | 'dashed' | number[]; width?: number },
): object {
  return {
    type: 'line',
    data: points.map((point) => [...point]),
    showSymbol: false,
    silent: true,
    lineStyle: { color: style.colour, type: style.dash ?? 'solid', width: style.width ?? 2 },
    itemStyle: { color: style.colour },
  };
}

/** A filled area between two curves over the same x. */
export function band(x: number[], lower: number[], upper: number[], colour: string): object {
  const ring: Point[] = [
    ...x.map((at, i): Point => [at, upper[i]!]),
    ...x.map((at, i): Point => [at, lower[i]!]).reverse(),
  ];
  return {
    type: 'custom',
    silent: true,
    data: [0],
    renderItem: (_: unknown, api: { coord(point: number[]): number[] }) => ({
      type: 'polygon',
      shape: { points: ring.map((point) => api.coord([...point])) },
      style: { fill: colour, opacity: 0.18 },
    }),
  };
}

/** Whiskers from `from` to `to`, with a short stroke across at both ends. */
export function whiskers(spans: { from: Point; to: Point; colour: string }[]): object {
  return {
    type: 'custom',
    silent: true,
    data: spans.map((_, i) => i),
    renderItem: ({ dataIndex }: { dataIndex: number }, api: { coord(point: number[]): number[] }) => {
      const { from, to, colour } = spans[dataIndex]!;
      const [x1, y1] = api.coord([...from]) as [number, number];
      const [x2, y2] = api.coord([...to]) as [number, number];
      const across = y1 === y2 ? [0, 4] : [4, 0];
      const stroke = (a: number, b: number, c: number, d: number) => ({
        type: 'line',
        shape: { x1: a, y1: b, x2: c, y2: d },
        style: { stroke: colour, lineWidth: 1.5 },
      });
      return {
        type: 'group',
        children: [
          stroke(x1, y1, x2, y2),
          stroke(x1 - across[0]!, y1 - across[1]!, x1 + across[0]!, y1 + across[1]!),
          stroke(x2 - across[0]!, y2 - across[1]!, x2 + across[0]!, y2 + across[1]!),
        ],
      };
    },
  };
}

/** Filled marks at points. */
export function marks(
  points: Point[],
  colour: string,
  symbol: 'circle' | 'rect' | 'diamond' = 'circle',
  size = 9,
): object {
  return {
    type: 'scatter',
    silent: true,
    symbol,
    symbolSize: size,
    data: points.map((point) => [...point]),
    itemStyle: { color: colour, borderColor: PLOT_COLOURS.paper, borderWidth: 1, opacity: 1 },
  };
}
