import { memo, type ReactNode } from "react";
import { formatDuration } from "../ui/format";
import { metricColor } from "../ui/theme";
import { extremesOf, type Series, toStretches } from "../live/series";
import type { Stretch } from "../ui/ranges";
import { flagBands, STRIP, stripPaths } from "./strip-paths";
import classes from "./strips.module.css";

interface StripProps extends Stretch {
  readonly series: Series;
  /** The metric's place in the palette; null: by its name. */
  readonly place: number | null;
  /** Event time of the device's latest reading: until then a value holds that is sent only when it changes. */
  readonly heldUntil: number | null;
  /** True for a metric that is sent only when it changes. */
  readonly holds: boolean;
}

/** One metric over the range, 48 px high and as wide as there is room; flags as bands. Its figures are beside it. */
export const Strip = memo(function Strip({ series, place, from, to, heldUntil, holds }: StripProps) {
  const stretches = toStretches(series, from, to, heldUntil, holds);
  const x = (time: number) => ((Math.min(to, Math.max(from, time)) - from) / (to - from)) * STRIP.width;
  const color = metricColor(series.metric, place);
  if (series.kind === "boolean") {
    return (
      <Frame>
        {flagBands(stretches.flat(), to).map((band) => (
          <rect
            key={band.from}
            x={x(band.from)}
            width={Math.max(2, x(band.to) - x(band.from))}
            y={band.value === false ? 30 : 14}
            height={band.value === false ? 4 : 20}
            fill={color}
            fillOpacity={band.value === null ? 0.45 : band.value ? 0.9 : 0.5}
          >
            <title>{`${band.value === null ? "true and false" : String(band.value)} for ${formatDuration(band.to - band.from)}`}</title>
          </rect>
        ))}
      </Frame>
    );
  }
  const { line, band } = stripPaths(stretches, { from, to }, extremesOf(stretches), holds);
  return (
    <Frame>
      <path d={band} fill={color} fillOpacity="0.15" />
      <path d={line} fill="none" stroke={color} strokeWidth="1.5" vectorEffect="non-scaling-stroke" />
    </Frame>
  );
});

function Frame({ children }: { children: ReactNode }) {
  const viewBox = `0 0 ${STRIP.width} ${STRIP.height}`;
  return (
    <svg className={classes.strip} viewBox={viewBox} preserveAspectRatio="none" aria-hidden>
      {children}
    </svg>
  );
}
