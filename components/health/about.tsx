"use client";
import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import type { About, ReleaseView } from "@/server/contracts/about";
import { useMayEverywhere } from "../queries/access";
import { aboutQuery } from "../queries/about";
import { NotYet } from "../shell/not-yet";
import { Section } from "../ui/section";
import { plainChange } from "./plain-change";
import classes from "./about.module.css";

/** The version and what changed with it, for those who may see versions. Others were told above what they don't see. */
export function AboutVersion() {
  return useMayEverywhere("administer") ? <Version /> : null;
}

function Version() {
  const { data, error, refetch, isFetching } = useQuery(aboutQuery());
  const [showsAll, setShowsAll] = useState(false);
  const releases = data?.releases ?? [];
  return (
    <Section
      title="Version"
      aside={
        releases.length > 1 ? (
          <Button size="compact-xs" variant="default" onClick={() => setShowsAll(!showsAll)} aria-expanded={showsAll}>
            {showsAll ? "Show the newest alone" : "Show earlier versions"}
          </Button>
        ) : null
      }
    >
      {data ? (
        <>
          <p className={classes.running}>
            Fieldwatch {data.version} on Node.js {data.node.replace(/^v/, "")}
          </p>
          {(showsAll ? releases : releases.slice(0, 1)).map((release) => (
            <Changes key={release.version} release={release} />
          ))}
          {showsAll ? <Breaking breaking={data.breaking} /> : null}
        </>
      ) : (
        <NotYet
          what="the version"
          error={error}
          onRetry={() => void refetch()}
          isRetrying={isFetching}
          rows={2}
          height={24}
        />
      )}
    </Section>
  );
}

function Changes({ release: { version, date, sections } }: { release: ReleaseView }) {
  return (
    <article className={classes.release} aria-label={`Version ${version}`}>
      <h3>
        {version} <small>{date ?? "not released yet"}</small>
      </h3>
      {sections.map(({ title, changes }) => (
        <div key={title} className={classes.kind} data-breaking={title === "Breaking" || undefined}>
          <h4>{title}</h4>
          <ul>
            {changes.map((change) => (
              <li key={change}>{plainChange(change)}</li>
            ))}
          </ul>
        </div>
      ))}
    </article>
  );
}

/** Migrations of the database that the version before can't work beside. */
function Breaking({ breaking }: Pick<About, "breaking">) {
  if (breaking.length === 0) return null;
  return (
    <article className={classes.release} aria-label="Breaking migrations">
      <h3>Breaking migrations of the database</h3>
      <ul>
        {breaking.map(({ migration, changes }) => (
          <li key={migration}>
            <code>{migration}</code> {changes}
          </li>
        ))}
      </ul>
    </article>
  );
}
