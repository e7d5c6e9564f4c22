"use client";
import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import type { DeviceView } from "@/server/contracts/devices";
import type { ExploreAnswer, ExploreSeries } from "@/server/contracts/explore";
import { counted } from "@/server/domain/counted";
import { readable } from "@/server/domain/readable";
import { toStretches } from "../live/series";
import { exploreQuery, readExplore } from "../queries/explore";
import { namedDevicesQuery, PINNED_EVERY_MS } from "../queries/pinned";
import { Age } from "../ui/age";
import { useClock, useNow } from "../ui/clock";
import { isBehind, useDeviceState } from "../ui/device-state";
import { formatEdge, formatMetric, zoneName } from "../ui/format";
import { Quantity } from "../ui/quantity";
import { rangeOf, stretchIn } from "../ui/ranges";
import { rangeOf as valuesRange } from "../ui/sparkline-path";
import { DeviceMark } from "../ui/state-mark";
import { lineColor, metricColor } from "../ui/theme";
import { shareOf } from "../ui/value-scale";
import { useZone } from "../ui/zone";
import { type PinnedProps, PinnedTile, troubleOf } from "./pinned-tile";
import classes from "./pinned.module.css";

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;
/** The last value of a site or type is old when none of its devices had a reading for so long, and for two steps. */
const GROUP_OLD_MS = 5 * MINUTE_MS;
/** The drawing's own units: it is stretched to the tile. */
const [WIDTH, HEIGHT] = [400, 100];

/** A pinned view of Explore: its lines over its range, and the last value of each. */
export function PinnedExplore({ view, rows, tools }: PinnedProps) {
  const { zone } = useZone();
  const address = new URLSearchParams(view.query);
  const wanted = readExplore(address);
  const now = useNow(MINUTE_MS);
  const stretch = stretchIn(address, now, zoneName(zone));
  const range = stretch ?? { spanMs: rangeOf(address.get("range")).ms ?? HOUR_MS };
  const { data, error } = useQuery({
    ...exploreQuery(wanted, range),
    enabled: now > 0 && wanted.metric !== null,
    refetchInterval: stretch === null ? PINNED_EVERY_MS : false,
  });
  const off = new Set(address.getAll("off"));
  const answer = data?.answer;
  const series = (answer?.series ?? []).filter(({ id, figures }) => !off.has(id) && figures.count > 0);
  return (
    <PinnedTile view={view} figure={wanted.metric} trouble={troubleOf(error)} tools={tools}>
      {answer && data ? (
        <>
          <Lines answer={answer} series={series} from={data.from} to={data.to} />
          <p className={classes.span}>
            <span>{formatEdge(data.from, zone, data.to - data.from, now)}</span>
            <span>{stretch === null ? "now" : formatEdge(data.to, zone, data.to - data.from, now)}</span>
          </p>
          <Last
            answer={answer}
            series={series}
            most={Math.max(1, rows - 3)}
            isOfNow={stretch === null || stretch.to > now}
          />
        </>
      ) : null}
    </PinnedTile>
  );
}

interface LinesProps {
  readonly answer: ExploreAnswer;
  readonly series: readonly ExploreSeries[];
  readonly from: number;
  readonly to: number;
}

