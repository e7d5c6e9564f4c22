import type { PipelineAnswer } from "@/server/contracts/pipeline";
import { formatTotal } from "../ui/format";
import classes from "./overview.module.css";

const NAMES = [
  ["messages", "Messages", "Handled, repeats included"],
  ["readings", "Readings", "Stored, each once"],
  ["duplicates", "Duplicates", "Repeats of a reading already stored, ignored"],
  ["deadLetters", "Dead letters", "Messages or fields that could not become a reading"],
  ["devices", "Devices", "Discovered so far"],
] as const;

/** Exact totals. */
export function Totals({ pipeline }: { pipeline: PipelineAnswer }) {
  return (
    <dl className={classes.list}>
      {NAMES.map(([key, name, title]) => (
        <div key={key} title={title}>
          <dt>{name}</dt>
          <dd data-total={key}>{formatTotal(pipeline.totals[key])}</dd>
        </div>
      ))}
    </dl>
  );
}
