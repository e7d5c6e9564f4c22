"use client";
import { useQuery } from "@tanstack/react-query";
import dynamic from "next/dynamic";
import type { DeviceDetail } from "@/server/contracts/devices";
import { readable } from "@/server/domain/readable";
import { toSegment } from "@/server/domain/segment";
import { useLive } from "../live/provider";
import { deviceQuery } from "../queries/device";
import { Age } from "../ui/age";
import { formatExact, formatInstant, formatTotal } from "../ui/format";
import { Link } from "../ui/link";
import { type KnownMetrics, shownAs, unitOf } from "../ui/meaning";
import { DeviceMark, MarkShape } from "../ui/state-mark";
import { useZone } from "../ui/zone";
import classes from "./device.module.css";
import { stretchAddress } from "../ui/ranges";

const Retired = dynamic(() => import("./retired").then((note) => note.Retired), { ssr: false });

/** What a device is now: its state, where it stands, how much it has sent, and what is odd about it. */
export function DeviceFacts({ id, known }: { id: string; known: KnownMetrics }) {
  const { data: device } = useQuery(deviceQuery(useLive(), id));
  return device ? <Facts device={device} known={known} /> : null;
}

function Facts({ device, known }: { device: DeviceDetail; known: KnownMetrics }) {
  const { state, retiredAt, goneAt, site, type, lastSeen, firstSeen, messages, conflicts } = device;
  const facts = [
    ["State", retiredAt === null ? <DeviceMark key="state" state={state} isGone={goneAt !== null} /> : "Retired"],
    ...(goneAt === null ? [] : [["Said goodbye", <Age key="gone" time={goneAt} />] as const]),
    ["Last seen", lastSeen ? <Age key="seen" time={lastSeen} /> : "never"],
    ["Site", site === null ? "not given" : readable(site)],
    ["Type", type === null ? "not given" : readable(type)],
    [
      "Messages",
      <span key="messages" data-fact="messages">
        {formatTotal(messages)}
      </span>,
    ],
    ["First seen", <Age key="first" time={firstSeen} />],
  ] as const;
  return (
    <>
      <dl className={classes.facts}>
        {facts.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
        {conflicts > 0 ? (
          <div>
            <dt>Conflicts</dt>
            <dd data-fact="conflicts">{formatTotal(conflicts)}</dd>
          </div>
        ) : null}
      </dl>
      {retiredAt === null && device.returnedAt === null ? null : <Retired device={device} />}
      <LastConflict device={device} known={known} />
      <ClockFault device={device} />
    </>
  );
}

/** Readings of when the device's clock was not set, and the way to them: "All" leaves them out. */
function ClockFault({ device: { id, clockFault } }: { device: DeviceDetail }) {
  if (clockFault === null) return null;
  const { from, to, readings } = clockFault;
  const stretch = { from: Date.parse(from), to: Date.parse(to) };
  const [first, last] = [stretch.from, stretch.to - 1].map((time) => new Date(time).getUTCFullYear());
  const years = first === last ? `from ${first}` : `from ${first} to ${last}`;
  const address = new URLSearchParams({ ...stretchAddress(stretch), view: "table" });
  return (
    <p className={classes.conflict} data-fact="clock-fault">
      <MarkShape mark="warning" />
      <span>
        {readings === 1 ? "1 reading" : `${formatTotal(readings)} readings`} {years}, years before all others: the
        device&apos;s clock was not set. All leaves them out.{" "}
        <Link href={`/devices/${toSegment(id)}?${address.toString()}`}>Show them</Link>
      </span>
    </p>
  );
}

/** Shows the device's last conflict, and which of the two values stays. */
function LastConflict({ device, known }: { device: DeviceDetail; known: KnownMetrics }) {
  const { zone } = useZone();
  const { conflicts, lastConflict } = device;
  if (conflicts === 0 || lastConflict === null) return null;
  const { metric, time, kept, refused } = lastConflict;
  const found = known.get(metric);
  const unit = unitOf(device, metric, found);
  const words = (number: number) => {
    const value = shownAs(number, found?.kind);
    return typeof value === "number" ? [formatExact(value), unit].filter(Boolean).join(" ") : String(value);
  };
  return (
    <p className={classes.conflict}>
      <MarkShape mark="warning" />
      <span>
        {conflicts === 1 ? "A reading" : `${formatTotal(conflicts)} readings`} came with another value than the one
        stored at the same millisecond; the first value stays. Last: {metric} at {formatInstant(Date.parse(time), zone)}{" "}
        is {words(kept)}, {words(refused)} was refused.
      </span>
    </p>
  );
}
