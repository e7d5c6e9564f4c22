"use client";
import { useQuery } from "@tanstack/react-query";
import type { DeviceState } from "@/server/contracts/devices";
import type { PipelineAnswer } from "@/server/contracts/pipeline";
import { useLive } from "../live/provider";
import { pipelineQuery } from "../queries/pipeline";
import { formatTotal } from "../ui/format";
import { Section } from "../ui/section";
import { DeviceMark } from "../ui/state-mark";
import classes from "./states.module.css";
import { Link } from "../ui/link";

/** In the order of the list of devices: trouble first. */
const STATES: readonly DeviceState[] = ["silent", "stale", "new", "live"];

/** Shows how many devices are in each state, with a link to them, live. */
export function States() {
  const { data: devices } = useQuery({ ...pipelineQuery(useLive()), select: devicesOf });
  if (!devices) return null;
  const all = STATES.reduce((sum, state) => sum + devices[state], 0);
  return (
    <Section
      title="Devices"
      aside={
        <Link href="/devices" className={classes.all}>
          {formatTotal(all)} in all
        </Link>
      }
    >
      <StateBar devices={devices} />
      <ul className={classes.states}>
        {STATES.map((state) => (
          <li key={state}>
            <Link href={`/devices?state=${state}`} data-none={devices[state] === 0 || undefined}>
              <DeviceMark state={state} />
              <span className={classes.count} data-state-count={state}>
                {formatTotal(devices[state])}
              </span>
            </Link>
          </li>
        ))}
      </ul>
    </Section>
  );
}

function devicesOf({ devices }: PipelineAnswer): PipelineAnswer["devices"] {
  return devices;
}

/** Shares of the states as one bar; the words and numbers are beside it. */
export function StateBar({ devices }: { devices: PipelineAnswer["devices"] }) {
  return (
    <div className={classes.bar} aria-hidden="true">
      {STATES.map((state) =>
        devices[state] > 0 ? <span key={state} data-state={state} style={{ flexGrow: devices[state] }} /> : null,
      )}
    </div>
  );
}
