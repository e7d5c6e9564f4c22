"use client";
import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import type { SourceDetail, SourceSample } from "@/server/contracts/sources";
import { counted } from "@/server/domain/counted";
import { readable } from "@/server/domain/readable";
import { toSegment } from "@/server/domain/segment";
import { useMay } from "../queries/access";
import { mappingPreviewQuery, newDeviceQuery, samplesQuery, sourceQuery } from "../queries/sources";
import { Link } from "../ui/link";
import { type Mark, MarkShape } from "../ui/state-mark";
import { DoorTrouble } from "./door-state";
import classes from "./sources.module.css";
import { arrivedWords, devicesOf, reasonWords } from "./words";

/** How often it is looked for the first message, in milliseconds. */
const LOOK_MS = 1000;
/** Devices that are named. */
const MOST_DEVICES = 3;

/** Waits for the first message of a source, and tells what came of it. */
export function Arrived({ name }: { name: string }) {
  const { data, error } = useQuery(sourceQuery(name, LOOK_MS));
  const maySee = useMay("edit", data?.source.site ?? null);
  const hasCome = (data?.source.counts.received ?? 0) > 0;
  return (
    <div role="status" aria-label="First message" className={classes.arrived}>
      {!data ? (
        <Line mark="unknown">{error ? `Whether anything came isn’t known: ${error.message}` : "Looking…"}</Line>
      ) : !hasCome ? (
        <>
          <DoorTrouble detail={data} />
          {data.source.enabled ? (
            <Line mark="unknown">Waiting for the first message…</Line>
          ) : (
            <Line mark="stale">Disabled: nothing is taken until it is enabled.</Line>
          )}
        </>
      ) : maySee ? (
        <Seen detail={data} />
      ) : (
        <Line mark="ok">Arrived: {counted(data.source.counts.accepted, "message")} accepted.</Line>
      )}
    </div>
  );
}

function Line({ mark, children }: { mark: Mark; children: ReactNode }) {
  return (
    <p className={classes.arrivedLine}>
      <MarkShape mark={mark} />
      <span>{children}</span>
    </p>
  );
}

function Seen({ detail }: { detail: SourceDetail }) {
  const { data: samples } = useQuery(samplesQuery(detail.source.name, LOOK_MS));
  const sample = samples?.find(({ outcome }) => outcome.accepted > 0) ?? samples?.[0];
  if (!sample) return <Line mark="ok">Arrived. What it said is being looked up…</Line>;
  return <Told detail={detail} sample={sample} />;
}

function Told({ detail: { source, mapping }, sample }: { detail: SourceDetail; sample: SourceSample }) {
  const { accepted, ignored, refused } = sample.outcome;
  const { data } = useQuery(mappingPreviewQuery({ mapping: mapping.mapping, payloads: [sample.payload] }));
  const explained = data?.[0]?.after;
  const mend = <Link href={`/sources/${source.name}/mapping?sample=${sample.id}`}>See how it is read</Link>;
  const first = refused[0];
  return (
    <>
      {accepted > 0 ? (
        <Line mark="ok">
          <b>Arrived: {explained ? arrivedWords(explained) : counted(accepted, "message")}</b>
          {explained ? (
            <>
              {" "}
              <Devices names={devicesOf(explained)} />
            </>
          ) : null}
        </Line>
      ) : null}
      {ignored ? <Line mark="stale">Arrived, and ignored: by its mapping it is not data. {mend}</Line> : null}
      {first ? (
        <Line mark="warning">
          {accepted > 0 ? "Not all of it could be read" : "Arrived, and could not be read"}: {reasonWords(first.reason)}
          {first.path === "" ? "" : ` at ${first.path}`}, {readable(first.detail)}. {mend}
        </Line>
      ) : null}
    </>
  );
}

function Devices({ names }: { names: readonly string[] }) {
  const more = names.length - MOST_DEVICES;
  return (
    <>
      {names.slice(0, MOST_DEVICES).map((device, i) => (
        <span key={device}>
          {i > 0 ? ", " : ""}
          <Device name={device} />
        </span>
      ))}
      {more > 0 ? ` and ${more} more` : ""}
    </>
  );
}

/** A device, and the way to it as soon as there is one. */
function Device({ name }: { name: string }) {
  const { data } = useQuery(newDeviceQuery(name));
  return data ? <Link href={`/devices/${toSegment(name)}`}>{name}</Link> : name;
}
