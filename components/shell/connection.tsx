"use client";
import { useLive } from "../live/provider";
import { Age } from "../ui/age";
import { useClock } from "../ui/clock";
import { browserNow, toServerTime } from "../ui/server-time";
import { StateMark } from "../ui/state-mark";
import { type ConnectionView, connectionView } from "./connection-view";
import classes from "./shell.module.css";

const TITLES: Record<ConnectionView["word"], string> = {
  Connecting: "Opening the live channel",
  Connected: "Values on this page are live",
  Reconnecting: "The live channel broke off; trying again",
  Stale: "Nothing has come over the live channel for a while; values on this page may be old",
};

/** Since when values on the page are old, because nothing comes over the live channel, in epoch ms by this browser; null while they aren't. */
export function useStaleSince(): number | null {
  const live = useLive();
  const since = useClock(() => {
    const { word, staleSince } = connectionView(live.connection(), browserNow());
    return word === "Stale" ? (staleSince ?? 0) : -1;
  });
  return since === -1 ? null : since;
}

/** True while values on the page are old. */
export function useIsStale(): boolean {
  return useStaleSince() !== null;
}

/** Shows whether this page is live by shape, word and color, with the age when it isn't. */
export function ConnectionState() {
  const live = useLive();
  // The age is text, so that the clock renders this again only when it reads differently.
  const text = useClock(() => JSON.stringify(connectionView(live.connection(), browserNow())));
  const view = text === null ? null : (JSON.parse(text) as ConnectionView);
  const { mark, word, staleSince } = view ?? {
    mark: "unknown" as const,
    word: "Connecting" as const,
    staleSince: null,
  };
  return (
    <span className={classes.connection} data-connection={word.toLowerCase()}>
      <span role="status">
        <StateMark mark={mark} word={word} title={TITLES[word]} />
      </span>
      {staleSince === null ? null : (
        <span className={classes.connectionAge}>
          as of <Age time={toServerTime(staleSince)} />
        </span>
      )}
    </span>
  );
}
