import { Button } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import type { OddAnswer } from "@/server/contracts/odd";
import { CHANNEL_WORDS } from "@/server/domain/oddness/words";
import { readable } from "@/server/domain/readable";
import { toSegment } from "@/server/domain/segment";
import { useMay } from "../queries/access";
import { useMetricLook } from "../queries/metrics";
import { labelOdd, ODD } from "../queries/odd";
import { formatFactor } from "../ui/format";
import { Link } from "../ui/link";
import { metricColor } from "../ui/theme";
import { Since } from "../ui/since";
import { Sparkline } from "../ui/sparkline";
import { rangeOf } from "../ui/sparkline-path";
import classes from "./odd.module.css";

type Item = OddAnswer["items"][number];

/** Odd series, each with its line and what is usual, why it is odd, and what people say of it. */
export function OddRows({ items, isBusy }: { items: readonly Item[]; isBusy: boolean }) {
  return (
    <ol className={classes.rows} aria-busy={isBusy}>
      {items.map((item) => (
        <Row key={item.id} item={item} />
      ))}
    </ol>
  );
}

function Row({ item }: { item: Item }) {
  const { device, site, metric, from, to, goesOn, channel, sentence, line, band, peak } = item;
  const { title, about } = CHANNEL_WORDS[channel];
  const { color } = useMetricLook(metric);
  return (
    <li className={classes.row}>
      <div className={classes.name}>
        <Link href={`/devices/${toSegment(device)}?metric=${encodeURIComponent(metric)}&range=24h`}>
          {device} · {metric}
        </Link>
        <small>
          {site === null ? "" : `${readable(site)} · `}
          {goesOn ? (
            <>
              since <Since time={from} />
            </>
          ) : (
            <>
              <Since time={from} /> to <Since time={to} />
            </>
          )}
        </small>
      </div>
      <div className={classes.line}>
        <Sparkline
          values={line}
          color={metricColor(metric, color)}
          label={`${metric} of ${device} over twelve hours`}
          range={rangeOf(band ? [...line, ...band] : line)}
          {...(band ? { band } : {})}
        />
      </div>
      <div className={classes.why}>
        <span className={classes.channel} title={about}>
          {title} <b>{peak >= 100 ? "new" : `${formatFactor(peak)} ×`}</b>
        </span>
        <p>{sentence}</p>
      </div>
      <Said item={item} />
    </li>
  );
}

function Said({ item: { id, site, said } }: { item: Item }) {
  const queries = useQueryClient();
  const may = useMay("operate", site);
  const send = useMutation({
    mutationFn: (what: "normal" | "real" | null) => labelOdd(id, what),
    onSuccess: () => queries.invalidateQueries({ queryKey: [ODD] }),
  });
  const button = (label: string, what: "normal" | "real" | null, title: string) => (
    <Button
      size="compact-xs"
      variant="default"
      title={title}
      loading={send.isPending && send.variables === what}
      disabled={send.isPending}
      onClick={() => send.mutate(what)}
    >
      {label}
    </Button>
  );
  return (
    <div className={classes.said}>
      {said ? (
        <>
          <small>
            {said.what === "normal" ? "Normal" : "Real"}, says {said.by}
          </small>
          {may ? button("Take back", null, "What was learned of it is undone") : null}
        </>
      ) : may ? (
        <>
          {button("This is normal", "normal", "It ends, and is usual from now on")}
          {button(
            "This was real",
            "real",
            "Kept; nothing is learned from it, so that it is as odd when it comes again",
          )}
        </>
      ) : null}
      {send.error ? <small role="alert">Nothing was changed: {send.error.message}</small> : null}
    </div>
  );
}
