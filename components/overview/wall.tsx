"use client";
import { readable } from "@/server/domain/readable";
import { useRouter } from "next/navigation";
import { useContext, useEffect, useEffectEvent, useLayoutEffect, useMemo, useState } from "react";
import { useQuery } from "@tanstack/react-query";
import { useSeesAll } from "../queries/access";
import { fleetSummaryQuery } from "../queries/devices";
import { qualityQuery } from "../queries/overview";
import { ConnectionState } from "../shell/connection";
import { OfAllSites } from "../shell/of-all-sites";
import { ShellContext } from "../shell/shell-context";
import { tabTitle, useTabTitle } from "../shell/tab-title";
import { useIsStale } from "../shell/connection";
import { useTrouble } from "../shell/verdict";
import { Age } from "../ui/age";
import { useNow } from "../ui/clock";
import { formatCount, formatDuration, formatRate, formatTick, formatTotal, zoneName } from "../ui/format";
import { isKeyTaken } from "../ui/key-target";
import { Duration, Quantity } from "../ui/quantity";
import { Since } from "../ui/since";
import { Sparkline } from "../ui/sparkline";
import { DeviceMark, MarkShape } from "../ui/state-mark";
import { PIPELINE_COLORS } from "../ui/theme";
import { Spoken } from "../ui/spoken";
import { useZone } from "../ui/zone";
import { sentence, useHero } from "./hero";
import { lagNote } from "./lag-note";
import { useOverview } from "./overview";
import { share } from "../queries/quality-counts";
import { inTroubleOrder, overdueOf } from "./site-order";
import { WHOLE_FLEET } from "./sites";
import { StateBar } from "./states";
import { trend } from "./trend";
import classes from "./wall.module.css";

const STATES = ["silent", "stale", "new", "live"] as const;
/** Sites that fit beside the rest. */
const SITES = 5;
/** The time for which the pointer and the way out are shown after a move, in milliseconds. */
const IDLE_MS = 3000;
const SCHEME = "data-mantine-color-scheme";

/** The overview for a screen on the wall: what is read from 4 m, and nothing else. Always dark, never scrolls. */
export function Wall() {
  // Not even the frame of a page is shown until it is known.
  if (useSeesAll() === null) return null;
  return (
    <OfAllSites title="Overview on a wall" what="Seeing the overview of a wall">
      <Whole />
    </OfAllSites>
  );
}

