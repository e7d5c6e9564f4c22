import classes from "./legend.module.css";

interface Line {
  readonly key: string;
  readonly label: string;
  /** A color token. */
  readonly color: string;
}

/** Shows which line of a chart has which color. */
export function Legend({ lines }: { lines: readonly Line[] }) {
  return (
    <ul className={classes.legend}>
      {lines.map(({ key, label, color }) => (
        <li key={key}>
          <i style={{ background: color }} aria-hidden="true" />
          {label}
        </li>
      ))}
    </ul>
  );
}
