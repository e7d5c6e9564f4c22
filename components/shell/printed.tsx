"use client";
import { formatMoment, zoneName } from "../ui/format";
import { useIsPrinting } from "../ui/printing";
import { serverNow } from "../ui/server-time";
import { useZone } from "../ui/zone";
import classes from "./shell.module.css";

/** Says on paper when it was printed, for ages and "now" are of then. */
export function Printed() {
  const { zone } = useZone();
  return useIsPrinting() ? (
    <p className={classes.printed}>
      Fieldwatch, {formatMoment(serverNow(), zone)} {zoneName(zone)}
    </p>
  ) : null;
}
