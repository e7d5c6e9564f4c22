import { isName } from "@/server/domain/terms";

/** Spellings that stand for another; all others are kept as they are written. */
const SPELLINGS: Readonly<Record<string, string | undefined>> = {
  degC: "°C",
  "deg C": "°C",
  "deg. C": "°C",
  "° C": "°C",
  "℃": "°C",
  Celsius: "°C",
  celsius: "°C",
  degF: "°F",
  "deg F": "°F",
  "° F": "°F",
  "℉": "°F",
  Fahrenheit: "°F",
  fahrenheit: "°F",
  deg: "°",
  degrees: "°",
  percent: "%",
  pct: "%",
  "%RH": "%",
  "% RH": "%",
  "%rH": "%",
  lux: "lx",
  Ohm: "Ω",
  ohm: "Ω",
  RPM: "rpm",
  Volt: "V",
  Volts: "V",
  volts: "V",
  Ampere: "A",
  Amps: "A",
  Watt: "W",
  Watts: "W",
  seconds: "s",
  sec: "s",
  minutes: "min",
  hours: "h",
};

/** Units that stand alone or take part in a compound such as µg/m³. */
const BASES = [
  ...["m", "g", "s", "A", "K", "mol", "cd", "Hz", "N", "Pa", "J", "W", "V", "Ω", "S", "Wh", "VA", "VAh"],
  ...["var", "varh", "Ah", "lx", "lm", "bar", "l", "L", "B", "b", "bit", "eV", "Bq", "Sv", "Gy", "Nm", "t", "cal"],
];
const WHOLE = [
  ...["°C", "°F", "°", "%", "‰", "C", "min", "h", "d", "rpm", "ppm", "ppb", "ppt", "pH", "dB", "dBm", "dBA", "dB(A)"],
  ...["psi", "inHg", "mmHg", "mph", "kn", "kt", "ft", "in", "mi", "gal", "lb", "oz", "atm", "Torr", "count", "counts"],
  ...[
    "FNU",
    "NTU",
    "PSU",
    "kcal",
    "BTU",
    "hp",
    "cos φ",
    "UV",
    "AQI",
    "IU",
    "kph",
    "T",
    "mT",
    "µT",
    "nT",
    "U/min",
    "1/min",
    "ms",
    "y",
    "a",
  ],
];
const WHOLE_SET: ReadonlySet<string> = new Set(WHOLE);
const escaped = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
const FACTOR = String.raw`(?:(?:(?:da|[fpnuµμmcdhkMGT])?(?:${BASES.map(escaped).join("|")})|min|h|d|°C|°F|°|%|1)(?:(?:\^|\*\*)?-?[1-4²³⁻¹]{1,2})?)`;
const COMPOUND = new RegExp(String.raw`^${FACTOR}(?:\s?[/·*.]\s?${FACTOR}){0,3}$`, "u");

/** The unit a text stands for, in its usual spelling; null if it is not known to be one. */
function unitOf(text: string): string | null {
  const trimmed = text.trim();
  const spelled: string = SPELLINGS[trimmed] ?? trimmed;
  if (!WHOLE_SET.has(spelled) && !COMPOUND.test(spelled)) return null;
  return spelled
    .replace(/(?:\^|\*\*)?(?<=[A-Za-z^*])([23])(?![\d])/g, (_all, power: string) => (power === "2" ? "²" : "³"))
    .replace(/\bu(?=[gmsAVWlL])/g, "µ")
    .replaceAll("μ", "µ");
}

export interface NamedColumn {
  /** Empty if nothing of the header can name a metric. */
  readonly metric: string;
  readonly unit: string | null;
}

const BRACKETS = /[([]\s*([^()[\]]*(?:\([^()]*\))?)\s*[)\]]/g;

/**
 * What a column is called as a metric: a known unit in round or square brackets is its unit, and of the rest each run of
 * characters a name can't have becomes one `_`.
 */
export function nameColumn(header: string): NamedColumn {
  if (isName(header as unknown)) return { metric: header, unit: null };
  let unit: string | null = null;
  const rest = header.replace(BRACKETS, (all, inside: string) => {
    const found = unit === null ? unitOf(inside) : null;
    if (found === null) return all;
    unit = found;
    return " ";
  });
  const metric = legalName(rest);
  // A header that is its unit alone keeps it as its name.
  return metric === "" ? { metric: legalName(header), unit } : { metric, unit };
}

/** The nearest name the catalog takes: letters lose their accents, runs of other characters become one `_`. */
export function legalName(text: string): string {
  const name = text
    .replaceAll("ß", "ss")
    .normalize("NFKD")
    .replace(/\p{Mn}/gu, "")
    .replace(/[^A-Za-z0-9_.:-]+/g, "_")
    .replace(/^_+|_+$/g, "")
    .slice(0, 128);
  return isName(name) ? name : "";
}

const VALUE = /^([+\-\u2212]?[\d.,'’ \u00a0\u202f]*\d(?:[.,]\d*)?(?:e[+-]?\d+)?)[ \u00a0\u202f]*([^\d\s.,+-].*)$/iu;

/** A value with its unit behind it, as "21.3 °C"; null if it is none. */
export function splitValue(text: string): { readonly number: string; readonly unit: string } | null {
  const match = VALUE.exec(text);
  if (!match) return null;
  const unit = unitOf(match[2]!);
  return unit === null ? null : { number: match[1]!.trim(), unit };
}
