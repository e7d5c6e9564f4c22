"use client";
import { Button } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import type { SavedView, ViewChanges } from "@/server/contracts/views";
import { readable } from "@/server/domain/readable";
import { useMay, useMayEverywhere } from "../queries/access";
import { saidOf } from "../queries/request";
import { changeView, VIEWS, viewsQuery } from "../queries/views";
import { Section } from "../ui/section";
import { beforeOf } from "../views/order";
import classes from "./pinned.module.css";
import { Pinned } from "./pinned-kinds";

/** Lines of a tile here. */
const ROWS = 5;
/** Tiles that are shown; each asks for its own. */
const MOST_TILES = 12;

/** The saved views that are pinned to the overview, in order; nothing while none is. */
export function PinnedViews() {
  const { data: views } = useQuery(viewsQuery());
  const pinned = views?.filter(({ onOverview }) => onOverview) ?? [];
  const mayKeep = useMay("view");
  const mayShare = useMayEverywhere("operate");
  const [isArranging, setArranging] = useState(false);
  if (pinned.length === 0) return null;
  const mayChange = ({ shared }: SavedView) => (shared ? mayShare : mayKeep);
  const tiles = pinned.slice(0, MOST_TILES);
  return (
    <Section
      title="Pinned views"
      aside={
        <span className={classes.aside}>
          {pinned.length > MOST_TILES ? `the first ${MOST_TILES} of ${pinned.length}` : ""}
          {pinned.some(mayChange) ? (
            <Button
              size="compact-xs"
              variant="subtle"
              aria-pressed={isArranging}
              onClick={() => setArranging(!isArranging)}
            >
              {isArranging ? "Done" : "Arrange"}
            </Button>
          ) : null}
        </span>
      }
    >
      <ul className={classes.tiles}>
        {tiles.map((view) => (
          <Pinned
            key={view.id}
            view={view}
            rows={ROWS}
            tools={isArranging && mayChange(view) ? <Tools view={view} pinned={pinned} /> : null}
          />
        ))}
      </ul>
    </Section>
  );
}

/** Moves a tile, or takes it away; by keys as well as by pointer, so there is no dragging. */
function Tools({ view, pinned }: { view: SavedView; pinned: readonly SavedView[] }) {
  const queries = useQueryClient();
  const change = useMutation({
    mutationFn: (changes: ViewChanges) => changeView(view.id, changes),
    onSuccess: () => queries.invalidateQueries({ queryKey: [VIEWS] }),
  });
  const [earlier, later] = [beforeOf(pinned, view.id, -1), beforeOf(pinned, view.id, 1)];
  const name = readable(view.name);
  return (
    <div className={classes.tools} role="group" aria-label={`Arrange ${name}`}>
      <Button
        size="compact-xs"
        variant="default"
        disabled={earlier === undefined || change.isPending}
        aria-label={`Move ${name} earlier`}
        onClick={() => change.mutate({ before: earlier ?? null })}
      >
        ← Earlier
      </Button>
      <Button
        size="compact-xs"
        variant="default"
        disabled={later === undefined || change.isPending}
        aria-label={`Move ${name} later`}
        onClick={() => change.mutate({ before: later ?? null })}
      >
        Later →
      </Button>
      <Button
        size="compact-xs"
        variant="default"
        disabled={change.isPending}
        aria-label={`Unpin ${name}`}
        onClick={() => change.mutate({ onOverview: false })}
      >
        Unpin
      </Button>
      {change.error ? <span role="alert">Nothing was changed: {saidOf(change.error)}</span> : null}
    </div>
  );
}
