import { has, levelsOf, type SourceTemplate } from "./template";

const unit = (metric: string, of: string) => ({ metric, from: { unit: of } });

/** mqtt-all.py of Enviro+: it has no time, and no name but the serial number of later versions. Its pressure is in Pa, its gases in kΩ. */
export const enviroplus: SourceTemplate = {
  kind: "enviroplus",
  title: "Pimoroni Enviro+ (mqtt-all.py)",
  doors: ["mqtt", "mqtt-bridge"],
  answer: "webhook",
  sign: "topic enviroplus, or oxidised, reduced and nh3",
  mapping: {
    decode: "json",
    device: ["{serial}", "{topic}"],
    readings: [{ root: "" }],
    units: [
      unit("temperature", "°C"),
      unit("humidity", "%"),
      unit("pressure", "Pa"),
      unit("lux", "lx"),
      unit("oxidised", "kΩ"),
      unit("reduced", "kΩ"),
      unit("nh3", "kΩ"),
      unit("pm*", "µg/m³"),
    ],
  },
  looksLike: (seen) =>
    levelsOf(seen).join("/") === "enviroplus" || has(seen.json, "oxidised", "reduced", "nh3") ? 0.95 : 0,
};
