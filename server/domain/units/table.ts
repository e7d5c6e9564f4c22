/** A unit of the table. */
export interface Unit {
  /** As it is written here. */
  readonly symbol: string;
  /** What is measured; units of one dimension convert into each other. */
  readonly dimension: string;
  /** Its code by UCUM; null where UCUM has none. */
  readonly ucum: string | null;
  /** A value in the dimension's base is (value - zero) · times ÷ over. */
  readonly times: number;
  readonly over: number;
  readonly zero: number;
  /** Symbol of the unit that values are converted to where nobody asks for another. */
  readonly canonical: string;
}

type Row = readonly [
  symbol: string,
  ucum: string | null,
  times: number,
  over: number,
  /** Other spellings, apart by |. Those (and symbols) of small letters and three characters or more hold in capitals too. */
  aliases: string,
  more?: { readonly zero?: number; readonly canonical?: string },
];

/**
 * One entry a dimension. The first row is its base, to which all convert unless their row names another that suits their size better: nobody
 * wants rain in metres. Factors are whole numbers, so that 3005 mV is 3.005 V to the last digit. Those of mercury columns are UCUM's.
 */
const TABLE: readonly { readonly dimension: string; readonly rows: readonly [Row, ...Row[]] }[] = [
  {
    dimension: "temperature",
    rows: [
      // Neither coulomb nor farad: whoever sends "C" or "F" measures a temperature.
      ["°C", "Cel", 1, 1, "℃|C|degC|deg C|deg. C|° C|ºC|celsius|degrees celsius|degree_celsius|°c"],
      [
        "°F",
        "[degF]",
        5,
        9,
        "℉|F|degF|deg F|deg. F|° F|ºF|fahrenheit|degrees fahrenheit|degree_fahrenheit|°f",
        { zero: 32 },
      ],
      ["K", "K", 1, 1, "kelvin|degK|°K", { zero: 273.15 }],
    ],
  },
  {
    dimension: "pressure",
    rows: [
      ["hPa", "hPa", 1, 1, "hpa|hectopascal|hectopascals"],
      ["Pa", "Pa", 1, 100, "pascal|pascals"],
      ["kPa", "kPa", 10, 1, "kpa|kilopascal"],
      ["MPa", "MPa", 10_000, 1, "megapascal"],
      ["mbar", "mbar", 1, 1, "millibar|millibars"],
      ["bar", "bar", 1000, 1, "bars"],
      ["psi", "[psi]", 68_947_572_932, 1_000_000_000, "psig|psia|lbf/in²"],
      ["inHg", "[in_i'Hg]", 33_863_788, 1_000_000, "inhg|in Hg|inch_hg"],
      ["mmHg", "mm[Hg]", 1_333_220, 1_000_000, "mmhg|mm Hg"],
      ["Torr", null, 1_013_250, 760_000, "torr"],
      ["atm", "atm", 1_013_250, 1000, "atmosphere|atmospheres"],
    ],
  },
  {
    dimension: "humidity and other shares",
    rows: [
      ["%", "%", 1, 1, "percent|pct|%RH|% RH|%rH|%rh|RH%|percentage"],
      ["‰", "[ppth]", 1, 10, "permille|per mille"],
    ],
  },
  {
    dimension: "parts",
    rows: [
      ["ppm", "[ppm]", 1, 1, "ppmv|parts per million"],
      ["ppb", "[ppb]", 1, 1000, "ppbv|parts per billion"],
      ["ppt", "[pptr]", 1, 1_000_000, ""],
    ],
  },
  {
    dimension: "voltage",
    rows: [
      ["V", "V", 1, 1, "volt|volts|VDC|VAC|Vdc|Vac"],
      ["mV", "mV", 1, 1000, "millivolt|millivolts"],
      ["µV", "uV", 1, 1_000_000, "uV"],
      ["kV", "kV", 1000, 1, "kilovolt"],
    ],
  },
  {
    dimension: "current",
    rows: [
      ["A", "A", 1, 1, "ampere|amperes|amp|amps"],
      ["mA", "mA", 1, 1000, "milliampere|milliamp"],
      ["µA", "uA", 1, 1_000_000, "uA"],
    ],
  },
  {
    dimension: "power",
    rows: [
      ["W", "W", 1, 1, "watt|watts"],
      ["mW", "mW", 1, 1000, "milliwatt"],
      ["kW", "kW", 1000, 1, "kilowatt|kilowatts"],
      ["MW", "MW", 1_000_000, 1, "megawatt"],
      ["hp", "[HP]", 745_699_872, 1_000_000, "horsepower"],
    ],
  },
  {
    dimension: "apparent power",
    rows: [
      ["VA", "V.A", 1, 1, "volt-ampere|volt_ampere"],
      ["kVA", "kV.A", 1000, 1, "kva"],
    ],
  },
  {
    dimension: "reactive power",
    rows: [
      ["var", null, 1, 1, "VAr|VAR|volt_ampere_reactive"],
      ["kvar", null, 1000, 1, "kVAr|kVAR"],
    ],
  },
  {
    dimension: "energy",
    rows: [
      ["kWh", "kW.h", 1, 1, "kwh|kW·h|kilowatt-hour|kilowatt_hour|kilowatt hours"],
      ["Wh", "W.h", 1, 1000, "watt-hour|watt_hour|W·h"],
      ["MWh", "MW.h", 1000, 1, "mwh|MW·h|megawatt-hour"],
      ["W·min", "W.min", 1, 60_000, "Wmin|watt-minute|watt_minute|Watt-minute"],
      ["J", "J", 1, 3_600_000, "joule|joules|W·s|Ws"],
      ["kJ", "kJ", 1, 3600, "kilojoule"],
      ["MJ", "MJ", 10, 36, "megajoule"],
      ["kcal", "kcal", 4184, 3_600_000, "kilocalorie"],
      ["BTU", "[Btu]", 1_055_056, 3_600_000_000, "btu"],
    ],
  },
  {
    dimension: "reactive energy",
    rows: [
      ["kvarh", null, 1, 1, "kVArh|kVARh"],
      ["varh", null, 1, 1000, "VArh|VARh"],
    ],
  },
  {
    dimension: "apparent energy",
    rows: [
      ["kVAh", "kV.A.h", 1, 1, ""],
      ["VAh", "V.A.h", 1, 1000, ""],
    ],
  },
  {
    dimension: "charge",
    rows: [
      ["Ah", "A.h", 1, 1, "ampere-hour|A·h"],
      ["mAh", "mA.h", 1, 1000, "mA·h"],
    ],
  },
  {
    dimension: "resistance",
    rows: [
      ["Ω", "Ohm", 1, 1, "Ω|ohm|ohms"],
      ["mΩ", "mOhm", 1, 1000, "mΩ|mOhm|milliohm"],
      ["kΩ", "kOhm", 1000, 1, "kΩ|kOhm|kohm"],
      ["MΩ", "MOhm", 1_000_000, 1, "MΩ|MOhm|megaohm"],
    ],
  },
  {
    dimension: "frequency",
    rows: [
      ["Hz", "Hz", 1, 1, "hertz"],
      ["kHz", "kHz", 1000, 1, "khz|kilohertz"],
      ["MHz", "MHz", 1_000_000, 1, "mhz|megahertz"],
      ["GHz", "GHz", 1_000_000_000, 1, "ghz|gigahertz"],
    ],
  },
  {
    dimension: "rotation",
    rows: [
      ["rpm", null, 1, 1, "U/min|r/min|rev/min"],
      ["1/min", "/min", 1, 1, "min⁻¹", { canonical: "1/min" }],
    ],
  },
  {
    dimension: "speed",
    rows: [
      ["m/s", "m/s", 1, 1, "mps|m s-1|meter_per_second"],
      ["km/h", "km/h", 10, 36, "kph|kmh|kmph|km/hr"],
      ["mph", "[mi_i]/h", 44_704, 100_000, "mi/h|miles per hour|mile_per_hour"],
      ["kn", "[kn_i]", 1852, 3600, "kt|kts|knot|knots"],
      ["ft/s", "[ft_i]/s", 3048, 10_000, "fps"],
    ],
  },
  {
    dimension: "length",
    rows: [
      ["m", "m", 1, 1, "meter|metre|meters|metres"],
      ["mm", "mm", 1, 1000, "millimeter|millimetre|millimeters", { canonical: "mm" }],
      ["cm", "cm", 1, 100, "centimeter|centimetre|centimeters", { canonical: "cm" }],
      ["km", "km", 1000, 1, "kilometer|kilometre|kilometers", { canonical: "km" }],
      ["µm", "um", 1, 1_000_000, "um|micron|micrometer", { canonical: "µm" }],
      ["in", "[in_i]", 254, 10_000, "inch|inches|″", { canonical: "mm" }],
      ["ft", "[ft_i]", 3048, 10_000, "foot|feet|′"],
      ["yd", "[yd_i]", 9144, 10_000, "yard|yards"],
      ["mi", "[mi_i]", 1_609_344, 1000, "mile|miles", { canonical: "km" }],
    ],
  },
  {
    dimension: "rain",
    rows: [
      ["mm/h", "mm/h", 1, 1, "mm/hr|mmh"],
      ["in/h", "[in_i]/h", 254, 10, "in/hr"],
    ],
  },
  {
    dimension: "area",
    rows: [
      ["m²", "m2", 1, 1, "m2|m^2|sqm"],
      ["ft²", "[sft_i]", 9_290_304, 100_000_000, "ft2|sqft"],
      ["ha", "har", 10_000, 1, "hectare"],
    ],
  },
  {
    dimension: "volume",
    rows: [
      ["L", "L", 1, 1, "l|liter|litre|liters|litres|dm³"],
      ["mL", "mL", 1, 1000, "ml|milliliter", { canonical: "mL" }],
      ["m³", "m3", 1000, 1, "m3|m^3|cubic meter|cbm", { canonical: "m³" }],
      ["gal", "[gal_us]", 3_785_411_784, 1_000_000_000, "gallon|gallons"],
      ["ft³", "[cft_i]", 28_316_846_592, 1_000_000_000, "ft3|cubic feet", { canonical: "m³" }],
    ],
  },
  {
    dimension: "flow",
    rows: [
      ["L/min", "L/min", 1, 1, "l/min|lpm|LPM"],
      ["L/h", "L/h", 1, 60, "l/h|lph"],
      ["L/s", "L/s", 60, 1, "l/s|lps"],
      ["m³/h", "m3/h", 1000, 60, "m3/h|cmh|m³/hr", { canonical: "m³/h" }],
      ["m³/s", "m3/s", 60_000, 1, "m3/s", { canonical: "m³/s" }],
      ["gpm", "[gal_us]/min", 3_785_411_784, 1_000_000_000, "gal/min|GPM"],
      ["cfm", "[cft_i]/min", 28_316_846_592, 1_000_000_000, "ft³/min|CFM", { canonical: "m³/h" }],
    ],
  },
  {
    dimension: "mass",
    rows: [
      ["kg", "kg", 1, 1, "kilogram|kilograms"],
      ["g", "g", 1, 1000, "gram|grams", { canonical: "g" }],
      ["mg", "mg", 1, 1_000_000, "milligram", { canonical: "g" }],
      ["t", "t", 1000, 1, "tonne|tonnes"],
      ["lb", "[lb_av]", 45_359_237, 100_000_000, "lbs|pound|pounds"],
      ["oz", "[oz_av]", 28_349_523_125, 1_000_000_000_000, "ounce|ounces", { canonical: "g" }],
    ],
  },
  {
    dimension: "mass in air",
    rows: [
      ["µg/m³", "ug/m3", 1, 1, "ug/m3|ug/m³|µg/m3|ug/m^3|mcg/m3"],
      ["mg/m³", "mg/m3", 1000, 1, "mg/m3|mg/m^3"],
    ],
  },
  {
    dimension: "mass in water",
    rows: [
      ["mg/L", "mg/L", 1, 1, "mg/l"],
      ["µg/L", "ug/L", 1, 1000, "ug/l|µg/l|ug/L"],
      ["g/L", "g/L", 1000, 1, "g/l"],
    ],
  },
  { dimension: "humidity in air", rows: [["g/m³", "g/m3", 1, 1, "g/m3|g/m^3"]] },
  {
    dimension: "time",
    rows: [
      ["s", "s", 1, 1, "sec|secs|second|seconds"],
      ["ms", "ms", 1, 1000, "msec|millisecond|milliseconds"],
      ["µs", "us", 1, 1_000_000, "us|microsecond|microseconds"],
      ["min", "min", 60, 1, "mins|minute|minutes"],
      ["h", "h", 3600, 1, "hr|hrs|hour|hours"],
      ["d", "d", 86_400, 1, "day|days"],
    ],
  },
  {
    dimension: "illuminance",
    rows: [
      ["lx", "lx", 1, 1, "lux"],
      ["klx", "klx", 1000, 1, "klux"],
      ["fc", null, 10_763_910_417, 1_000_000_000, "foot-candle"],
    ],
  },
  { dimension: "luminous flux", rows: [["lm", "lm", 1, 1, "lumen|lumens"]] },
  { dimension: "irradiance", rows: [["W/m²", "W/m2", 1, 1, "W/m2|W/m^2|Wm-2"]] },
  { dimension: "photon flux", rows: [["µmol/(m²·s)", "umol/(m2.s)", 1, 1, "µmol/m²/s|umol/m2/s|µmol/m2/s|umol/m²/s"]] },
  {
    dimension: "angle",
    rows: [
      ["°", "deg", 1, 1, "deg|degree|degrees"],
      ["rad", "rad", 57_295_779_513, 1_000_000_000, "radian|radians"],
    ],
  },
  {
    dimension: "acceleration",
    rows: [
      ["m/s²", "m/s2", 1, 1, "m/s2|m/s^2"],
      ["mg₀", null, 980_665, 100_000_000, "milli-g|mgn"],
      ["g₀", "[g]", 980_665, 100_000, "gn|g-force"],
    ],
  },
  { dimension: "turn rate", rows: [["°/s", "deg/s", 1, 1, "deg/s|dps"]] },
  {
    dimension: "force",
    rows: [
      ["N", "N", 1, 1, "newton|newtons"],
      ["kN", "kN", 1000, 1, ""],
    ],
  },
  { dimension: "torque", rows: [["N·m", "N.m", 1, 1, "Nm|N.m"]] },
  {
    dimension: "magnetic field",
    rows: [
      ["µT", "uT", 1, 1, "uT"],
      ["mT", "mT", 1000, 1, ""],
      ["T", "T", 1_000_000, 1, "tesla"],
      ["G", "G", 100, 1, "gauss"],
    ],
  },
  {
    dimension: "conductivity",
    rows: [
      ["µS/cm", "uS/cm", 1, 1, "uS/cm"],
      ["mS/cm", "mS/cm", 1000, 1, ""],
      ["S/m", "S/m", 10_000, 1, ""],
    ],
  },
  {
    dimension: "dose rate",
    rows: [
      ["µSv/h", "uSv/h", 1, 1, "uSv/h|µSv/hr"],
      ["mSv/h", "mSv/h", 1000, 1, ""],
    ],
  },
  {
    dimension: "radioactivity in air",
    rows: [
      ["Bq/m³", "Bq/m3", 1, 1, "Bq/m3"],
      ["pCi/L", "pCi/L", 37, 1, "pCi/l"],
    ],
  },
  { dimension: "sound", rows: [["dB", "dB", 1, 1, "decibel|decibels"]] },
  { dimension: "weighted sound", rows: [["dB(A)", null, 1, 1, "dBA|dba"]] },
  { dimension: "signal strength", rows: [["dBm", null, 1, 1, "dbm"]] },
  {
    dimension: "data",
    rows: [
      ["B", "By", 1, 1, "byte|bytes|By"],
      ["bit", "bit", 1, 8, "bits"],
      ["kB", "kBy", 1000, 1, "KB|kBy|kilobyte|kilobytes"],
      ["MB", "MBy", 1_000_000, 1, "MBy|megabyte|megabytes"],
      ["GB", "GBy", 1_000_000_000, 1, "GBy|gigabyte|gigabytes"],
      ["KiB", "KiBy", 1024, 1, "kib|KiBy"],
      ["MiB", "MiBy", 1_048_576, 1, "mib|MiBy"],
      ["GiB", "GiBy", 1_073_741_824, 1, "gib|GiBy"],
    ],
  },
  {
    dimension: "data rate",
    rows: [
      ["B/s", "By/s", 1, 1, "By/s|bytes/s"],
      ["bit/s", "bit/s", 1, 8, "bps|b/s"],
      ["kbit/s", "kbit/s", 1000, 8, "kbps"],
      ["Mbit/s", "Mbit/s", 1_000_000, 8, "mbps|Mb/s"],
    ],
  },
  { dimension: "acidity", rows: [["pH", "[pH]", 1, 1, "ph"]] },
  { dimension: "turbidity", rows: [["NTU", null, 1, 1, "ntu|{NTU}"]] },
  { dimension: "formazin turbidity", rows: [["FNU", null, 1, 1, "fnu"]] },
  { dimension: "ultraviolet index", rows: [["UV", null, 1, 1, "UVI|uv index"]] },
  { dimension: "count rate", rows: [["cpm", null, 1, 1, "CPM|counts/min"]] },
  { dimension: "number", rows: [["1", "1", 1, 1, ""]] },
];

/** Every unit, with its other spellings. */
export const UNITS: readonly (Unit & { readonly aliases: readonly string[] })[] = TABLE.flatMap(({ dimension, rows }) =>
  rows.map(([symbol, ucum, times, over, aliases, { zero = 0, canonical = rows[0][0] } = {}]) => ({
    ...{ symbol, dimension, ucum, times, over, zero, canonical },
    aliases: aliases === "" ? [] : aliases.split("|"),
  })),
);
