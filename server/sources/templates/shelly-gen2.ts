import { at, levelsOf, NOT_MEASURED, type SourceTemplate } from "./template";

const unit = (metric: string, of: string) => ({ metric, from: { unit: of } });

/** Holds for what is published of one component. */
const STATUS = { value: "{topic.-2}", equals: ["status"] };

/** Of what changed alone: a value that isn't there is as it was. */
export const shellyGen2: SourceTemplate = {
  kind: "shelly-gen2",
  title: "Shelly, generation 2 and later",
  doors: ["mqtt", "mqtt-bridge", "http"],
  answer: "webhook",
  sign: "method NotifyStatus",
  mapping: {
    decode: "json",
    // Notices have a method; the status of one component is published alone, to <id>/status/<component>.
    when: [
      { anyOf: [{ value: "{method}", equals: ["NotifyStatus", "NotifyFullStatus"] }, STATUS] },
      { value: "{topic.-1}", differs: ["sys", "cloud", "mqtt", "ble", "ws"] },
    ],
    device: ["{src}", { name: "{topic.0:-3}", when: [STATUS] }],
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
      {
        root: "",
        when: [STATUS],
        prefix: "{topic.-1}.",
        exclude: [
          ...["id", "source", "tF", "*.tF", "errors*", "*.by_minute.*", "*.minute_ts", "ssid", "sta_ip", "status"],
        ],
      },
    ],
    // A temperature is tC there, a humidity rh.
    absent: [...NOT_MEASURED, { metric: "*.tC", values: [-127, -200, 327.67, -327.68] }],
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
    const [kind, last] = levelsOf(seen).slice(-2);
    const isStatus = kind === "status" && /^(?:[a-z]\w*:\d+|sys|wifi|mqtt|cloud|ble|ws|eth)$/.test(last ?? "");
    return isNotice ? 1 : `${kind}/${last}` === "events/rpc" || isStatus ? 0.9 : 0;
  },
};
