"use client";
import type { DeadLetterEvent, DeadLetterView } from "@/server/contracts/dead-letters";
import { Age } from "../ui/age";
import { Section } from "../ui/section";
import { type Mark, MarkShape } from "../ui/state-mark";
import classes from "./letter.module.css";

const KINDS: Record<DeadLetterEvent["kind"], readonly [Mark, string]> = {
  sent: ["unknown", "Sent again"],
  stored: ["ok", "Stored"],
  refused: ["warning", "Refused again"],
  discarded: ["stale", "Discarded"],
  restored: ["unknown", "Made open again"],
};

interface Entry {
  readonly time: string;
  readonly mark: Mark;
  readonly word: string;
  readonly detail: string;
}

/** The history of a dead letter, oldest first, including that of the dead letters it descends from. */
export function LetterHistory({ letter }: { letter: DeadLetterView }) {
  return (
    <Section title="History">
      <ol className={classes.history}>
        {entriesOf(letter).map(({ time, mark, word, detail }, i) => (
          <li key={i}>
            <MarkShape mark={mark} />
            <div>
              <b>{word}</b> <Age time={time} />
              {detail ? <p>{detail}</p> : null}
            </div>
          </li>
        ))}
      </ol>
    </Section>
  );
}

function entriesOf({ title, ingestTime, processedTime, resendOf, history }: DeadLetterView): readonly Entry[] {
  const own: readonly Entry[] = [
    { time: ingestTime, mark: "unknown", word: "Came in", detail: "" },
    { time: processedTime, mark: "warning", word: "Became a dead letter", detail: title },
  ];
  const done = history.map(({ time, kind, detail }): Entry => {
    const [mark, word] = KINDS[kind];
    // An outcome's detail stands below its title; what somebody did is told in the server's own words.
    const isResult = kind === "stored" || kind === "refused";
    return { time, mark, word: isResult ? word : detail || word, detail: isResult ? detail : "" };
  });
  // A letter that a resend became began with that: its arrival is told there, as refused again.
  return [...(resendOf === null ? own : []), ...done].toSorted((a, b) => Date.parse(a.time) - Date.parse(b.time));
}
