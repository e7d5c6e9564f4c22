import { at, levelsOf, type SourceTemplate } from "./template";

const unit = (metric: string, of: string) => ({ metric, from: { unit: of } });

/** Of what changed alone: a value that isn't there is as it was. */
export const shellyGen2: SourceTemplate = {
  kind: "shelly-gen2",
  title: "Shelly, generation 2 and later",
  doors: ["mqtt", "mqtt-bridge", "http"],
  answer: "webhook",
  sign: "method NotifyStatus",
  mapping: {
    decode: "json",
    when: [{ value: "{method}", equals: ["NotifyStatus", "NotifyFullStatus"] }],
    device: ["{src}"],
    time: [{ from: { path: "params.ts" }, format: "s" }],
    readings: [
      {
        root: "params",
        exclude: [
          "*.id",
          "*.source",
          "*.by_minute.*",
          "*.minute_ts",
          "*.tF",
          "*.errors*",
          "sys.*",
          "cloud.*",
          "mqtt.*",
          "ble.*",
          "ws.*",
          "wifi.ssid",
          "wifi.sta_ip",
          "wifi.status",
        ],
      },
    ],
    units: [
      unit("*.apower", "W"),
      unit("*act_power", "W"),
      unit("*aprt_power", "VA"),
      unit("*voltage", "V"),
      unit("*current", "A"),
      unit("*freq", "Hz"),
      unit("*aenergy.total", "Wh"),
      unit("*act_energy", "Wh"),
      unit("*.total_act", "Wh"),
      unit("*.total_act_ret", "Wh"),
      unit("*.tC", "°C"),
      unit("*.rh", "%"),
      unit("*.lux", "lx"),
      unit("*.battery.V", "V"),
      unit("*.battery.percent", "%"),
      unit("wifi.rssi", "dBm"),
    ],
  },
  looksLike(seen) {
    const isNotice = /^Notify(?:Full)?(?:Status|Event)$/.test(String(at(seen.json, "method")));
    return isNotice ? 1 : levelsOf(seen).slice(-2).join("/") === "events/rpc" ? 0.9 : 0;
  },
};
