"use client";
import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { counted } from "@/server/domain/counted";
import { metricUseQuery } from "../queries/metrics";
import { Empty, Failure, Loading } from "../ui/feedback";
import { Link } from "../ui/link";
import classes from "./explore.module.css";

const MOST = 12;

/** Offers the metrics that most devices have, while none is chosen. */
export function FirstChoice({ onChoose }: { onChoose: (metric: string) => void }) {
  const { data, error, refetch, isFetching } = useQuery(metricUseQuery());
  if (error && !data)
    return (
      <Failure
        what="The metrics could not be loaded"
        why={error.message}
        advice="Nothing is lost; this page goes on trying."
        onRetry={() => void refetch()}
        retrying={isFetching}
      />
    );
  if (!data) return <Loading rows={3} height={32} label="Loading the metrics" />;
  const common = data.items.toSorted((a, b) => b.devices - a.devices).slice(0, MOST);
  if (common.length === 0)
    return (
      <Empty action={<Link href="/sources?new=1">Connect a source</Link>}>
        No metric has come from any device yet.
      </Empty>
    );
  return (
    <section className={classes.first} aria-label="Common metrics">
      <p>Choose a metric, and it is shown side by side for all devices, sites or types.</p>
      <ul>
        {common.map(({ name, devices }) => (
          <li key={name}>
            <Button size="xs" variant="default" onClick={() => onChoose(name)}>
              {name}
            </Button>
            <span>{counted(devices, "device")}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}
