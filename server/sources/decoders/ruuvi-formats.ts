import { UnreadableError } from "./decoder";

/** What an advertisement says; null is what the tag itself calls invalid or not available. */
type Readings = Readonly<Record<string, number | null>>;

const MANUFACTURER = 0xff;
const RUUVI = 0x0499;

/** The sizes of the formats' data, from their first byte on. */
const FORMATS: Readonly<Record<number, { readonly size: number; read(data: Buffer): Readings }>> = {
  3: { size: 14, read: readFormat3 },
  5: { size: 24, read: readFormat5 },
};

/**
 * Reads a Bluetooth advertisement: pairs of length and type, of which Ruuvi's is that of the manufacturer. Temperature is in °C, humidity in %,
 * pressure in Pa, acceleration in thousandths of g, battery in mV, power in dBm. @returns nothing for one that isn't of a Ruuvi tag. @throws UnreadableError
 */
export function readAdvertisement(bytes: Buffer): { readonly format?: number; readonly readings?: Readings } {
  for (let at = 0; at + 1 < bytes.length; at += bytes[at]! + 1) {
    const end = at + 1 + bytes[at]!;
    if (bytes[at] === 0) break;
    if (end > bytes.length) throw new UnreadableError("its advertisement is cut off");
    if (bytes[at + 1] !== MANUFACTURER || end - at < 5 || bytes.readUInt16LE(at + 2) !== RUUVI) continue;
    const data = bytes.subarray(at + 4, end);
    const format = data[0]!;
    const known = FORMATS[format];
    if (known === undefined) throw new UnreadableError(`Ruuvi's data format ${format} is not known here; 3 and 5 are`);
    if (data.length < known.size) throw new UnreadableError(`its data of format ${format} is cut off`);
    return { format, readings: known.read(data) };
  }
  return {};
}

/** RAWv1, of 2017: it has no word for invalid. */
function readFormat3(data: Buffer): Readings {
  const whole = data[2]! & 0x7f;
  const temperature = (data[2]! & 0x80 ? -1 : 1) * (whole * 100 + data[3]!);
  return {
    temperature: temperature / 100,
    humidity: data[1]! / 2,
    pressure: data.readUInt16BE(4) + 50_000,
    accelerationX: data.readInt16BE(6),
    accelerationY: data.readInt16BE(8),
    accelerationZ: data.readInt16BE(10),
    batteryVoltage: data.readUInt16BE(12),
  };
}

/** RAWv2. */
function readFormat5(data: Buffer): Readings {
  const signed = (at: number) => valid(data.readInt16BE(at), -0x8000);
  const unsigned = (at: number) => valid(data.readUInt16BE(at), 0xffff);
  const scaled = (value: number | null, scale: (value: number) => number) => (value === null ? null : scale(value));
  const power = data.readUInt16BE(13);
  return {
    temperature: scaled(signed(1), (value) => value / 200),
    humidity: scaled(unsigned(3), (value) => value / 400),
    pressure: scaled(unsigned(5), (value) => value + 50_000),
    accelerationX: signed(7),
    accelerationY: signed(9),
    accelerationZ: signed(11),
    batteryVoltage: scaled(valid(power >> 5, 2047), (value) => value + 1600),
    txPower: scaled(valid(power & 0x1f, 31), (value) => value * 2 - 40),
    movementCounter: valid(data[15]!, 255),
    measurementSequence: unsigned(16),
  };
}

function valid(value: number, invalid: number): number | null {
  return value === invalid ? null : value;
}
