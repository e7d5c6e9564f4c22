import { at, NOT_MEASURED, type SourceTemplate } from "./template";

const TELEMETRY = "Microsoft.Devices.DeviceTelemetry";

export const azureEventGrid: SourceTemplate = {
  kind: "azure-event-grid",
  title: "Azure IoT Hub through Event Grid",
  doors: ["http"],
  answer: "webhook",
  sign: "an event of Microsoft.Devices",
  mapping: {
    decode: "event-grid",
    // eventType in Event Grid's own schema, type in that of CloudEvents.
    when: [
      { value: "{eventType}", equals: [TELEMETRY, null] },
      { value: "{type}", equals: [TELEMETRY, null] },
    ],
    device: ["{data.systemProperties.iothub-connection-device-id}"],
    time: [
      "data.systemProperties.iothub-creation-time-utc",
      "data.systemProperties.iothub-enqueuedtime",
      "eventTime",
      "time",
    ].map((path) => ({ from: { path }, format: "rfc3339" as const })),
    readings: [{ root: "data.body" }],
    absent: NOT_MEASURED,
  },
  looksLike({ json }) {
    const type = at(json, "eventType") ?? at(json, "type");
    return typeof type === "string" && type.startsWith("Microsoft.Devices.") ? 1 : 0;
  },
};
