import type { PipelineAnswer } from "@/server/contracts/pipeline";
import type { StagesStretch } from "@/server/contracts/stages";
import { formatDuration, formatShare } from "../ui/format";
import { Duration } from "../ui/quantity";
import { Section } from "../ui/section";
import { STAGE_COLORS } from "../ui/theme";
import { STAGE_NAMES, timeShares } from "./charts-data";
import classes from "./pipeline.module.css";

/** Shows where a message's time goes: its stages as shares of one bar. */
export function TimeShares({ minute, rates }: { minute: StagesStretch; rates: PipelineAnswer["rates"] }) {
  const shares = timeShares(minute);
  const stored = shares?.reduce((sum, { stage, ms }) => (stage === "publish" ? sum : sum + ms), 0) ?? 0;
  const total = shares?.reduce((sum, { ms }) => sum + ms, 0) ?? 0;
  return (
    <Section
      title="Where a message's time goes"
      aside={
        <span className={classes.note}>
          {rates.latencyP50Ms === null || rates.latencyP99Ms === null ? null : (
            <>
              ingest to stored: median <Duration text={formatDuration(rates.latencyP50Ms)} />, p99{" "}
              <Duration text={formatDuration(rates.latencyP99Ms)} />
            </>
          )}
        </span>
      }
    >
      {shares === null || total === 0 ? (
        <p className={classes.note}>No message was handled in the last minute.</p>
      ) : (
        <>
          <div className={classes.bar} aria-hidden="true">
            {shares.map(({ stage, ms }) => (
              <i
                key={stage}
                title={`${STAGE_NAMES[stage]}: ${formatDuration(ms)}`}
                style={{ flexGrow: ms / total, background: STAGE_COLORS[stage] }}
              />
            ))}
          </div>
          <ul className={classes.shares} aria-label="Shares of a message's time, on average over the last minute">
            {shares.map(({ stage, ms }) => (
              <li key={stage}>
                <i style={{ background: STAGE_COLORS[stage] }} aria-hidden="true" />
                {STAGE_NAMES[stage]} <Duration text={formatDuration(ms)} /> <small>{formatShare(ms / total)}</small>
              </li>
            ))}
            <li>
              Stored after <Duration text={formatDuration(stored)} />
              <small>, sent to browsers after </small>
              <Duration text={formatDuration(total)} />
              <small>, on average over the last minute</small>
            </li>
          </ul>
        </>
      )}
    </Section>
  );
}
