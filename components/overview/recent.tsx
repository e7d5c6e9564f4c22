"use client";
import { useQuery } from "@tanstack/react-query";
import Link from "next/link";
import { recentDevicesQuery } from "../queries/devices";
import { Age } from "../ui/age";
import { DeviceMark } from "../ui/state-mark";
import { Loading } from "../ui/feedback";
import classes from "./overview.module.css";

const ROWS = 6;

/** The devices that reported last. */
export function Recent() {
  const { data, error } = useQuery(recentDevicesQuery(ROWS));
  if (!data) {
    if (error) return <p className={classes.note}>Could not be loaded: {error.message}</p>;
    return <Loading rows={ROWS} label="Loading devices" />;
  }
  if (data.items.length === 0) return <p className={classes.note}>No device has reported yet.</p>;
  return (
    <ul className={classes.list}>
      {data.items.map(({ id, state, site, lastSeen }) => (
        <li key={id}>
          <Link href={`/devices/${encodeURIComponent(id)}`}>{id}</Link>
          <span className={classes.site}>{site}</span>
          <span className={classes.state}>
            <DeviceMark state={state} />
          </span>
          <span className={classes.age}>{lastSeen ? <Age time={lastSeen} /> : "never"}</span>
        </li>
      ))}
    </ul>
  );
}
