/**
 * Formats that name a value by a name and tags (line protocol, OTLP, Prometheus) don't say which tag is the device. These are asked, in this order;
 * without any, the whole series is the device.
 */
const DEVICE_TAGS = ["device_id", "deviceId", "device.id", "device", "dev_eui", "sensor_id", "sensorId", "node_id"];
const HOST_TAGS = ["host", "host.name", "instance", "service.instance.id", "service.name", "job"];
const NAMING = [...DEVICE_TAGS, ...HOST_TAGS];
/** Measurements of Telegraf's own plugins whose `device` is a part of the host. */
const OF_HOST = new Set(["disk", "smart_device", "smart_attribute", "docker_container_blkio"]);

type Tags = Readonly<Record<string, unknown>>;

/**
 * Tells whose value it is, and the name under which no other value of that device is: the name and all tags that don't name a device, sorted by
 * their keys, as `cpu.core_1`. @param outer tags that hold for many values (a resource's); its device wins.
 * @param allTags as the mapping says; without it tags that could have named the device are left out of the name as well.
 */
export function seriesOf(
  name: string,
  tags: Tags,
  outer: Tags = {},
  allTags = false,
): { readonly device: string; readonly series: string } {
  const found =
    (allTags && OF_HOST.has(name) ? deviceIn(tags, ["host"]) : null) ??
    deviceIn(outer, DEVICE_TAGS) ??
    deviceIn(tags, DEVICE_TAGS) ??
    deviceIn(outer, HOST_TAGS) ??
    deviceIn(tags, HOST_TAGS);
  const isOther = (tag: string) =>
    allTags ? found === null || found.of !== tags || found.tag !== tag : !NAMING.includes(tag);
  const others = Object.keys(tags)
    .filter(isOther)
    .sort()
    .filter((tag) => asText(tags[tag]) !== "")
    .map((tag) => namedBy(tag, asText(tags[tag])));
  // Services of one host measure the same things.
  const service = allTags && found?.tag !== "service.name" ? deviceIn(outer, ["service.name"]) : null;
  const ofService = service === null ? [] : [namedBy(service.tag, service.device)];
  const series = [name, ...ofService, ...others].join(".");
  return found === null ? { device: series, series: name } : { device: found.device, series };
}

/** `core_1`, as `core=1` and `cpu=1` are two things; a value that already tells its key (`cpu=cpu0`) stays as it is. */
function namedBy(tag: string, text: string): string {
  return text.startsWith(tag) && !text.startsWith(`${tag}_`) ? text : `${tag}_${text.replace(/^\./, "_2E")}`;
}

function deviceIn(tags: Tags, names: readonly string[]) {
  const tag = names.find((name) => Object.hasOwn(tags, name) && asText(tags[name]) !== "");
  return tag === undefined ? null : { tag, of: tags, device: asText(tags[tag]) };
}

function asText(value: unknown): string {
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}
