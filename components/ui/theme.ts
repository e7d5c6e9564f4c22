import { createTheme, type CSSVariablesResolver, type MantineColorsTuple } from "@mantine/core";

/*
 * The whole look as tokens; no color literal exists outside of this file. Mantine's own variables are set from the same
 * values, so its components and our CSS modules (var(--fw-…)) agree in both color schemes.
 */

const FONT = "'Inter Variable', system-ui, -apple-system, 'Segoe UI', sans-serif";
const MONO = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'Liberation Mono', monospace";

/** The one hue for what can be acted on. */
const accent: MantineColorsTuple = [
  "#eef4ff",
  "#dbe7ff",
  "#b6cdfd",
  "#8db1fb",
  "#6a99f8",
  "#4f85f2",
  "#2f6ae0",
  "#1f57c4",
  "#1a489f",
  "#153a80",
];

/** Surfaces and text of Mantine's own components in the dark scheme, from text to ground. */
const neutral: MantineColorsTuple = [
  "#e4e7eb",
  "#c3cad3",
  "#9ba5b1",
  "#6d7884",
  "#3b444e",
  "#2a3139",
  "#1f252b",
  "#161a1f",
  "#101317",
  "#0b0d10",
];

const light = {
  "--fw-bg": "#ffffff",
  "--fw-surface": "#f7f8fa",
  "--fw-hover": "#f0f3f7",
  "--fw-text": "#16191f",
  "--fw-muted": "#59626f",
  "--fw-line": "#e2e6eb",
  "--fw-line-strong": "#c9d0d8",
  "--fw-accent": "#1f57c4",
  "--fw-ok": "#2a7748",
  "--fw-warn": "#935400",
  "--fw-fail": "#c02424",
  "--fw-unknown": "#626b78",
  "--fw-warn-soft": "#fdf5e6",
  "--fw-fail-soft": "#fdeeee",
  "--fw-flash": "#dbe7ff",
  "--fw-skeleton": "#eceff3",
  "--fw-chart-grid": "#eceff3",
  "--fw-chart-1": "#2463c7",
  "--fw-chart-2": "#a65300",
  "--fw-chart-3": "#00735a",
  "--fw-chart-4": "#953c80",
  "--fw-chart-5": "#6a6200",
  "--fw-chart-6": "#4a5462",
} as const;

const dark: Record<keyof typeof light, string> = {
  "--fw-bg": "#101317",
  "--fw-surface": "#161a1f",
  "--fw-hover": "#1c2127",
  "--fw-text": "#e4e7eb",
  "--fw-muted": "#9ba5b1",
  "--fw-line": "#272d34",
  "--fw-line-strong": "#3b444e",
  "--fw-accent": "#85aeff",
  "--fw-ok": "#63b985",
  "--fw-warn": "#e3a744",
  "--fw-fail": "#ff7b75",
  "--fw-unknown": "#939daa",
  "--fw-warn-soft": "#2a2213",
  "--fw-fail-soft": "#311a1b",
  "--fw-flash": "#22345a",
  "--fw-skeleton": "#1f252b",
  "--fw-chart-grid": "#22282f",
  "--fw-chart-1": "#7fabff",
  "--fw-chart-2": "#eda362",
  "--fw-chart-3": "#53c4a3",
  "--fw-chart-4": "#d893c9",
  "--fw-chart-5": "#c9be55",
  "--fw-chart-6": "#aab3bf",
};

/** Number of series colors; beyond that a chart becomes small multiples. */
export const SERIES_COLORS = 6;

/** The color of the nth of a few series that share a chart, from 0: no two of six are the same. */
export function seriesColor(place: number): string {
  return `var(--fw-chart-${(place % SERIES_COLORS) + 1})`;
}

/** The series color of a metric, the same on every page: the place in the palette that somebody gave it, or else one by its name. */
export function metricColor(name: string, place: number | null = null): string {
  if (place !== null) return `var(--fw-chart-${place})`;
  let hash = 0;
  for (let i = 0; i < name.length; i++) hash = (hash * 31 + name.charCodeAt(i)) >>> 0;
  return `var(--fw-chart-${(hash % SERIES_COLORS) + 1})`;
}

