"use client";
import { Autocomplete, SegmentedControl, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import type { RouteCheck } from "@/server/contracts/notifications";
import { sitesQuery } from "../queries/device";
import { metricsQuery } from "../queries/metrics";
import { routeCheckQuery } from "../queries/notifications";
import { saidOf } from "../queries/request";
import { Section } from "../ui/section";
import { StateMark } from "../ui/state-mark";
import classes from "./notifications.module.css";
import { listed } from "./words";

const TYPING_MS = 250;
const EMPTY = { rule: "", site: "", type: "", device: "", metric: "", labels: "" };

/** Who would be told of an alert that might be, and why nobody. */
export function Tester() {
  const { data: sites } = useQuery(sitesQuery());
  const { data: metrics } = useQuery(metricsQuery());
  const [said, setSaid] = useState(EMPTY);
  const [severity, setSeverity] = useState<"warning" | "critical">("critical");
  const [asked] = useDebouncedValue(said, TYPING_MS);
  const check = useQuery(routeCheckQuery(bodyOf(asked, severity)));
  const set = (part: keyof typeof EMPTY) => (text: string) => setSaid({ ...said, [part]: text });
  return (
    <Section title="Who’d be told of …?">
      <div className={classes.tester}>
        <SegmentedControl
          aria-label="Severity"
          size="xs"
          data={[
            { value: "critical", label: "Critical" },
            { value: "warning", label: "Warning" },
          ]}
          value={severity}
          onChange={(value) => setSeverity(value as typeof severity)}
        />
        <Autocomplete
          label="Site"
          placeholder="none"
          data={sites ? [...sites] : []}
          value={said.site}
          onChange={set("site")}
          maxLength={128}
        />
        <TextInput
          label="Device"
          placeholder="none"
          value={said.device}
          onChange={(event) => set("device")(event.currentTarget.value)}
          maxLength={128}
        />
        <TextInput
          label="Type"
          placeholder="none"
          value={said.type}
          onChange={(event) => set("type")(event.currentTarget.value)}
          maxLength={128}
        />
        <Autocomplete
          label="Metric"
          placeholder="none"
          data={metrics?.items.map(({ name }) => name) ?? []}
          value={said.metric}
          onChange={set("metric")}
          maxLength={128}
        />
        <TextInput
          label="Rule"
          placeholder="none"
          value={said.rule}
          onChange={(event) => set("rule")(event.currentTarget.value)}
          maxLength={128}
        />
        <TextInput
          label="Labels"
          placeholder="line=7, hall=b"
          value={said.labels}
          onChange={(event) => set("labels")(event.currentTarget.value)}
        />
      </div>
      <div role="status" className={classes.told}>
        {check.error ? saidOf(check.error) : check.data ? <Outcome check={check.data} /> : "Looking…"}
      </div>
    </Section>
  );
}

/** What the form asks; what is left empty the alert doesn't have. */
function bodyOf({ labels, ...parts }: typeof EMPTY, severity: "warning" | "critical") {
  const own = Object.entries(parts).map(([part, text]) => [part, text.trim() || null] as const);
  const pairs = labels.split(",").flatMap((one) => {
    const [key = "", ...rest] = one.split("=");
    const value = rest.join("=").trim();
    return key.trim() === "" || value === "" ? [] : [[key.trim(), value] as const];
  });
  return { ...Object.fromEntries(own), severity, labels: Object.fromEntries(pairs) };
}

function Outcome({ check: { route, channels, escalatesTo, muted, passed } }: { check: RouteCheck }) {
  if (route === null)
    return (
      <>
        <StateMark mark="warning" word="Nobody" />: no route takes it.
      </>
    );
  const on = channels.filter(({ enabled }) => enabled).map(({ name }) => name);
  const off = channels.filter(({ enabled }) => !enabled).map(({ name }) => name);
  const also = escalatesTo.filter(({ enabled }) => enabled).map(({ name }) => name);
  return (
    <>
      {muted !== null ? (
        <>
          <StateMark mark="stale" word="Nobody now" />: the {muted.why === "silenced" ? "silence" : "maintenance"} “
          {muted.name}” holds it back.{" "}
        </>
      ) : null}
      {on.length === 0 ? (
        <>
          <StateMark mark="warning" word="Nobody" />: {listed(off)} {off.length === 1 ? "is" : "are"} off.{" "}
        </>
      ) : (
        <>
          <b>{listed(on)}</b>
          {muted === null ? "" : ", otherwise"}
          {also.length > 0 ? `; also ${listed(also)} while nobody acknowledges` : ""}
          {off.length > 0 ? `; not ${listed(off)}, which ${off.length === 1 ? "is" : "are"} off` : ""}.{" "}
        </>
      )}
      <small>
        By the route {route.name}
        {passed.length > 0 ? `, after ${listed(passed)} ${passed.length === 1 ? "doesn’t" : "don’t"} match` : ""}.
      </small>
    </>
  );
}
