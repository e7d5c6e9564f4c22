import classes from "./quality.module.css";
import { scoreMark, scoreWord } from "./words";

/** A score in its color; unknown is gray and no number. */
export function Score({ score }: { score: number | null }) {
  return (
    <span className={classes.score} data-mark={scoreMark(score)}>
      {scoreWord(score)}
    </span>
  );
}
