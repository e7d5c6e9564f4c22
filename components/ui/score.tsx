import { scoreMark, scoreWord } from "./score-words";
import classes from "./score.module.css";

/** A score in its color; unknown is gray and no number. */
export function Score({ score }: { score: number | null }) {
  return (
    <span className={classes.score} data-score data-mark={scoreMark(score)}>
      {scoreWord(score)}
    </span>
  );
}
