import type { ProbeMessageView, StationState } from "@/server/contracts/test-message";
import { toSegment } from "@/server/domain/segment";
import { Age } from "../ui/age";
import { formatDuration } from "../ui/format";
import { Duration } from "../ui/quantity";
import type { Mark } from "../ui/state-mark";
import { Waterfall, type WaterfallRow } from "../ui/waterfall";
import { CauseAndFix } from "./advice";
import classes from "./checklist.module.css";
import type { SeenHere } from "./use-test-message";

const STATES: Record<StationState, readonly [Mark, string]> = {
  done: ["ok", "Done"],
  waiting: ["unknown", "Waiting"],
  failing: ["failing", "Failing"],
  unknown: ["unknown", "Unknown"],
};

/** The way of a test message, station by station, and into this browser. */
export function ProbeMessage({ followed, seen }: { followed: ProbeMessageView; seen: SeenHere | null }) {
  const rows = [...followed.stations.map(rowOf), ...(seen ? [browserRow(followed, seen)] : [])];
  return (
    <div className={classes.followed}>
      <p className={classes.followedHead}>
        Sent as <a href={`/devices/${toSegment(followed.device)}`}>{followed.device}</a>, a device like any other,{" "}
        <Age time={followed.acceptedAt} />. It is stored and shown like every message.
        {followed.trace !== null && <Trace {...followed.trace} />}
      </p>
      <Waterfall rows={rows} label="The way of the test message" />
    </div>
  );
}

function Trace({ id, url }: NonNullable<ProbeMessageView["trace"]>) {
  if (url === null)
    return (
      <>
        {" "}
        Its trace is <code>{id}</code>.
      </>
    );
  return (
    <>
      {" "}
      <a href={url}>Look at its trace</a>.
    </>
  );
}

function rowOf({
  name,
  title,
  state,
  found,
  tookMs,
  atMs,
  ...advice
}: ProbeMessageView["stations"][number]): WaterfallRow {
  const [mark, word] = STATES[state];
  const isStuck = state === "failing" || state === "unknown";
  return {
    ...{ key: name, mark, word, title },
    span: tookMs === null || atMs === null ? null : { from: atMs - tookMs, to: atMs },
    figure: figureOf(name, tookMs, word),
    note: isStuck ? (
      <>
        {found}
        <CauseAndFix {...advice} of={title} />
      </>
    ) : undefined,
  };
}

function figureOf(name: string, tookMs: number | null, word: string) {
  if (tookMs === null) return word.toLowerCase();
  return name === "accepted" ? "start" : <Duration text={formatDuration(tookMs)} />;
}

/** The browser's clock and the server's may differ, so this one is counted from the press of the button. */
function browserRow({ totalMs, state }: ProbeMessageView, { ms }: SeenHere): WaterfallRow {
  const [mark, word] = ms !== null ? STATES.done : STATES.waiting;
  const row = { key: "browser", mark, word, title: "Seen in this browser" };
  if (ms === null) return { ...row, span: null, figure: state === "done" ? "on its way" : word.toLowerCase() };
  const after = Math.max(0, ms - (totalMs ?? ms));
  return {
    ...row,
    span: { from: ms - after, to: ms },
    figure: <Duration text={formatDuration(after)} />,
    note: <>{formatDuration(ms)} after the press of the button.</>,
  };
}
