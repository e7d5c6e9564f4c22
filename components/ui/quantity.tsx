import { readable } from "@/server/domain/readable";
import classes from "./ui.module.css";
import { formatExact, formatMeasure } from "./format";

interface QuantityProps {
  /** Null or undefined is shown as "unknown", never as zero. */
  value: number | boolean | string | null | undefined;
  unit?: string | null | undefined;
  /** Writes a number; with three significant digits unless given. */
  format?: (value: number) => string;
}

/** A figure with its unit, smaller and muted after it; the exact value on hover. */
export function Quantity({ value, unit, format = formatMeasure }: QuantityProps) {
  if (value === null || value === undefined) return <span className={classes.unknown}>unknown</span>;
  if (typeof value !== "number") return <span title={readable(String(value))}>{readable(String(value))}</span>;
  const text = format(value);
  const shownUnit = unit && readable(unit);
  const [digits, prefix] = text.split(/ (?=[KMGT]$)/);
  return (
    <span className={classes.quantity} title={shownUnit ? `${formatExact(value)} ${shownUnit}` : formatExact(value)}>
      {digits}
      {prefix || shownUnit ? (
        <span className={classes.unit}>{[prefix, shownUnit].filter(Boolean).join(" ")}</span>
      ) : null}
    </span>
  );
}

/** A length of time ("1.24 s") with the figure strong and the unit muted; null is "unknown". */
export function Duration({ text, title }: { text: string | null; title?: string }) {
  if (text === null) return <span className={classes.unknown}>unknown</span>;
  const parts = text.split(/([^\d.]+)/).filter(Boolean);
  const last = parts.length - 1;
  return (
    <span className={classes.quantity} title={title}>
      {parts.map((part, i) =>
        i % 2 === 0 ? (
          part
        ) : (
          <span key={i} className={classes.unit}>
            {i < last ? `${part.trim()} ` : part.trim()}
          </span>
        ),
      )}
    </span>
  );
}
