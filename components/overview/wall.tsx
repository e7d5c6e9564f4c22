"use client";
import { useQuery } from "@tanstack/react-query";
import { useRouter } from "next/navigation";
import { useSeesAll } from "../queries/access";
import { viewsQuery } from "../queries/views";
import { ConnectionState, useIsStale } from "../shell/connection";
import { OfAllSites } from "../shell/of-all-sites";
import { tabTitle, useTabTitle } from "../shell/tab-title";
import { useTrouble } from "../shell/verdict";
import { Age } from "../ui/age";
import { useNow } from "../ui/clock";
import { formatCount, formatDuration, formatRate, formatTick, zoneName } from "../ui/format";
import { Duration, Quantity } from "../ui/quantity";
import { Since } from "../ui/since";
import { Sparkline } from "../ui/sparkline";
import { Spoken } from "../ui/spoken";
import { MarkShape } from "../ui/state-mark";
import { PIPELINE_COLORS } from "../ui/theme";
import { useIsClient } from "../ui/use-is-client";
import { useZone } from "../ui/zone";
import { sentence, useHero } from "./hero";
import { lagNote } from "./lag-note";
import { useOverview } from "./overview";
import { useTrend } from "./use-trend";
import { useBareAndIdle } from "./use-bare";
import classes from "./wall.module.css";
import { useWallAlerts, WallAlertLines } from "./wall-alerts";
import { ROWS, ROWS_BESIDE_ALERTS, WallDevices, WallQuality, WallSites, WallViews } from "./wall-tables";

/** The overview for a screen on the wall: what is read from 3 m, upright or wide, and nothing else. Always dark, never scrolls. */
export function Wall() {
  const isClient = useIsClient();
  // Not even the frame of a page is shown until it is known, and nothing of the wall until it can be dark.
  if (useSeesAll() === null || !isClient) return null;
  return (
    <OfAllSites title="Overview on a wall" what="Seeing the overview of a wall">
      <Whole />
    </OfAllSites>
  );
}

function Whole() {
  const { pipeline, error } = useOverview();
  const hero = useHero();
  const { data: views } = useQuery(viewsQuery());
  const pinned = views?.filter(({ onWall }) => onWall) ?? [];
  const { failing, hasAnswer } = useTrouble();
  useTabTitle(tabTitle("Wall", failing, hasAnswer));
  const isIdle = useBareAndIdle();
  const points = useTrend(pipeline);
  const line = (key: "messages" | "readings" | "latencyP99Ms", color: string, label: string) => (
    <Sparkline values={points.map((point) => point[key])} color={color} label={`${label} over the last 15 minutes`} />
  );
  const rates = pipeline?.rates;
  // What couldn't be loaded is unknown; while it is asked for, there is nothing.
  const isKnown = pipeline !== undefined || error !== null;
  const isStale = useIsStale();
  const alerts = useWallAlerts();
  const hasAlerts = alerts.is === "firing" || alerts.is === "unknown";
  return (
    <main
      className={classes.wall}
      data-idle={isIdle || undefined}
      data-stale={isStale || undefined}
      data-pinned={pinned.length > 0 || undefined}
      data-alerts={hasAlerts || undefined}
    >
      <Spoken as="h1">Overview</Spoken>
      <header className={classes.head}>
        <div className={classes.verdict} data-mark={hero?.mark}>
          <p className={classes.what} role="status">
            {hero ? <MarkShape mark={hero.mark} /> : null}
            <span>{hero?.what}</span>
          </p>
          <p className={classes.means}>
            {hero ? sentence(hero.means) : null}
            {hero?.since ? (
              <>
                {" "}
                Since <Since time={hero.since} />, <Age time={hero.since} />.
              </>
            ) : null}
            {hero?.others ? ` ${sentence(hero.others)}` : null}
            {alerts.is === "none" ? " No alert fires." : null}
          </p>
        </div>
        <WallClock />
      </header>
      <WallAlertLines alerts={alerts} />
      <div className={classes.figures}>
        <section aria-label="Messages">
          <h2>Messages</h2>
          <p>{isKnown ? <Quantity value={rates?.messagesPerSecond} unit="msg/s" format={formatRate} /> : null}</p>
          <div>{line("messages", PIPELINE_COLORS.messages, "Messages per second")}</div>
        </section>
        <section aria-label="Readings">
          <h2>Readings</h2>
          <p>{isKnown ? <Quantity value={rates?.readingsPerSecond} unit="/s" format={formatRate} /> : null}</p>
          <div>{line("readings", PIPELINE_COLORS.readings, "Readings per second")}</div>
        </section>
        <section aria-label="Lag">
          <h2>Lag</h2>
          <p>{isKnown ? <Quantity value={pipeline?.lag} unit="msg" format={formatCount} /> : null}</p>
          <div>{pipeline ? lagNote(pipeline) : null}</div>
        </section>
        <section aria-label="End-to-end latency">
          <h2>Latency, median</h2>
          <p>
            {isKnown ? (
              <Duration text={typeof rates?.latencyP50Ms === "number" ? formatDuration(rates.latencyP50Ms) : null} />
            ) : null}
          </p>
          <div>
            {typeof rates?.latencyP99Ms === "number"
              ? `p99 ${formatDuration(rates.latencyP99Ms)}`
              : isKnown
                ? "p99 unknown"
                : ""}
          </div>
        </section>
      </div>
      <div className={classes.below}>
        <WallDevices devices={pipeline?.devices} />
        {pinned.length > 0 ? (
          <WallViews views={pinned} rows={hasAlerts ? ROWS_BESIDE_ALERTS : ROWS} />
        ) : (
          <>
            <WallSites />
            <WallQuality />
          </>
        )}
      </div>
    </main>
  );
}

function WallClock() {
  const { zone } = useZone();
  const router = useRouter();
  const now = useNow(1000);
  return (
    <div className={classes.clock}>
      <p>{now > 0 ? formatTick(now, zone, 3_600_000) : ""}</p>
      <div>{now > 0 ? `${formatTick(now, zone, 200 * 86_400_000)}, ${zoneName(zone)}` : ""}</div>
      <ConnectionState />
      <button type="button" className={classes.leave} onClick={() => router.push("/")}>
        Leave the wall view
      </button>
    </div>
  );
}
