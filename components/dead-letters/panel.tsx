"use client";
import { useQuery } from "@tanstack/react-query";
import { useLayoutEffect, useRef } from "react";
import { useMay, useMayAtDevice } from "../queries/access";
import { groupsQuery, letterQuery, lettersQuery } from "../queries/dead-letters";
import { usePages } from "../ui/pager";
import { useKeys } from "../ui/use-keys";
import type { WantedJob } from "./job-words";
import { GroupLetters } from "./group-letters";
import { useHeld } from "./held";
import { Letter } from "./letter";
import classes from "./panel.module.css";
import type { ChangeView } from "./use-view";
import { filterOf, type GroupKey, groupName, type View } from "./view";

/** The number of dead letters on a page of a group. */
const LETTERS = 20;

interface PanelProps {
  view: View;
  change: ChangeView;
  onClose: () => void;
  onWant: (job: WantedJob) => void;
}

/** The panel beside the list: a group's dead letters, or one of them. */
export function Panel(props: PanelProps) {
  const { view } = props;
  const head = useRef<HTMLHeadingElement>(null);
  const maySee = useMay("view-messages");
  const letter = useQuery({
    ...letterQuery(view.letter ?? ""),
    enabled: maySee && view.letter !== null && view.group === null,
  });
  const group = view.group ?? (view.letter === null ? null : (letter.data ?? null));
  const isAlone = group === null;
  const panel = useRef<HTMLElement>(null);
  // After opening by keyboard, focus moves to what was opened. Not from a button of it that somebody has gone to meanwhile.
  useLayoutEffect(() => {
    if (!panel.current?.contains(document.activeElement)) head.current?.focus({ preventScroll: true });
  }, [view.letter, isAlone]);
  return (
    <aside
      ref={panel}
      className={classes.panel}
      data-scrolls
      aria-label={view.letter === null ? "Group of dead letters" : "Dead letter"}
    >
      {isAlone ? (
        <Letter {...props} id={view.letter!} head={head} group={null} beside={NOBODY} />
      ) : (
        <InGroup key={`${view.status} ${groupName(group)}`} {...props} group={group} head={head} />
      )}
    </aside>
  );
}

const NOBODY = { newer: null, older: null };

interface InGroupProps extends PanelProps {
  group: GroupKey;
  head: React.RefObject<HTMLHeadingElement | null>;
}

function InGroup({ group, head, ...props }: InGroupProps) {
  const { view, change, onClose, onWant } = props;
  const pages = usePages();
  const filter = filterOf(group, view.filter.source);
  const about = useQuery(groupsQuery(view.status, filter));
  const maySee = useMayAtDevice("view-messages", group.device);
  const letters = useQuery({ ...lettersQuery(view.status, filter, LETTERS, pages.cursor), enabled: maySee });
  const held = useHeld(pages.cursor ?? "", letters.isPlaceholderData ? undefined : letters.data?.items, ({ id }) => id);
  const ids = held.rows?.map(({ item }) => item.id) ?? [];
  const at = view.letter === null ? -1 : ids.indexOf(view.letter);
  const beside = { newer: at > 0 ? ids[at - 1]! : null, older: at === -1 ? null : (ids[at + 1] ?? null) };
  const show = (id: string | null) => id !== null && change({ letter: id, group: groupName(group) });
  useBrackets(view.letter !== null, { newer: () => show(beside.newer), older: () => show(beside.older) });
  if (view.letter !== null)
    return <Letter key={view.letter} {...props} id={view.letter} head={head} group={group} beside={beside} />;
  return (
    <GroupLetters
      group={group}
      head={head}
      status={view.status}
      about={about.data?.items[0]}
      isKnown={about.data !== undefined}
      rows={held.rows}
      added={pages.cursor === null ? held.added : 0}
      onTake={held.take}
      error={letters.error}
      isFetching={letters.isFetching}
      onRetry={() => void letters.refetch()}
      pages={pages}
      next={letters.isPlaceholderData ? null : (letters.data?.next ?? null)}
      onOpen={(id) => change({ letter: id, group: groupName(group) }, "push")}
      onClose={onClose}
      onWant={(action) => onWant({ action, filter })}
    />
  );
}

/** Makes "[" and "]" go to the newer and the older dead letter, except in fields and under dialogs. */
function useBrackets(isWanted: boolean, to: { readonly newer: () => void; readonly older: () => void }): void {
  useKeys((event: KeyboardEvent) => {
    if (!isWanted || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target instanceof Element && event.target.closest("input, textarea, select")) return;
    if (document.querySelector("[role=dialog]")) return;
    if (event.key === "[") to.newer();
    if (event.key === "]") to.older();
  });
}