/** The lines, or of many series how they lie together, without axes: the highest and the lowest value stand at its edges. */
function Lines({ answer, series, from, to }: LinesProps) {
  const { band, bucketMs } = answer;
  const kind = answer.by === "device" ? answer.kind : "number";
  const lines = series.map(({ id, points, held }, i) => {
    const steps = (points ?? []).map(([time, count, mean, min, max, last]) => ({ time, count, mean, min, max, last }));
    return {
      id,
      color: lineColor(answer, i, answer.series.length),
      stretches: toStretches(
        { points: steps, bucketMs, kind, before: held?.before ?? null },
        from,
        to,
        held?.until ?? null,
      ),
    };
  });
  const spread = answer.shape === "strips" && band ? band.points : [];
  const values = [
    ...lines.flatMap(({ stretches }) => stretches.flat().map(({ value }) => value)),
    ...spread.flatMap(([, , low, , high]) => [low, high]),
  ];
  if (values.length === 0) return <p className={classes.none}>No reading in this time.</p>;
  const [min, max] = valuesRange(values);
  const x = (time: number) => (((time - from) / (to - from)) * WIDTH).toFixed(1);
  const y = (value: number) => ((1 - shareOf(value, { min, max })) * HEIGHT).toFixed(1);
  const path = (points: readonly (readonly [number, number])[]) =>
    points.map(([time, value], i) => `${i === 0 ? "M" : "L"}${x(time)} ${y(value)}`).join("");
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const short = (value: number) => formatMetric(value, answer.decimals);
  return (
    <div className={classes.chart}>
      <svg
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={`${answer.metric}, ${counted(answer.series.length, "series", "series")}, from ${short(low)} to ${short(high)}`}
      >
        {spread.length > 0 ? (
          <>
            <path
              d={`${path(spread.map(([time, , p10]) => [time, p10]))}${path([...spread].reverse().map(([time, , , , p90]) => [time, p90])).replace("M", "L")}Z`}
              fill={metricColor(answer.metric, answer.color)}
              opacity="0.2"
            />
            <path
              d={path(spread.map(([time, , , median]) => [time, median]))}
              fill="none"
              stroke={metricColor(answer.metric, answer.color)}
              vectorEffect="non-scaling-stroke"
            />
          </>
        ) : null}
        {lines.map(({ id, color, stretches }) => (
          <path
            key={id}
            // A lone point is a line of no length, which a round end makes a dot of.
            d={stretches
              .map(
                (points) =>
                  `${path(points.map(({ time, value }) => [time, value]))}${points.length === 1 ? "h0.1" : ""}`,
              )
              .join("")}
            fill="none"
            stroke={color}
            strokeLinecap="round"
            strokeLinejoin="round"
            vectorEffect="non-scaling-stroke"
          />
        ))}
      </svg>
      <span className={classes.high}>{short(high)}</span>
      <span className={classes.low}>{short(low)}</span>
    </div>
  );
}

interface LastProps {
  readonly answer: ExploreAnswer;
  readonly series: readonly ExploreSeries[];
  readonly most: number;
  /** True where the stretch goes on to now: the last values are then read as those of now. */
  readonly isOfNow: boolean;
}

/** The last value of the first series, and how many there are more. */
function Last({ answer, series, most, isOfNow }: LastProps) {
  const left = series.length - most;
  const shown = series.slice(0, most);
  const isOfDevices = answer.by === "device" && isOfNow;
  const { data: devices } = useQuery(namedDevicesQuery(isOfDevices ? shown.map(({ name }) => name ?? "") : []));
  return (
    <ul className={classes.last}>
      {shown.map(({ id, name, unit, figures }, i) => (
        <li key={id}>
          {answer.shape === "lines" ? (
            <i style={{ background: lineColor(answer, i, answer.series.length) }} aria-hidden="true" />
          ) : null}
          <span className={classes.what}>{name === null ? `no ${answer.by}` : readable(name)}</span>
          <LastValue
            device={isOfDevices ? devices?.find((device) => device.id === name) : undefined}
            groupAt={isOfNow && !isOfDevices ? figures.lastAt : null}
            stepMs={answer.bucketMs}
          >
            <Quantity value={figures.last} unit={unit} format={(figure) => formatMetric(figure, answer.decimals)} />
          </LastValue>
        </li>
      ))}
      {left > 0 ? <li className={classes.more}>{counted(left, "more series", "more series")}</li> : null}
    </ul>
  );
}

interface LastValueProps {
  /** The device it is of; undefined for a site's or a type's, and while it isn't known. */
  readonly device: DeviceView | undefined;
  /** When any device of a site or type had its newest reading, epoch milliseconds; null where that tells nothing. */
  readonly groupAt: number | null;
  /** The width of a step of the lines. */
  readonly stepMs: number;
  readonly children: ReactNode;
}

/** A last value, which looks old and says how old where its device is overdue, or where none of its devices had a reading for a while. */
function LastValue({ device, groupAt, stepMs, children }: LastValueProps) {
  const state = useDeviceState(device);
  const isOldGroup = useClock((now) => groupAt !== null && now - groupAt > Math.max(GROUP_OLD_MS, 2 * stepMs)) ?? false;
  const isOld = isBehind(state) || isOldGroup;
  const heardAt = device?.lastSeen ?? groupAt;
  return (
    <span className={classes.value} data-behind={isOld || undefined}>
      {children}{" "}
      {isOld && heardAt !== null ? (
        <span className={classes.age}>
          {state === null ? null : <DeviceMark state={state} />} <Age time={heardAt} />
        </span>
      ) : null}
    </span>
  );
}
