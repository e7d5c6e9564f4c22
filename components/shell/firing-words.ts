import type { Alert } from "@/server/contracts/alerts";

/** The verdict on what is firing: "3 firing: 1 critical at north; nobody has acknowledged". @param isMore there are more than these */
export function verdictOf(open: readonly Alert[], isMore = false): string {
  const critical = open.filter(({ severity }) => severity === "critical");
  const told = open.filter(({ acknowledged }) => acknowledged !== null).length;
  const count = `${open.length}${isMore ? " or more" : ""} firing`;
  const worst =
    critical.length === 0
      ? ", none critical"
      : `: ${open.length === 1 ? "" : `${critical.length} `}critical${placesOf(critical)}`;
  const rest = open.length - told;
  const looked = told === 0 ? "nobody has acknowledged" : rest === 0 ? "all acknowledged" : `${rest} not acknowledged`;
  return `${count}${worst}; ${open.length === 1 && told === 1 ? "acknowledged" : looked}`;
}

function placesOf(alerts: readonly Alert[]): string {
  const sites = [...new Set(alerts.map(({ site }) => site))].filter((site) => site !== null);
  if (sites.length === 0) return "";
  return sites.length > 2 ? ` at ${sites.length} sites` : ` at ${sites.join(" and ")}`;
}

/** The mark of all that fires together: that of an alert nobody looks after, if there is one. */
export function firingMark(open: readonly Alert[]): "acknowledged" | "failing" | "warning" {
  const unseen = open.filter(({ acknowledged }) => acknowledged === null);
  if (unseen.length === 0) return "acknowledged";
  return unseen.some(({ severity }) => severity === "critical") ? "failing" : "warning";
}
