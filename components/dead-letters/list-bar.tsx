"use client";
import { Button } from "@mantine/core";
import type { DeadLetterGroup } from "@/server/contracts/dead-letters";
import { counted } from "@/server/domain/counted";
import { useMay, useMayAtDevice } from "../queries/access";
import { formatTotal } from "../ui/format";
import { ListBar } from "../ui/list-page";
import type { WantedJob } from "./job-words";
import classes from "./dead-letters.module.css";
import type { View } from "./view";

interface GroupsBarProps {
  view: View;
  /** The groups that match; null while others are on their way. */
  items: readonly DeadLetterGroup[] | null;
  /** The number of groups, including those not listed. */
  total: number;
  added: number;
  isOther: boolean;
  /** The reason that the list may be outdated; null when it isn't. */
  trouble: string | null;
  onTake: () => void;
  onReload: () => void;
  onWant: (job: WantedJob) => void;
  onHelp: () => void;
}

/** The bar above the groups: how many are listed, whether the list is current, and what can be done with all of it. */
export function GroupsBar(props: GroupsBarProps) {
  const { view, items, total, added, isOther, trouble, onTake, onReload, onWant, onHelp } = props;
  const { device } = view.filter;
  const mayThere = useMayAtDevice("operate", device || null);
  const maySomewhere = useMay("operate");
  const mayOperate = device === undefined ? maySomewhere : mayThere;
  const letters = items?.reduce((sum, { count }) => sum + count, 0) ?? 0;
  const isAll = Object.keys(view.filter).length === 0;
  const want = (action: WantedJob["action"]) => () => onWant({ action, filter: view.filter });
  const which = isAll ? "all" : "these";
  return (
    <ListBar
      className={classes.bar}
      total={items ? told(letters, items.length, total) : ""}
      what="This list"
      trouble={trouble}
      offer={
        isOther && items ? (
          <Button size="compact-xs" variant="subtle" onClick={onTake}>
            {added > 0 ? `${counted(added, "new group")}: show` : "Order changed: sort again"}
          </Button>
        ) : null
      }
      onReload={onReload}
      onHelp={onHelp}
    >
      {mayOperate && view.status === "open" && letters > 0 ? (
        <>
          <Button size="compact-sm" variant="default" onClick={want("resend")}>
            Resend {which}…
          </Button>
          <Button size="compact-sm" variant="default" onClick={want("discard")}>
            Discard {which}…
          </Button>
        </>
      ) : null}
      {mayOperate && view.status === "discarded" && letters > 0 ? (
        <Button size="compact-sm" variant="default" onClick={want("restore")}>
          Restore {which}…
        </Button>
      ) : null}
    </ListBar>
  );
}

function told(letters: number, listed: number, total: number): string {
  if (total === 0) return "";
  if (listed < total) return `The ${formatTotal(listed)} largest of ${formatTotal(total)} groups`;
  return `${counted(letters, "dead letter")} in ${counted(total, "group")}`;
}
