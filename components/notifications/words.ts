import type { ChannelView, RouteView } from "@/server/contracts/notifications";
import { counted } from "@/server/domain/counted";
import { formatDuration, formatMinutes } from "@/server/domain/duration";
import type { Matcher } from "@/server/domain/notifications/matcher";
import type { Mark } from "../ui/state-mark";

const list = new Intl.ListFormat("en", { style: "long", type: "conjunction" });
const either = new Intl.ListFormat("en", { style: "long", type: "disjunction" });

/** Things in a row: "Slack and On-call". */
export function listed(names: readonly string[]): string {
  return list.format(names);
}

/** How a channel does. */
export function channelState(channel: ChannelView): { readonly mark: Mark; readonly word: string } {
  if (!channel.enabled) return { mark: "unknown", word: "Off" };
  if (channel.failingSince !== null) return { mark: "failing", word: "Failing" };
  return channel.lastOkAt === null ? { mark: "unknown", word: "Not used yet" } : { mark: "ok", word: "OK" };
}

/** The page in a sentence: who is told of nothing, and what isn't taken. */
export function channelsVerdict(
  channels: readonly ChannelView[],
  routes: readonly RouteView[],
  now: number,
): { readonly mark: Mark; readonly text: string } {
  const failing = channels.filter(({ enabled, failingSince }) => enabled && failingSince !== null);
  const reached = new Set(channels.filter(({ enabled }) => enabled).map(({ id }) => id));
  const live = routes.filter((route) => route.enabled && route.channels.some((id) => reached.has(id)));
  if (failing.length > 0) {
    const waiting = failing.reduce((sum, one) => sum + one.waiting, 0);
    const since = Math.min(...failing.map(({ failingSince }) => Date.parse(failingSince!)));
    const away = `${listed(failing.map(({ name }) => name))} ${failing.length === 1 ? "has" : "have"} taken nothing for ${formatMinutes(now - since)}`;
    return {
      mark: "failing",
      text: `${away}; ${waiting === 0 ? "no message waits" : `${counted(waiting, "message waits", "messages wait")} and nothing is lost`}.`,
    };
  }
  if (live.length === 0)
    return {
      mark: "warning",
      text:
        routes.length === 0
          ? "Nobody is told of any alert: no route says who."
          : "Nobody is told of any alert: every route is off, or its channels are.",
    };
  const rest = live.some(({ matchers }) => matchers.length === 0);
  const told = `${counted(live.length, "route")} to ${counted(reached.size, "channel")}, none in trouble`;
  return rest
    ? { mark: "ok", text: `${told}; every alert reaches somebody.` }
    : { mark: "warning", text: `${told}; of alerts that no route takes, nobody is told.` };
}

/** Which alerts matchers mean, to begin a sentence: "Critical at north", "Every alert". */
export function coveredWords(matchers: readonly Matcher[]): string {
  const order = ["severity", "rule", "device", "type", "metric", "site", "label"];
  const sorted = [...matchers].sort((a, b) => order.indexOf(a.field) - order.indexOf(b.field));
  const text = sorted.map(wordsOf).join(" ");
  if (text === "") return "Every alert";
  const whole = sorted[0]!.field === "severity" && sorted[0]!.is === "is" ? text : `all ${text}`;
  return whole.charAt(0).toUpperCase() + whole.slice(1);
}

function wordsOf({ field, key, is, values }: Matcher): string {
  const names = either.format(values);
  const not = is === "not" ? "not " : "";
  switch (field) {
    case "severity":
      return `${not}${names}`;
    case "site":
      return `${not}at ${names}`;
    case "rule":
      return `${not}by the rule ${names}`;
    case "device":
      return `${not}of ${names}`;
    case "type":
      return `${not}of the type ${names}`;
    case "metric":
      return `${not}about ${names}`;
    case "label":
      return `with ${key} ${is === "not" ? "not " : ""}${names}`;
  }
}

type Said = Pick<
  RouteView,
  "matchers" | "channels" | "groupBy" | "waitMs" | "intervalMs" | "repeatMs" | "resolved" | "late" | "escalate"
>;

/** A route in a sentence, in two parts: which alerts, and what becomes of them. @param nameOf the name of a channel */
export function routeWords(
  route: Said,
  nameOf: (id: number) => string,
): { readonly of: string; readonly then: string } {
  const { channels, groupBy, waitMs, repeatMs, resolved, late, escalate } = route;
  const parts = [
    groupBy.length === 0 ? "all in one message" : `grouped by ${listed(groupBy)}`,
    waitMs === 0 ? "at once" : `after ${formatDuration(waitMs)}`,
    repeatMs === null ? "told once" : `again every ${formatDuration(repeatMs)}`,
    ...(resolved ? [] : ["not when it is over"]),
    ...(late ? [] : ["not what comes to light later"]),
  ];
  const also =
    escalate === null
      ? ""
      : `; also ${listed(escalate.channels.map(nameOf))} after ${formatDuration(escalate.afterMs)} unacknowledged`;
  return {
    of: coveredWords(route.matchers),
    then: `${channels.map(nameOf).join(", ") || "nobody yet"}; ${parts.join(", ")}${also}`,
  };
}

/** A length to be read, not measured: whole seconds below a minute, then whole minutes, then as it is. */
function roughly(ms: number): number {
  const step = ms < 60_000 ? 1000 : ms < 3_600_000 ? 60_000 : 3_600_000;
  return Math.max(step, Math.floor(ms / step) * step);
}

/** What is over soon or later, in rough words: "5 h", "12 min". */
export function leftWords(ms: number): string {
  return formatDuration(roughly(ms));
}

/** A window's recurrence in words where it is a plain one, else its cron expression. */
export function recurrenceWords(cron: string, minutes: number): string {
  const [minute = "", hour = "", day = "", month = "", weekday = ""] = cron.trim().split(/\s+/);
  const lasts = `for ${formatDuration(minutes * 60_000)}`;
  const two = (text: string) => text.padStart(2, "0");
  if (/^\d+$/.test(minute) && [hour, day, month, weekday].every((part) => part === "*"))
    return `Each hour at :${two(minute)} ${lasts}`;
  if (!/^\d+$/.test(minute) || !/^\d+$/.test(hour) || day !== "*" || month !== "*") return `${cron}, ${lasts}`;
  const at = `at ${two(hour)}:${two(minute)} ${lasts}`;
  if (weekday === "*") return `Each day ${at}`;
  if (weekday === "1-5") return `Monday to Friday ${at}`;
  const days = weekday.split(",").map((one) => WEEKDAYS[Number(one) % 7]);
  return days.every((one) => one !== undefined) ? `Each ${listed(days)} ${at}` : `${cron}, ${lasts}`;
}

const WEEKDAYS: readonly (string | undefined)[] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"]; // prettier-ignore