function Whole() {
  const { pipeline } = useOverview();
  const hero = useHero();
  const { data: quality } = useQuery(qualityQuery());
  const { data: fleet } = useQuery(fleetSummaryQuery(WHOLE_FLEET));
  const isIdle = useBareAndIdle();
  const points = useMemo(() => (pipeline ? trend(pipeline.history, Date.parse(pipeline.time)) : []), [pipeline]);
  const line = (key: "messages" | "readings" | "latencyP99Ms", color: string, label: string) => (
    <Sparkline values={points.map((point) => point[key])} color={color} label={`${label} over the last 15 minutes`} />
  );
  const rates = pipeline?.rates;
  const sites = inTroubleOrder(fleet?.sites ?? []);
  const isStale = useIsStale();
  return (
    <main className={classes.wall} data-idle={isIdle || undefined} data-stale={isStale || undefined}>
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
          </p>
        </div>
        <WallClock />
      </header>
      <div className={classes.figures}>
        <section aria-label="Messages">
          <h2>Messages</h2>
          <p>{rates ? <Quantity value={rates.messagesPerSecond} unit="msg/s" format={formatRate} /> : null}</p>
          <div>{line("messages", PIPELINE_COLORS.messages, "Messages per second")}</div>
        </section>
        <section aria-label="Readings">
          <h2>Readings</h2>
          <p>{rates ? <Quantity value={rates.readingsPerSecond} unit="/s" format={formatRate} /> : null}</p>
          <div>{line("readings", PIPELINE_COLORS.readings, "Readings per second")}</div>
        </section>
        <section aria-label="Lag">
          <h2>Lag</h2>
          <p>{pipeline ? <Quantity value={pipeline.lag} unit="msg" format={formatCount} /> : null}</p>
          <div>{pipeline ? lagNote(pipeline) : null}</div>
        </section>
        <section aria-label="End-to-end latency">
          <h2>Latency, median</h2>
          <p>
            {rates ? <Duration text={rates.latencyP50Ms === null ? null : formatDuration(rates.latencyP50Ms)} /> : null}
          </p>
          <div>
            {typeof rates?.latencyP99Ms === "number" ? `p99 ${formatDuration(rates.latencyP99Ms)}` : "p99 unknown"}
          </div>
        </section>
      </div>
      <div className={classes.below}>
        <section aria-label="Devices" className={classes.devices}>
          <h2>Devices</h2>
          {pipeline ? <StateBar devices={pipeline.devices} /> : null}
          <ul>
            {STATES.map((state) => (
              <li key={state} data-none={pipeline?.devices[state] === 0 || undefined}>
                <b>{pipeline ? formatTotal(pipeline.devices[state]) : ""}</b>
                <DeviceMark state={state} />
              </li>
            ))}
          </ul>
        </section>
        <section aria-label="Sites" className={classes.table}>
          <h2>Sites, overdue first</h2>
          <ul>
            {fleet && sites.length === 0 ? <li>None named yet</li> : null}
            {sites.slice(0, SITES).map((site) => (
              <li key={site.name} data-overdue={overdueOf(site) > 0 || undefined}>
                <span>{readable(site.name)}</span>
                <b>
                  {overdueOf(site) > 0
                    ? `${formatTotal(overdueOf(site))} of ${formatTotal(site.devices)} overdue`
                    : `${formatTotal(site.devices)} live`}
                </b>
              </li>
            ))}
          </ul>
        </section>
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
      </div>
    </main>
  );
}

const QUALITY = {
  repeats: "Repeats",
  conflicts: "Conflicts",
  late: "Late",
  refused: "Refused",
  deadLetters: "Dead letters",
} as const;

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

/** Takes the navigation away and the screen dark while this is shown; true while nobody moves the pointer. */
function useBareAndIdle(): boolean {
  const { goBare, arrive } = useContext(ShellContext);
  const router = useRouter();
  const [isIdle, setIdle] = useState(true);
  const { failing, hasAnswer } = useTrouble();
  useTabTitle(tabTitle("Wall", failing, hasAnswer));
  useLayoutEffect(() => goBare(), [goBare]);
  useEffect(() => void arrive(), [arrive]);
  useLayoutEffect(() => {
    const root = document.documentElement;
    const before = root.getAttribute(SCHEME);
    const darken = () => {
      if (root.getAttribute(SCHEME) !== "dark") root.setAttribute(SCHEME, "dark");
    };
    darken();
    // The component library writes it again when it starts, and when the system's scheme changes.
    const watch = new MutationObserver(darken);
    watch.observe(root, { attributeFilter: [SCHEME] });
    return () => {
      watch.disconnect();
      if (before !== null) root.setAttribute(SCHEME, before);
    };
  }, []);
  const leave = useEffectEvent((event: KeyboardEvent) => {
    if (event.key === "Escape" && !event.defaultPrevented && !isKeyTaken(event)) router.push("/");
  });
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const moved = () => {
      setIdle(false);
      clearTimeout(timer);
      timer = setTimeout(() => setIdle(true), IDLE_MS);
    };
    const pressed = (event: KeyboardEvent) => {
      leave(event);
      if (event.key === "Tab") moved();
    };
    window.addEventListener("pointermove", moved);
    window.addEventListener("keydown", pressed);
    return () => {
      clearTimeout(timer);
      window.removeEventListener("pointermove", moved);
      window.removeEventListener("keydown", pressed);
    };
  }, []);
  return isIdle;
}
