"use client";
import type { DeadLetterEvent, DeadLetterView } from "@/server/contracts/dead-letters";
import { Age } from "../ui/age";
import { Section } from "../ui/section";
import { type Mark, MarkShape } from "../ui/state-mark";
import classes from "./panel.module.css";

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

/** What happened to it, oldest first, that of the dead letters it descends from included. */
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

function entriesOf({ title, ingestTime, processedTime, history }: DeadLetterView): readonly Entry[] {
  const own: readonly Entry[] = [
    { time: ingestTime, mark: "unknown", word: "Came in", detail: "" },
    { time: processedTime, mark: "warning", word: "Became a dead letter", detail: title },
  ];
  const done = history.map(({ time, kind, detail, edited }): Entry => {
    const [mark, word] = KINDS[kind];
    return { time, mark, word: kind === "sent" && edited ? `${word}, edited` : word, detail };
  });
  return [...own, ...done].toSorted((a, b) => Date.parse(a.time) - Date.parse(b.time));
}
