"use client";
import { useDebouncedValue } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import type { GuessedTemplates, SourcePayload } from "@/server/contracts/sources";
import { readable } from "@/server/domain/readable";
import { saidOf } from "../queries/request";
import { guessQuery, mappingPreviewQuery } from "../queries/sources";
import { MarkShape } from "../ui/state-mark";
import { hasPayload, type Template } from "./kind-list";
import classes from "./sources.module.css";
import { arrivedWords, reasonWords } from "./words";

/** The pause in typing after which a payload is looked at, in milliseconds. */
const PAUSE_MS = 400;

export type Guess = GuessedTemplates["items"][number];

/** What a payload looks like, asked for once nothing was typed for a moment. */
export function useGuesses(payload: SourcePayload) {
  const [asked] = useDebouncedValue(payload, PAUSE_MS);
  const query = useQuery(guessQuery(hasPayload(asked) ? asked : null));
  const isOfPayload = asked === payload && !query.isPlaceholderData;
  return { ...query, asked, best: isOfPayload ? (query.data?.[0] ?? null) : null };
}

interface GuessedProps {
  payload: SourcePayload;
  guesses: ReturnType<typeof useGuesses>;
  templates: readonly Template[];
  chosen: Guess | null;
  onChoose: (guess: Guess) => void;
}

/** Templates that a pasted payload looks like, each with what it would become. */
export function Guessed({ payload, guesses, templates, chosen, onChoose }: GuessedProps) {
  const { asked, data, error, isFetching } = guesses;
  if (!hasPayload(payload))
    return <p className={classes.about}>The template is guessed by the shape of what it sends.</p>;
  if (error && !data)
    return <p className={classes.about}>It could not be guessed: {saidOf(error)} Choose the sender instead.</p>;
  if (!data) return <p className={classes.about}>{isFetching ? "Looking at it…" : ""}</p>;
  if (data.length === 0)
    return (
      <p className={classes.about}>
        It looks like none of the templates. Generic JSON reads most: choose it as the sender.
      </p>
    );
  return (
    <ul className={classes.guesses} aria-label="What it looks like">
      {data.slice(0, 3).map((guess) => (
        <li key={guess.kind}>
          <button type="button" aria-pressed={guess.kind === chosen?.kind} onClick={() => onChoose(guess)}>
            <b>{templates.find(({ kind }) => kind === guess.kind)?.title ?? guess.kind}</b>{" "}
            <small>{readable(guess.why)}</small>
            <Becomes guess={guess} payload={asked} />
          </button>
        </li>
      ))}
    </ul>
  );
}

function Becomes({ guess: { mapping }, payload }: { guess: Guess; payload: SourcePayload }) {
  const { data, error } = useQuery(mappingPreviewQuery({ mapping, payloads: [payload] }));
  const explained = data?.[0]?.after;
  if (!explained) return <span className={classes.becomes}>{error ? saidOf(error) : "…"}</span>;
  const first = explained.refused[0];
  const isWhole = first === undefined && explained.messages.length > 0;
  return (
    <span className={classes.becomes}>
      <MarkShape mark={isWhole ? "ok" : "warning"} />
      <span>
        {first
          ? `${reasonWords(first.reason)}: ${readable(first.detail)}`
          : explained.messages.length > 0
            ? arrivedWords(explained)
            : "Nothing of it is data, by its rules"}
      </span>
    </span>
  );
}
