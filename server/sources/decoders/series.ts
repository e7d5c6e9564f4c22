/**
 * Formats that name a value by a name and tags (line protocol, OTLP, Prometheus) don't say which tag is the device. These are asked, in this order;
 * without any, the whole series is the device.
 */
const DEVICE_TAGS = ["device_id", "deviceId", "device.id", "device", "dev_eui", "sensor_id", "sensorId", "node_id"];
const HOST_TAGS = ["host", "host.name", "instance", "service.instance.id", "service.name", "job"];
const NAMING = [...DEVICE_TAGS, ...HOST_TAGS];

type Tags = Readonly<Record<string, unknown>>;

/**
 * Tells whose value it is, and the name under which no other value of that device is: the name and all tags that don't name a device, sorted by
 * their keys, as `cpu.core_1`. @param outer tags that hold for many values (a resource's); its device wins.
 */
export function seriesOf(
  name: string,
  tags: Tags,
  outer: Tags = {},
): { readonly device: string; readonly series: string } {
  const device =
    deviceOf(outer, DEVICE_TAGS) ??
    deviceOf(tags, DEVICE_TAGS) ??
    deviceOf(outer, HOST_TAGS) ??
    deviceOf(tags, HOST_TAGS);
  const others = Object.keys(tags)
    .filter((tag) => !NAMING.includes(tag))
    .sort()
    .filter((tag) => asText(tags[tag]) !== "")
    .map((tag) => namedBy(tag, asText(tags[tag])));
  const series = [name, ...others].join(".");
  return device === null ? { device: series, series: name } : { device, series };
}

/** `core_1`, as `core=1` and `cpu=1` are two things; a value that already tells its key (`cpu=cpu0`) stays as it is. */
function namedBy(tag: string, text: string): string {
  return text.startsWith(tag) && !text.startsWith(`${tag}_`) ? text : `${tag}_${text.replace(/^\./, "_2E")}`;
}

function deviceOf(tags: Tags, names: readonly string[]): string | null {
  const name = names.find((tag) => Object.hasOwn(tags, tag) && asText(tags[tag]) !== "");
  return name === undefined ? null : asText(tags[name]);
}

function asText(value: unknown): string {
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}
