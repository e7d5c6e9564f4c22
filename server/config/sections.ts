export { server, frontDoor } from "./sections/front";
export { access, provider } from "./sections/access";
export { engines, eventLog } from "./sections/engines";
export { cold } from "./sections/cold";
export { cost } from "./sections/cost";
export { lineage } from "./sections/lineage";
export { metrics } from "./sections/metrics";
export { pipeline, ingest, intake, simulator } from "./sections/telemetry";
export { tracing } from "./sections/tracing";
