import type { Dashboard, Panel } from "./dashboards";

/** The data source is chosen in the dashboard; this one is provisioned. */
const SOURCE = { type: "prometheus", uid: "${datasource}" };
const COLUMNS = 24;
const SIZES = { now: { w: 6, h: 4 }, time: { w: 12, h: 8 }, states: { w: 12, h: 8 } } as const;

/** A dashboard as Grafana's JSON model has it (schema 39, Grafana 10 and later). */
export function grafanaModel({ uid, title, about, panels }: Dashboard) {
  let [x, y, rowHeight] = [0, 0, 0];
  return {
    uid,
    title,
    description: about,
    tags: ["fieldwatch"],
    editable: true,
    schemaVersion: 39,
    version: 1,
    refresh: "30s",
    time: { from: "now-6h", to: "now" },
    timezone: "browser",
    graphTooltip: 1,
    links: [{ title: "Fieldwatch", type: "dashboards", tags: ["fieldwatch"], asDropdown: false, keepTime: true }],
    templating: {
      list: [
        { name: "datasource", label: "Data source", type: "datasource", query: "prometheus", current: {}, hide: 0 },
      ],
    },
    panels: panels.map((panel, i) => {
      const { w, h } = SIZES[panel.shows];
      if (x + w > COLUMNS) [x, y, rowHeight] = [0, y + rowHeight, 0];
      const gridPos = { x, y, w, h };
      [x, rowHeight] = [x + w, Math.max(rowHeight, h)];
      return { id: i + 1, gridPos, datasource: SOURCE, ...panelModel(panel) };
    }),
  };
}

function panelModel({ title, about, unit, shows, queries }: Panel) {
  const custom = {
    now: {},
    time: { drawStyle: "line", lineWidth: 1, fillOpacity: 8, showPoints: "never", spanNulls: false },
    states: { drawStyle: "line", lineInterpolation: "stepAfter", lineWidth: 2, fillOpacity: 0, showPoints: "never" },
  }[shows];
  return {
    title,
    description: about,
    type: shows === "now" ? "stat" : "timeseries",
    fieldConfig: { defaults: { unit, min: 0, custom }, overrides: [] },
    options:
      shows === "now"
        ? { reduceOptions: { calcs: ["lastNotNull"], values: false }, colorMode: "none", graphMode: "area" }
        : { legend: { displayMode: "list", placement: "bottom" }, tooltip: { mode: "multi", sort: "desc" } },
    targets: queries.map(([expr, legendFormat], i) => {
      const refId = String.fromCharCode("A".charCodeAt(0) + i);
      return {
        ...{ refId, datasource: SOURCE, expr, legendFormat, ...(shows === "now" && { instant: true }) },
        // The dots from which the trace of a request is a click away.
        ...(shows === "time" && expr.includes("_bucket") && { exemplar: true }),
      };
    }),
  };
}
