import { type Part, PARTS } from "@/server/domain/quality/score";
import classes from "./quality.module.css";
import { scoreMark } from "../ui/score-words";
import { partWord } from "./words";

const PART_NAMES = Object.keys(PARTS) as Part[];

/** The heads of the columns of a score's parts. */
export function PartHeads() {
  return PART_NAMES.map((part) => (
    <th key={part} scope="col" title={PARTS[part].about}>
      {PARTS[part].title}
    </th>
  ));
}

/** The five parts of a score, a cell with a bar each. */
export function PartCells({ parts }: { parts: Readonly<Record<Part, number | null>> }) {
  return PART_NAMES.map((part) => (
    <td key={part} data-part={PARTS[part].title}>
      <Bar part={parts[part]} />
    </td>
  ));
}

function Bar({ part }: { part: number | null }) {
  return (
    <span className={classes.part}>
      <span className={classes.bar} aria-hidden="true">
        {part === null ? null : (
          <i data-mark={scoreMark(part * 100)} style={{ width: `${Math.max(2, part * 100)}%` }} />
        )}
      </span>
      {partWord(part)}
    </span>
  );
}
