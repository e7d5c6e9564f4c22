import { Button } from "@mantine/core";
import type { OddGroup } from "@/server/contracts/odd";
import { counted } from "@/server/domain/counted";
import { readable } from "@/server/domain/readable";
import { toSegment } from "@/server/domain/segment";
import { Link } from "../ui/link";
import { Since } from "../ui/since";
import classes from "./odd.module.css";

interface OddGroupsProps {
  readonly groups: readonly OddGroup[];
  /** Changes the address. */
  readonly change: (changes: Record<string, string | null>) => void;
}

/** What is odd at once, of a device or of much of a site: one row each, which leads to its series. */
export function OddGroups({ groups, change }: OddGroupsProps) {
  return (
    <ol className={classes.rows} aria-label="Odd at once">
      {groups.map(({ site, device, odd, of, from, sentence }) => (
        <li key={`${site} ${device}`} className={classes.group}>
          <div className={classes.name}>
            {device === null ? (
              <b>{readable(site!)}</b>
            ) : (
              <Link href={`/devices/${toSegment(device)}?range=24h`}>{device}</Link>
            )}
            <small>
              {device === null || site === null ? "" : `${readable(site)} · `}since <Since time={from} />
            </small>
          </div>
          <div className={classes.share}>
            <b>{odd}</b> of {counted(of, "series", "series")}
          </div>
          <p>{sentence}</p>
          <Button
            size="compact-xs"
            variant="default"
            onClick={() => change(device === null ? { site } : { device, state: null })}
          >
            Show them
          </Button>
        </li>
      ))}
    </ol>
  );
}