/** The color of one of so many lines of a metric: a few have one each; a lone one, or many, the metric's, as on every page. */
export function lineColor(
  { metric, color }: { readonly metric: string; readonly color: number | null },
  place: number,
  lines: number,
): string {
  return lines > 1 && lines <= SERIES_COLORS ? seriesColor(place) : metricColor(metric, color);
}

/** Colors of the pipeline's own quantities. */
export const PIPELINE_COLORS = {
  messages: "var(--fw-chart-1)",
  readings: "var(--fw-chart-3)",
  latency: "var(--fw-chart-4)",
  deadLetters: "var(--fw-chart-2)",
  accepted: "var(--fw-chart-6)",
  duplicates: "var(--fw-chart-5)",
  conflicts: "var(--fw-chart-2)",
  late: "var(--fw-chart-4)",
} as const;

/** Colors of what a message goes through. */
export const STAGE_COLORS = {
  wait: "var(--fw-chart-6)",
  decode: "var(--fw-chart-1)",
  enrich: "var(--fw-chart-5)",
  documents: "var(--fw-chart-2)",
  readings: "var(--fw-chart-3)",
  publish: "var(--fw-chart-4)",
} as const;

/** Browser chrome color by scheme, for the viewport metadata. */
export const CHROME_COLORS = { light: light["--fw-surface"], dark: dark["--fw-surface"] } as const;

/** Buttons that end something for good: Mantine's own red is too light for white words in either scheme. */
const danger: MantineColorsTuple = [
  ...(["#fff0f0", "#fbdcdc", "#f3b6b6", "#ea8b8a", "#e26463"] as const),
  ...(["#d64342", "#c92f2f", "#bf2727", "#a61f1f", "#8f1818"] as const),
];

/** Mantine's theme: one family, small type, 4 px grid, one accent. */
export const theme = createTheme({
  fontFamily: FONT,
  fontFamilyMonospace: MONO,
  colors: { accent, dark: neutral, red: danger },
  primaryColor: "accent",
  primaryShade: { light: 7, dark: 6 },
  autoContrast: true,
  luminanceThreshold: 0.35,
  defaultRadius: 4,
  fontSizes: { xs: "12px", sm: "13px", md: "14px", lg: "16px", xl: "20px" },
  spacing: { xs: "8px", sm: "12px", md: "16px", lg: "24px", xl: "32px" },
  headings: { fontFamily: FONT, fontWeight: "600" },
  cursorType: "pointer",
  respectReducedMotion: true,
  // Its labels would fade from one scheme's color to the other's, dark on dark meanwhile, when the system changes the scheme.
  components: {
    SegmentedControl: { defaultProps: { transitionDuration: 0 } },
    // So that the ring of the focus leaves the words above it alone.
    InputWrapper: { styles: { label: { marginBottom: 4 } } },
  },
});

/** Gives Mantine and the CSS modules the same variables in each scheme. */
export const cssVariables: CSSVariablesResolver = () => ({
  variables: {},
  light: { ...light, ...mantine(light) },
  dark: { ...dark, ...mantine(dark) },
});

function mantine(tokens: Record<keyof typeof light, string>): Record<string, string> {
  return {
    "--mantine-color-body": tokens["--fw-bg"],
    "--mantine-color-text": tokens["--fw-text"],
    "--mantine-color-dimmed": tokens["--fw-muted"],
    "--mantine-color-default-border": tokens["--fw-line-strong"],
    "--mantine-color-default": tokens["--fw-bg"],
    "--mantine-color-default-hover": tokens["--fw-hover"],
    "--mantine-color-placeholder": tokens["--fw-muted"],
    "--mantine-color-anchor": tokens["--fw-accent"],
    "--mantine-color-error": tokens["--fw-fail"],
  };
}
