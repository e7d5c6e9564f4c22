import type { PipelineAnswer } from "@/server/contracts/pipeline";
import { formatCount } from "../ui/format";
import { Quantity } from "../ui/quantity";
import classes from "./overview.module.css";

/** How far each partition of the event log has been handled, and by whom. */
export function Partitions({ partitions }: { partitions: PipelineAnswer["partitions"] }) {
  if (partitions.length === 0) return <p className={classes.note}>The partitions are unknown.</p>;
  return (
    <div className={classes.scroll}>
      <table className={classes.partitions}>
        <thead>
          <tr>
            <th scope="col">Partition</th>
            <th scope="col">End</th>
            <th scope="col">Lag</th>
            <th scope="col">Worker</th>
          </tr>
        </thead>
        <tbody>
          {partitions.map(({ topic, partition, end, lag, owner }) => (
            <tr key={`${topic} ${partition}`}>
              <td title={`${topic}, partition ${partition}`}>{partition}</td>
              <td>
                <Quantity value={end} format={formatCount} />
              </td>
              <td>
                <Quantity value={lag} format={formatCount} />
              </td>
              <td title={owner ?? "No worker reads this partition"}>{owner?.split(" ").at(-1) ?? <em>none</em>}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
