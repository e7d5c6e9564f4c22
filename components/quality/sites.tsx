import type { QualityAnswer } from "@/server/contracts/quality";
import { counted } from "@/server/domain/counted";
import { readable } from "@/server/domain/readable";
import { Score } from "../ui/score";
import classes from "./quality.module.css";

interface SitesProps {
  sites: QualityAnswer["sites"];
  chosen: string | null;
  onChoose: (site: string | null) => void;
}

/** Sites by the median of their devices, worst first; one narrows the list to its series. */
export function Sites({ sites, chosen, onChoose }: SitesProps) {
  return (
    <ul className={classes.sites} aria-label="Sites, worst first">
      {sites.map(({ site, series, median, below80, unknown }) => (
        <li key={site ?? ""}>
          <button
            type="button"
            className={classes.site}
            aria-pressed={site !== null && site === chosen}
            disabled={site === null}
            onClick={() => onChoose(site === chosen ? null : site)}
          >
            <span className={classes.siteName}>{site === null ? "no site" : readable(site)}</span>
            <Score score={median} />
            <small>
              {below80 > 0 ? `${counted(below80, "device", "devices")} below 80` : "no device below 80"}
              {unknown > 0 ? ` · ${unknown} unknown` : ""} · {counted(series, "series", "series")}
            </small>
          </button>
        </li>
      ))}
    </ul>
  );
}
