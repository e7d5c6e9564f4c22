"use client";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef } from "react";
import type { RemovalView } from "@/server/contracts/removals";
import { useMayEverywhere } from "../queries/access";
import { REMOVALS, removalsQuery } from "../queries/removals";
import { Link } from "../ui/link";
import { MarkShape } from "../ui/state-mark";
import { removalsWords, removalWords } from "./removal-words";
import classes from "./removals.module.css";

const NONE: readonly RemovalView[] = [];

/** What is being removed of one kind, and the job that does it; nothing for those who may not remove. */
export function useRemovals(kind: RemovalView["kind"]) {
  const { data } = useQuery(removalsQuery(useMayEverywhere("administer")));
  return { items: data?.items.filter((one) => one.kind === kind) ?? NONE, job: data?.job ?? null };
}

/** One line on what is being removed, for the place a list keeps for such. When one is done, all that is shown is loaded again. */
export function BeingRemoved({ kind }: { kind: RemovalView["kind"] }) {
  const queries = useQueryClient();
  const { items, job } = useRemovals(kind);
  const ids = items.map(({ id }) => id).join();
  const before = useRef(ids);
  useEffect(() => {
    const isOneDone = before.current.split(",").some((id) => id !== "" && !ids.split(",").includes(id));
    before.current = ids;
    if (isOneDone) void queries.invalidateQueries({ predicate: ({ queryKey }) => queryKey[0] !== REMOVALS });
  }, [queries, ids]);
  const words = removalsWords(items, job);
  if (words === null) return null;
  const share = items[0]?.share ?? null;
  return (
    <span className={classes.removals} role="status" title={items.map(removalWords).join("\n")}>
      {words.isHeldUp ? <MarkShape mark="warning" /> : null}
      <span className={classes.text}>{words.text}</span>
      {share === null || words.isHeldUp ? null : (
        <span className={classes.track} aria-hidden="true">
          <i style={{ width: `${share * 100}%` }} />
        </span>
      )}
      {words.isHeldUp ? <Link href="/jobs">See Jobs</Link> : null}
    </span>
  );
}
