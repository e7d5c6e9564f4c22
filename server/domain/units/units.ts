import { type Unit, UNITS } from "./table";

export type { Unit } from "./table";

const BY_SPELLING = new Map<string, Unit>();
const BY_WORD = new Map<string, Unit>();
for (const unit of UNITS) {
  for (const spelling of [unit.symbol, ...unit.aliases]) {
    BY_SPELLING.set(spelling, unit);
    if (/^[^A-Z]{3,}$/.test(spelling)) BY_WORD.set(spelling, unit);
  }
}
// UCUM's codes come last: in it C is the coulomb, and F the farad.
for (const unit of UNITS) {
  if (unit.ucum !== null && !BY_SPELLING.has(unit.ucum)) BY_SPELLING.set(unit.ucum, unit);
}

/** The unit a text stands for; null if it isn't in the table. Never guesses. */
export function parseUnit(text: string): Unit | null {
  const exact = BY_SPELLING.get(text);
  if (exact) return exact;
  const plain = text.trim().normalize("NFC").replaceAll("\u03bc", "µ").replaceAll("\u2126", "Ω").replaceAll("**", "^");
  return BY_SPELLING.get(plain) ?? wordIn(plain);
}

/** True for a unit of the table, and for products and quotients of some, with powers: `g/kg`, `kW/m²`. */
export function isUnit(text: string): boolean {
  if (parseUnit(text) !== null) return true;
  const factors = text.trim().split(/\s?[/·*]\s?/);
  const plain = (factor: string) => factor.replace(/(?<=\D)(?:\^|\*\*)?-?[1-4²³⁻¹]{1,2}$/, "");
  return factors.length > 1 && factors.length <= 4 && factors.every((factor) => isFactor(plain(factor)));
}

function isFactor(text: string): boolean {
  return text === "1" || /^[mµu]?mol$/.test(text) || parseUnit(text) !== null;
}

/** Not in every mixture of cases: mWh and MWh are two. */
function wordIn(text: string): Unit | null {
  const small = text.toLowerCase();
  const isWord = text === small || text === text.toUpperCase() || text.slice(1) === small.slice(1);
  return (isWord && BY_WORD.get(small)) || null;
}

/** The unit that values in this one are converted to where nobody asks for another. */
export function canonicalOf(unit: Unit): Unit {
  return BY_SPELLING.get(unit.canonical)!;
}

/** Digits that a double keeps of any decimal. */
const DIGITS = 15;
/** Decimals that are left of a difference of numbers in the hundreds. */
const DECIMALS = 12;

/** Converts a value; null if the units don't measure the same. Digits that are only noise of the arithmetic are cut off. */
export function convert(value: number, from: Unit, to: Unit): number | null {
  if (from.dimension !== to.dimension) return null;
  if (isSame(from, to)) return value;
  const [times, over] = [from.times * to.over, from.over * to.times];
  const zeroed = value - from.zero;
  const scaled = times >= over && times % over === 0 ? zeroed * (times / over) : (zeroed * times) / over;
  const converted = scaled + to.zero;
  const isShifted = from.zero !== 0 || to.zero !== 0;
  return Number(isShifted && Math.abs(converted) < 1e6 ? converted.toFixed(DECIMALS) : converted.toPrecision(DIGITS));
}

/** True if a number means the same in both, such as in mbar and hPa. */
function isSame(from: Unit, to: Unit): boolean {
  return from === to || (from.times * to.over === to.times * from.over && from.zero === to.zero);
}
