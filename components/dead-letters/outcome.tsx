"use client";
import type { DeadLetterView } from "@/server/contracts/dead-letters";
import { toSegment } from "@/server/domain/segment";
import { Age } from "../ui/age";
import { MarkShape } from "../ui/state-mark";
import classes from "./letter.module.css";
import { Link } from "../ui/link";

/** The outcome of a resend, as soon as it is known; nothing while the dead letter waits for its first decision. */
export function Outcome({ letter, device }: { letter: DeadLetterView; device: string | null }) {
  return (
    <div role="status" aria-label="Outcome">
      <Words letter={letter} device={device} />
    </div>
  );
}

function Words({ letter: { status, history }, device }: { letter: DeadLetterView; device: string | null }) {
  const last = history.at(-1);
  if (status === "resending")
    return (
      <div className={classes.outcome}>
        <MarkShape mark="unknown" />
        <span>
          Sent{last ? <> </> : null}
          {last ? <Age time={last.time} /> : null}. The worker will handle it like any message; this page follows it.
        </span>
      </div>
    );
  if (status === "discarded")
    return (
      <div className={classes.outcome}>
        <MarkShape mark="stale" />
        <span>
          Discarded{last ? <> </> : null}
          {last ? <Age time={last.time} /> : null}. It is kept until its retention ends.
        </span>
      </div>
    );
  if (status !== "resent") return null;
  const result = history.findLast(({ kind }) => kind === "stored" || kind === "refused");
  if (!result) return null;
  const isStored = result.kind === "stored";
  return (
    <div className={classes.outcome} data-tone={isStored ? undefined : "warn"}>
      <MarkShape mark={isStored ? "ok" : "warning"} />
      <span>
        {isStored ? "Stored" : "Refused again"}: {result.detail}.{" "}
        <span className={classes.muted}>
          (<Age time={result.time} />)
        </span>{" "}
        {isStored && device !== null ? <Link href={`/devices/${toSegment(device)}`}>See {device}</Link> : null}
      </span>
    </div>
  );
}
