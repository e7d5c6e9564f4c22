/** Unit and valid range of a metric; null where there is none. */
export interface MetricMeaning {
  readonly unit: string | null;
  readonly min: number | null;
  readonly max: number | null;
}

/** Metrics whose name says what they are: [unit, least, most]. Ranges are physical bounds, not alarms. */
const KNOWN_METRICS: Readonly<Record<string, readonly [unit: string, min: number | null, max: number | null]>> = {
  temperature: ["°C", -100, 1500],
  temp: ["°C", -100, 1500],
  humidity: ["%", 0, 100],
  pressure: ["hPa", 0, 20_000],
  oilPressure: ["bar", 0, 10_000],
  load: ["%", 0, 100],
  battery: ["%", 0, 100],
  co: ["ppm", 0, 1_000_000],
  co2: ["ppm", 0, 1_000_000],
  lpg: ["ppm", 0, 1_000_000],
  smoke: ["ppm", 0, 1_000_000],
  pm1: ["µg/m³", 0, 100_000],
  pm25: ["µg/m³", 0, 100_000],
  pm10: ["µg/m³", 0, 100_000],
  voc: ["ppb", 0, 1_000_000],
  illuminance: ["lx", 0, 200_000],
  noise: ["dB", 0, 200],
  voltage: ["V", -1_000_000, 1_000_000],
  current: ["A", -100_000, 100_000],
  power: ["W", null, null],
  energy: ["kWh", 0, null],
  frequency: ["Hz", 0, null],
  speed: ["m/s", 0, 100_000],
  rpm: ["rpm", 0, 1_000_000],
  vibration: ["mm/s", 0, 10_000],
  flow: ["l/min", null, null],
  level: ["%", 0, 100],
  rssi: ["dBm", -200, 50],
  latitude: ["°", -90, 90],
  longitude: ["°", -180, 180],
  altitude: ["m", -12_000, 1_000_000],
};

const BY_LOWER_CASE = new Map(Object.entries(KNOWN_METRICS).map(([name, meaning]) => [name.toLowerCase(), meaning]));

/** What a metric's name says of it, any case. */
export function meaningOf(metric: string): MetricMeaning {
  const known = BY_LOWER_CASE.get(metric.toLowerCase());
  return known ? { unit: known[0], min: known[1], max: known[2] } : { unit: null, min: null, max: null };
}
