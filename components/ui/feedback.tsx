"use client";
import { Button, CopyButton, Skeleton } from "@mantine/core";
import type { ReactNode } from "react";
import { createPortal } from "react-dom";
import { MarkShape } from "./state-mark";
import classes from "./ui.module.css";

/** Placeholder lines of the true size. They appear only after 200 ms, so that a quick answer doesn't flicker. */
export function Loading({ rows, height = 20, label }: { rows: number; height?: number; label: string }) {
  return (
    <div className={classes.loading} role="status" aria-label={label}>
      {Array.from({ length: rows }, (_, i) => (
        <Skeleton key={i} height={height} radius={2} animate={false} />
      ))}
    </div>
  );
}

interface FailureProps {
  /** The failure: "The devices could not be loaded". */
  what: string;
  /** The cause, as far as it is known. */
  why: string;
  /** Says whether data is safe, and what to do. */
  advice: string;
  onRetry?: () => void;
  retrying?: boolean;
}

/** An error: what failed, whether data is safe, what to do, and a retry. */
export function Failure({ what, why, advice, onRetry, retrying }: FailureProps) {
  return (
    <div className={classes.notice} role="alert" data-tone="fail">
      <MarkShape mark="failing" />
      <div>
        <p className={classes.noticeTitle}>{what}</p>
        <p>{why}</p>
        <p className={classes.muted}>{advice}</p>
      </div>
      {onRetry ? (
        <Button size="xs" variant="default" onClick={onRetry} loading={retrying ?? false}>
          Try again
        </Button>
      ) : null}
    </div>
  );
}

const STALE_NOTICES = "stale-notices";

/** Where {@link StaleNotice}s are shown, one above the other: over the lower end of the page. */
export function StaleNotices() {
  return <div id={STALE_NOTICES} className={classes.staleNotices} />;
}

/** Values on the page are older than they should be: says so in {@link StaleNotices}, without taking them away or moving them. */
export function StaleNotice({ children, onRetry }: { children: ReactNode; onRetry: () => void }) {
  const notice = (
    <div className={classes.notice} role="status" data-tone="warn">
      <MarkShape mark="stale" />
      <div>{children}</div>
      <Button size="xs" variant="default" onClick={onRetry}>
        Try again
      </Button>
    </div>
  );
  const place = document.getElementById(STALE_NOTICES);
  return place ? createPortal(notice, place) : notice;
}

/** An empty state: one sentence and one action. */
export function Empty({ children, action }: { children: ReactNode; action?: ReactNode }) {
  return (
    <div className={classes.empty}>
      <p>{children}</p>
      {action}
    </div>
  );
}

/** Text to be copied and run or pasted as it is. */
export function Copyable({ text, label = "Copy" }: { text: string; label?: string }) {
  return (
    <div className={classes.copyable}>
      <code>{text}</code>
      <CopyButton value={text} timeout={2000}>
        {({ copied, copy }) => (
          <Button size="compact-xs" variant="default" onClick={copy} aria-label={copied ? "Copied" : label}>
            {copied ? "Copied" : "Copy"}
          </Button>
        )}
      </CopyButton>
    </div>
  );
}
