"use client";
import type { MaintenanceView, SilenceView } from "@/server/contracts/notifications";
import { formatMoment, formatTick, zoneName } from "../ui/format";
import { Section } from "../ui/section";
import { useZone } from "../ui/zone";
import { startOfDay } from "../ui/zone-time";
import classes from "./notifications.module.css";
import { DAY_MS, lanesOf, STRIP_DAYS } from "./strip";

interface CalendarProps {
  silences: readonly SilenceView[];
  maintenance: readonly MaintenanceView[];
  /** 0 until it is known. */
  now: number;
}

/** The next 14 days in the page's zone: when what is held back. Nothing where nothing is. */
export function Calendar({ silences, maintenance, now }: CalendarProps) {
  const { zone } = useZone();
  if (now === 0) return null;
  const start = startOfDay(now, zoneName(zone));
  const lanes = lanesOf(silences, maintenance, start);
  if (lanes.length === 0) return null;
  const days = Array.from({ length: STRIP_DAYS }, (_, i) => startOfDay(now, zoneName(zone), i));
  return (
    <Section title="The next 14 days" aside={<small className={classes.zone}>{zoneName(zone)}</small>}>
      <div className={classes.calendar}>
        <div className={classes.days} aria-hidden="true">
          {days.map((day, i) => (
            <span key={day} data-odd={i % 2 || undefined}>
              {formatTick(day, zone, 10 * DAY_MS)}
            </span>
          ))}
        </div>
        <ul className={classes.lanes}>
          {lanes.map(({ id, name, kind, stretches }) => (
            <li key={id}>
              <span className={classes.laneName} title={name}>
                {name}
              </span>
              <span className={classes.track}>
                <span
                  className={classes.today}
                  style={{ left: `${((now - start) / (STRIP_DAYS * DAY_MS)) * 100}%` }}
                  aria-hidden="true"
                />
                {stretches.map(({ left, width, from, to }) => (
                  <span
                    key={from}
                    className={classes.stretch}
                    data-kind={kind}
                    role="img"
                    aria-label={`${formatMoment(from, zone)} to ${formatMoment(to, zone)}`}
                    title={`${formatMoment(from, zone)} – ${formatMoment(to, zone)}`}
                    style={{ left: `${left * 100}%`, width: `${width * 100}%` }}
                  />
                ))}
              </span>
            </li>
          ))}
        </ul>
      </div>
    </Section>
  );
}
