import { Copyable } from "../ui/feedback";
import { Link } from "../ui/link";
import { Said } from "../ui/said";
import type { Advice } from "./checklist-steps";
import { partsOf } from "./advice-parts";
import classes from "./advice.module.css";

/** Shows why something isn't well and what to do, with a button to copy each command. Without trouble it only says what comes next. */
export function CauseAndFix({
  cause,
  fix,
  commands,
  of,
  isTrouble = true,
}: Advice & { of: string; isTrouble?: boolean }) {
  if (cause === null && fix === null) return null;
  return (
    <div className={classes.advice}>
      {cause ? (
        <p className={classes.cause}>
          <Said text={cause} />
        </p>
      ) : null}
      {fix ? (
        <div className={classes.fix} data-plain={isTrouble ? undefined : true}>
          {isTrouble ? <span>Fix</span> : null}
          <div>
            {partsOf(fix, commands).map(({ text, isCommand }, i) => {
              if (!isCommand)
                return (
                  <p key={i}>
                    <Said text={text} />
                  </p>
                );
              if (isPage(text)) return <PageLink key={i} href={text} />;
              return <Copyable key={i} text={text} label={`Copy the fix for ${of}`} />;
            })}
          </div>
        </div>
      ) : null}
    </div>
  );
}

/** True for a page of Fieldwatch, which is opened rather than copied. */
function isPage(text: string): boolean {
  return /^\/(?:sources|dead-letters|devices|pipeline|alerts|jobs|health)\b/.test(text);
}

function PageLink({ href }: { href: string }) {
  return (
    <p>
      <Link href={href}>{href}</Link>
    </p>
  );
}
