import { at, has, isObject, type SourceTemplate } from "./template";

const unit = (metric: string, of: string) => ({ metric, from: { unit: of } });

export const enviro: SourceTemplate = {
  kind: "enviro",
  title: "Pimoroni Enviro (Pico W)",
  doors: ["http", "mqtt"],
  answer: "webhook",
  sign: "nickname, uid and readings",
  mapping: {
    decode: "json",
    device: ["{nickname}", "{uid}"],
    time: [{ from: { path: "timestamp" }, format: "rfc3339" }],
    readings: [{ root: "readings" }],
    units: [
      unit("temperature", "°C"),
      unit("humidity", "%"),
      unit("pressure", "hPa"),
      unit("luminance", "lx"),
      unit("color_temperature", "K"),
      unit("wind_speed", "m/s"),
      unit("rain", "mm"),
      unit("rain_per_second", "mm/s"),
      unit("moisture_*", "%"),
      unit("pm*", "µg/m³"),
      unit("voltage", "V"),
    ],
    labels: { type: "{model}", uid: "{uid}" },
  },
  looksLike: ({ json }) => (has(json, "nickname", "readings") && isObject(at(json, "readings")) ? 0.95 : 0),
};
