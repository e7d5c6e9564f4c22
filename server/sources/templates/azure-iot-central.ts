import { has, NOT_MEASURED, type SourceTemplate } from "./template";

export const azureIotCentral: SourceTemplate = {
  kind: "azure-iot-central",
  title: "Azure IoT Central data export",
  doors: ["http"],
  answer: "webhook",
  sign: "deviceId, enqueuedTime and telemetry",
  mapping: {
    decode: "json",
    when: [{ value: "{messageSource}", equals: ["telemetry", null] }],
    each: { path: "", of: "array", optional: true },
    device: ["{deviceId}"],
    time: [{ from: { path: "enqueuedTime" }, format: "rfc3339" }],
    readings: [{ root: "telemetry" }],
    absent: NOT_MEASURED,
    labels: { application: "{applicationId}", component: "{component}" },
  },
  looksLike: ({ json }) => (has(json, "applicationId", "deviceId", "enqueuedTime") ? 1 : 0),
};
