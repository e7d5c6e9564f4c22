"use client";
import { useHealth } from "../queries/health";
import { useFiring } from "../shell/firing";
import { useTrouble } from "../shell/verdict";
import { Age } from "../ui/age";
import { Since } from "../ui/since";
import { toServerTime } from "../ui/server-time";
import { MarkShape } from "../ui/state-mark";
import { useIsClient } from "../ui/use-is-client";
import { type HeroText, heroText } from "./hero-text";
import classes from "./hero.module.css";
import { Link } from "../ui/link";

/** The verdict; null until the first answer. */
export function useHero(): HeroText | null {
  const { data, dataUpdatedAt } = useHealth();
  const { hasAnswer } = useTrouble();
  // Never answered is no moment: the clocks' difference would make one of it.
  const answeredAt = dataUpdatedAt === 0 ? 0 : toServerTime(dataUpdatedAt);
  return heroText(data, hasAnswer, answeredAt, useFiring() !== null);
}

/** Says how everything is in one sentence, since when, and what that means for the data. */
export function Hero() {
  const hero = useHero();
  // Neither the reader's zone nor how long ago it is is known before.
  const isClient = useIsClient();
  return (
    <section className={classes.hero} aria-label="Verdict" data-verdict data-trouble={hero?.isTrouble || undefined}>
      {hero ? (
        <>
          <p className={classes.what} role="status" data-mark={hero.mark}>
            <MarkShape mark={hero.mark} />
            <span>{hero.what}</span>
          </p>
          <p className={classes.means}>
            {sentence(hero.means)}
            {hero.since && isClient ? (
              <span className={classes.since}>
                {" "}
                Since <Since time={hero.since} />, <Age time={hero.since} />.
              </span>
            ) : null}
            {hero.others ? ` ${sentence(hero.others)}` : null}{" "}
            {hero.isTrouble ? <Link href="/health">See the cause and the fix</Link> : null}
          </p>
        </>
      ) : null}
      <Link href="/?wall=1" className={classes.wallLink} title="Large figures for a screen on the wall">
        Wall view
      </Link>
    </section>
  );
}

/** Adds a capital and a full stop. */
export function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}
