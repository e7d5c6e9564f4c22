"use client";
import { useQuery } from "@tanstack/react-query";
import type { DeviceState } from "@/server/contracts/devices";
import type { PipelineAnswer } from "@/server/contracts/pipeline";
import type { SavedView } from "@/server/contracts/views";
import { counted } from "@/server/domain/counted";
import { readable } from "@/server/domain/readable";
import { fleetSummaryQuery } from "../queries/devices";
import { qualityQuery } from "../queries/overview";
import { share } from "../queries/quality-counts";
import { formatCount } from "../ui/format";
import { Quantity } from "../ui/quantity";
import { DeviceMark } from "../ui/state-mark";
import { Pinned } from "./pinned-kinds";
import { inTroubleOrder, overdueOf } from "./site-order";
import { WHOLE_FLEET } from "./sites";
import { StateBar } from "./states";
import classes from "./wall.module.css";

const STATES: readonly DeviceState[] = ["silent", "stale", "new", "live"];
/** Sites that fit beside the rest. */
const SITES = 5;
/** Pinned views that are readable at once, and their lines: beside each other, and when there are more than two. */
const MOST_ON_WALL = 4;
/** Lines of a pinned view: where there are up to two of them, and more. */
export const ROWS = [7, 3] as const;
export const ROWS_BESIDE_ALERTS = [5, 2] as const;

/** The width of a number in digits; its word has place for two. */
function widthOf(text: string): number {
  return Math.max(2, text.replaceAll(/\D/g, "").length + 0.5 * text.replaceAll(/\d/g, "").length);
}

/** Devices by state, as large as the four numbers together allow. */
export function WallDevices({ devices }: { devices: PipelineAnswer["devices"] | undefined }) {
  const width = devices ? STATES.reduce((sum, state) => sum + widthOf(formatCount(devices[state])), 0) : 1;
  return (
    <section aria-label="Devices" className={classes.devices}>
      <h2>Devices</h2>
      {devices ? <StateBar devices={devices} /> : null}
      <ul style={{ "--digits": width } as React.CSSProperties}>
        {STATES.map((state) => (
          <li key={state} data-none={devices?.[state] === 0 || undefined}>
            <b>{devices ? <Quantity value={devices[state]} format={formatCount} /> : null}</b>
            <DeviceMark state={state} />
          </li>
        ))}
      </ul>
    </section>
  );
}

/** The sites, those with overdue devices first. */
export function WallSites() {
  const { data: fleet } = useQuery(fleetSummaryQuery(WHOLE_FLEET));
  const sites = inTroubleOrder(fleet?.sites ?? []);
  return (
    <section aria-label="Sites" className={classes.table}>
      <h2>{sites.length > SITES ? `Sites, ${SITES} of ${sites.length}, overdue first` : "Sites, overdue first"}</h2>
      <ul>
        {fleet && sites.length === 0 ? <li>None named yet</li> : null}
        {sites.slice(0, SITES).map((site) => (
          <li key={site.name} data-overdue={overdueOf(site) > 0 || undefined}>
            <span>{readable(site.name)}</span>
            <b>
              {overdueOf(site) > 0
                ? `${formatCount(overdueOf(site))} of ${formatCount(site.devices)} overdue`
                : `${formatCount(site.devices)} live`}
            </b>
          </li>
        ))}
      </ul>
    </section>
  );
}

const QUALITY = {
  repeats: "Repeats",
  conflicts: "Conflicts",
  late: "Late",
  refused: "Refused",
  deadLetters: "Dead letters",
} as const;

/** What was wrong with the data of the last 15 minutes. */
export function WallQuality() {
  const { data: quality } = useQuery(qualityQuery());
  return (
    <section aria-label="Data quality" className={classes.table}>
      <h2>Data quality, last 15 min</h2>
      <ul>
        {(["repeats", "conflicts", "late", "refused", "deadLetters"] as const).map((key) => (
          <li key={key}>
            <span>{QUALITY[key]}</span>
            <b>
              {quality ? formatCount(quality[key]) : ""}
              <small>
                {quality
                  ? share(
                      quality[key],
                      key === "refused" || key === "deadLetters"
                        ? quality.messages + quality.refused
                        : quality.readings,
                    )
                  : ""}
              </small>
            </b>
          </li>
        ))}
      </ul>
    </section>
  );
}

/** The views that are pinned to the wall: what people chose to see takes the place of sites and quality. */
export function WallViews({
  views,
  rows,
}: {
  views: readonly SavedView[];
  rows: readonly [few: number, more: number];
}) {
  const shown = views.slice(0, MOST_ON_WALL);
  const left = views.length - shown.length;
  return (
    <section aria-label="Pinned views" className={classes.views} data-count={shown.length}>
      <ul>
        {shown.map((view) => (
          <Pinned key={view.id} view={view} rows={rows[shown.length > 2 ? 1 : 0]} />
        ))}
      </ul>
      {left > 0 ? <p>{counted(left, "more pinned view doesn't", "more pinned views don't")} fit here.</p> : null}
    </section>
  );
}
