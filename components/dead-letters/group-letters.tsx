"use client";
import { Button, CloseButton } from "@mantine/core";
import type { RefObject } from "react";
import type { DeadLetterGroup, DeadLetterView } from "@/server/contracts/dead-letters";
import { counted } from "@/server/domain/counted";
import { DEAD_LETTER_REASONS } from "@/server/domain/reasons";
import { toSegment } from "@/server/domain/segment";
import { readable } from "@/server/domain/readable";
import { useMayAtDevice } from "../queries/access";
import { MayNot } from "../shell/may-not";
import { NotYet } from "../shell/not-yet";
import { Age } from "../ui/age";
import { formatTotal } from "../ui/format";
import { Pager, type Pages } from "../ui/pager";
import type { WantedJob } from "./job-words";
import type { HeldRow } from "./held";
import classes from "./panel.module.css";
import { StatusMark } from "../ui/letter-status";
import type { GroupKey, View } from "./view";
import { Link } from "../ui/link";

interface GroupLettersProps {
  group: GroupKey;
  head: RefObject<HTMLHeadingElement | null>;
  status: View["status"];
  /** Undefined if the group has none of that status, or isn't known yet. */
  about: DeadLetterGroup | undefined;
  isKnown: boolean;
  /** Null until there are any. */
  rows: readonly HeldRow<DeadLetterView>[] | null;
  /** The number of newer ones that aren't shown yet. */
  added: number;
  onTake: () => void;
  error: Error | null;
  isFetching: boolean;
  onRetry: () => void;
  pages: Pages;
  next: string | null;
  onOpen: (id: string) => void;
  onClose: () => void;
  onWant: (action: WantedJob["action"]) => void;
}

/** The dead letters of one reason, device and field, newest first, and what can be done with all of them. */
export function GroupLetters(props: GroupLettersProps) {
  const { group, head, status, about, isKnown, rows, added, onTake, error, pages, next, onOpen, onClose, onWant } =
    props;
  const { title, fix } = DEAD_LETTER_REASONS[group.reason];
  const count = about?.count ?? 0;
  const mayOperate = useMayAtDevice("operate", group.device);
  const maySee = useMayAtDevice("view-messages", group.device);
  return (
    <>
      <header className={classes.head}>
        <div className={classes.titles}>
          <h2 ref={head} tabIndex={-1}>
            {title}
          </h2>
          <p>
            {group.device === null ? (
              "no device"
            ) : (
              <Link href={`/devices/${toSegment(group.device)}`}>{group.device}</Link>
            )}{" "}
            · {group.field ?? "whole message"}
          </p>
        </div>
        <div className={classes.actions}>
          {mayOperate && status === "open" && count > 0 ? (
            <>
              <Button size="compact-sm" variant="default" onClick={() => onWant("resend")}>
                Resend {formatTotal(count)}…
              </Button>
              <Button size="compact-sm" variant="default" onClick={() => onWant("discard")}>
                Discard {formatTotal(count)}…
              </Button>
            </>
          ) : null}
          {mayOperate && status === "discarded" && count > 0 ? (
            <Button size="compact-sm" variant="default" onClick={() => onWant("restore")}>
              Restore {formatTotal(count)}…
            </Button>
          ) : null}
          <CloseButton size="sm" aria-label="Close" title="Close (Esc)" onClick={onClose} />
        </div>
      </header>
      <div className={classes.body}>
        <p className={classes.fix}>{fix}</p>
        <p className={classes.summary} role="status">
          {about ? (
            <span>
              {counted(count, status === "all" ? "dead letter" : `${status} dead letter`)}, first seen{" "}
              <Age time={about.firstSeen} />, last seen <Age time={about.lastSeen} />
            </span>
          ) : isKnown ? (
            `None ${status === "all" ? "left" : `is ${status}`} in this group.`
          ) : (
            ""
          )}
          {added > 0 ? (
            <Button size="compact-xs" variant="subtle" onClick={onTake}>
              {formatTotal(added)} newer: show
            </Button>
          ) : null}
        </p>
        {!maySee ? <MayNot what="Seeing dead letters as they came" permission="view-messages" /> : null}
        {maySee && !rows ? (
          <NotYet
            what="its dead letters"
            error={error}
            onRetry={props.onRetry}
            isRetrying={props.isFetching}
            rows={8}
            height={44}
          />
        ) : null}
        {rows && rows.length > 0 ? (
          <ol className={classes.letters}>
            {rows.map(({ item, isGone }) => (
              <Row key={item.id} letter={item} isGone={isGone} showStatus={status === "all"} onOpen={onOpen} />
            ))}
          </ol>
        ) : null}
        {rows ? <Pager pages={pages} next={next} of="dead letters" /> : null}
      </div>
    </>
  );
}

interface RowProps {
  letter: DeadLetterView;
  isGone: boolean;
  showStatus: boolean;
  onOpen: (id: string) => void;
}

function Row({ letter, isGone, showStatus, onOpen }: RowProps) {
  const { id, ingestTime, detail, raw, encoding, bytes, resends, status, resentAs } = letter;
  return (
    <li data-letter={id} data-gone={isGone || undefined}>
      <button type="button" onClick={() => onOpen(id)}>
        <span className={classes.rowHead}>
          <Age time={ingestTime} />
          {showStatus ? <StatusMark status={status} isRefused={resentAs !== null} /> : null}
          {isGone ? <span>handled meanwhile</span> : null}
          {resends > 0 ? <span>resent {formatTotal(resends)}×</span> : null}
          <span className={classes.size}>{formatTotal(bytes)} bytes</span>
        </span>
        <span className={classes.detail}>{detail}</span>
        <code>{encoding === "utf-8" ? readable(raw.slice(0, 240)) : `not UTF-8, as base64: ${raw.slice(0, 200)}`}</code>
      </button>
    </li>
  );
}
