"use client";
import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import type { SourceSample, SourceView } from "@/server/contracts/sources";
import { counted } from "@/server/domain/counted";
import { readable } from "@/server/domain/readable";
import { samplesQuery } from "../queries/sources";
import { NotYet } from "../shell/not-yet";
import { Age } from "../ui/age";
import { Empty } from "../ui/feedback";
import { formatTotal } from "../ui/format";
import { Link } from "../ui/link";
import { Section } from "../ui/section";
import { type Mark, MarkShape } from "../ui/state-mark";
import classes from "./sources.module.css";
import { reasonWords } from "./words";

/** Those shown at first: what follows on the page is not to be searched for. */
const FIRST = 6;

/** The last payloads of a source, as they came, with what became of each. */
export function Samples({ source: { name }, mayTry }: { source: SourceView; mayTry: boolean }) {
  const { data, error, refetch, isFetching } = useQuery(samplesQuery(name));
  const [showsAll, setShowsAll] = useState(false);
  return (
    <Section title="Last payloads">
      {data ? null : (
        <NotYet
          what="its payloads"
          error={error}
          onRetry={() => void refetch()}
          isRetrying={isFetching}
          rows={5}
          height={40}
        />
      )}
      {data?.length === 0 ? <Empty>None is kept yet. The last 20 are, without keys and passwords.</Empty> : null}
      {data && data.length > 0 ? (
        <>
          <ol className={classes.samples}>
            {data.slice(0, showsAll ? data.length : FIRST).map((sample) => (
              <Row
                key={sample.id}
                sample={sample}
                href={!mayTry ? null : `/sources/${name}/mapping?sample=${sample.id}`}
              />
            ))}
          </ol>
          {data.length > FIRST ? (
            <Button size="compact-xs" variant="default" mt={8} onClick={() => setShowsAll(!showsAll)}>
              {showsAll ? `Show the last ${FIRST}` : `Show all ${data.length}`}
            </Button>
          ) : null}
        </>
      ) : null}
    </Section>
  );
}

function Row({ sample, href }: { sample: SourceSample; href: string | null }) {
  const { at, payload, bytes } = sample;
  const { mark, words } = outcomeOf(sample);
  const text = `${payload.topic === null ? "" : `${payload.topic} `}${payload.encoding === "base64" ? "as base64: " : ""}${payload.body}`;
  return (
    <li data-sample={sample.id}>
      <span className={classes.sampleHead}>
        <MarkShape mark={mark} />
        <span>{words}</span>
        <Age time={at} />
        <span className={classes.size}>{formatTotal(bytes)} bytes</span>
        {href ? (
          <Link href={href} aria-label={`How it is read: the payload of ${at}`}>
            How it is read
          </Link>
        ) : null}
      </span>
      <code>{readable(text.slice(0, 400))}</code>
    </li>
  );
}

/** What became of a payload, in words. */
export function outcomeOf({ outcome: { accepted, ignored, refused } }: Pick<SourceSample, "outcome">): {
  readonly mark: Mark;
  readonly words: string;
} {
  const first = refused[0];
  if (first) {
    const what = `${reasonWords(first.reason)}${first.path === "" ? "" : ` at ${first.path}`}`;
    return {
      mark: "warning",
      words: accepted > 0 ? `${counted(accepted, "message")}, and refused: ${what}` : `Refused: ${what}`,
    };
  }
  if (ignored) return { mark: "stale", words: "Ignored" };
  return { mark: "ok", words: counted(accepted, "message") };
}
