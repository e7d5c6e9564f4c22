import { memo } from "react";
import { counted } from "@/server/domain/counted";
import { readable } from "@/server/domain/readable";
import { roomyBands, type TextBand, textShares, valuePlaces } from "../live/texts";
import { shareOfTime } from "../shell/flags/flag-places";
import { formatDuration } from "../ui/format";
import type { Stretch } from "../ui/ranges";
import { SERIES_COLORS, seriesColor } from "../ui/theme";
import classes from "./texts.module.css";

/** Bands below this share of the width can't be told apart. */
const LEAST_SHARE = 1 / 300;

/** The color of values for which no other is left. */
const OTHER = "var(--fw-line-strong)";

interface TextStripProps extends Stretch {
  readonly bands: readonly TextBand[];
}

/** What a field of words said over the range, as bands in as much room as there is. Its words are beside it, or in its title. */
export const TextStrip = memo(function TextStrip({ bands, from, to }: TextStripProps) {
  const colorOf = textColors(bands);
  const share = (time: number) => shareOfTime(time, from, to);
  return (
    <span className={classes.bands} aria-hidden>
      {roomyBands(bands, (to - from) * LEAST_SHARE).map((band) => (
        <span
          key={band.since}
          title={`${bandWords(band)} for ${formatDuration((band.until ?? band.to) - band.since)}`}
          data-lost={band.value === null || undefined}
          data-other={(band.value !== null && colorOf(band.value) === OTHER) || undefined}
          style={{
            left: `${share(band.from)}%`,
            width: `max(2px, ${share(band.to) - share(band.from)}%)`,
            ...(band.value === null || colorOf(band.value) === OTHER ? null : { background: colorOf(band.value) }),
          }}
        >
          <span>{bandWords(band)}</span>
        </span>
      ))}
    </span>
  );
});

/** The color of each value of these bands. */
export function textColors(bands: readonly TextBand[]): (value: string) => string {
  const values = textShares(bands).flatMap(({ value }) => value ?? []);
  const places = valuePlaces(values, SERIES_COLORS);
  return (value) => {
    const place = places.get(value);
    return place === undefined ? OTHER : seriesColor(place);
  };
}

/** A band in words: its value, or why it has none. */
export function bandWords({ value, bands }: Pick<TextBand, "value" | "bands">): string {
  if (bands > 1) return counted(bands, "value");
  return value === null ? "changed too often to be kept" : textWords(value);
}

/** A text as it may stand on a screen, in quotes where nothing of it can be seen. */
function textWords(text: string): string {
  return text.trim() === "" ? `“${text}”` : readable(text);
}
