import type { PipelineAnswer } from "@/server/contracts/pipeline";
import { formatCount, formatDuration, formatTotal } from "../ui/format";
import { Duration, Quantity } from "../ui/quantity";
import { Section } from "../ui/section";
import classes from "./pipeline.module.css";

type Progress = Pick<PipelineAnswer["partitions"][number], "lag" | "lagSeconds" | "clearSeconds"> & {
  held?: number;
  isStopped?: boolean;
};

/** Lists the partitions of each topic: how far each has been handled, how long the rest will take, and which worker has it. */
export function Partitions({ pipeline }: { pipeline: PipelineAnswer }) {
  const { partitions, lag, lagSeconds, clearSeconds, incomingPerSecond, workers } = pipeline;
  const topics = [...new Set(partitions.map(({ topic }) => topic))];
  if (topics.length === 0) {
    return (
      <Section title="Partitions">
        <p className={classes.note}>Unknown: the event log cannot be asked. What it has taken is kept there.</p>
      </Section>
    );
  }
  // Only after two looks is it known that what waits doesn't become less.
  const isPaceKnown = incomingPerSecond !== null;
  return topics.map((topic) => {
    const own = partitions.filter((one) => one.topic === topic);
    return (
      <Section
        key={topic}
        title={`Partitions of ${topic}`}
        aside={<span className={classes.note}>{owners(own, workers)}</span>}
      >
        <div className={classes.scroll} role="region" aria-label={`Partitions of ${topic}, table`} tabIndex={0}>
          <table className={classes.table} data-partitions>
            <thead>
              <tr>
                <th scope="col">Partition</th>
                <th scope="col">Waiting</th>
                <th scope="col" title="How long the oldest waiting message has waited">
                  Oldest
                </th>
                <th scope="col" title="Until nothing waits, at the present pace">
                  Clear in
                </th>
                <th scope="col" title="The offset that is handled next">
                  Committed
                </th>
                <th scope="col" title="The offset the next message will get">
                  End
                </th>
                <th scope="col" title="The first offset the log still holds">
                  Start
                </th>
                <th scope="col">Worker</th>
              </tr>
            </thead>
            <tbody>
              {own.map(({ partition, start, end, committed, owner, unreadable, ...progress }) => (
                <tr key={partition}>
                  <th scope="row">{partition}</th>
                  <ProgressCells {...progress} isPaceKnown={isPaceKnown} isStopped={unreadable !== null} />
                  <td>{committed === null ? <em>none yet</em> : formatTotal(committed)}</td>
                  <td>{formatTotal(end)}</td>
                  <td>{formatTotal(start)}</td>
                  <td title={owner ?? "No worker reads this partition"}>{owner ?? <em>none</em>}</td>
                </tr>
              ))}
            </tbody>
            {topics.length === 1 ? (
              <tfoot>
                <tr>
                  <th scope="row">All</th>
                  <ProgressCells
                    {...{ lag, lagSeconds, clearSeconds, isPaceKnown }}
                    isStopped={own.some(({ unreadable }) => unreadable !== null)}
                  />
                  <td />
                  <td>{formatTotal(own.reduce((sum, { end }) => sum + end, 0))}</td>
                  <td />
                  <td />
                </tr>
              </tfoot>
            ) : null}
          </table>
        </div>
      </Section>
    );
  });
}

function ProgressCells({
  lag,
  held = 0,
  lagSeconds,
  clearSeconds,
  isPaceKnown,
  isStopped = false,
}: Progress & { isPaceKnown: boolean }) {
  return (
    <>
      <td title={held > 0 ? `${formatTotal(held)} of them behind an open transaction` : undefined}>
        <Quantity value={lag} format={formatCount} />
      </td>
      <td>{lag === 0 ? "–" : <Duration text={lagSeconds === null ? null : formatDuration(lagSeconds * 1000)} />}</td>
      <td>
        {lag === 0 ? (
          "–"
        ) : isStopped ? (
          <em>stopped</em>
        ) : clearSeconds === null && lag !== null && isPaceKnown ? (
          <em>not shrinking</em>
        ) : (
          <Duration text={clearSeconds === null ? null : formatDuration(clearSeconds * 1000)} />
        )}
      </td>
    </>
  );
}

function owners(partitions: PipelineAnswer["partitions"], workers: number | null): string {
  const without = partitions.filter(({ owner }) => owner === null).length;
  if (workers === null) return "";
  if (without === 0) return "each has a worker";
  return without === partitions.length ? "none has a worker" : `${without} of ${partitions.length} without a worker`;
}
