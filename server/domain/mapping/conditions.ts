import type { Delivery } from "./delivery";
import type { Mapping } from "./mapping";
import { follow, parsePath, type Place } from "./paths";
import { compileTemplate, type Scope } from "./templates";

type Condition = (scope: Scope) => boolean;

/** Reads a mapping's conditions; true when all of them hold. */
export function compileConditions(conditions: Mapping["when"]): Condition {
  const compiled = conditions.map(compileCondition);
  return (scope) => compiled.every((condition) => condition(scope));
}

/**
 * Tells of a delivery that no decoder could read whether what came beside it alone says that it is no data: its topic, address or headers, by
 * conditions that look at nothing else.
 */
export function compileOutsideConditions(conditions: Mapping["when"]): (delivery: Delivery) => boolean {
  const holds = compileConditions(conditions.filter(isOutside));
  const nothing: Place = { parent: {}, key: "", value: undefined };
  const around = { element: nothing, key: "", envelope: nothing, part: {}, tokens: new Map(), repeated: null };
  return (delivery) => !holds({ delivery, ...around });
}

function isOutside(condition: Mapping["when"][number]): boolean {
  if ("topic" in condition) return true;
  if ("anyOf" in condition) return condition.anyOf.every(isOutside);
  return "value" in condition && compileTemplate(condition.value).isOutside;
}

function compileCondition(condition: Mapping["when"][number]): Condition {
  if ("anyOf" in condition) {
    const any = condition.anyOf.map(compileCondition);
    return (scope) => any.some((holds) => holds(scope));
  }
  if ("topic" in condition) {
    const fits = compileTopicFilter(condition.topic);
    return ({ delivery }) => delivery.beside.topic !== null && fits(delivery.beside.topic);
  }
  if ("exists" in condition) {
    const path = parsePath(condition.exists);
    return ({ element }) => follow(element, path) !== undefined;
  }
  if ("missing" in condition) {
    const path = parsePath(condition.missing);
    return ({ element }) => follow(element, path) === undefined;
  }
  const template = compileTemplate(condition.value);
  const isEqual = "equals" in condition;
  const values = isEqual ? condition.equals : condition.differs;
  const texts = new Set(values.filter((value) => value !== null).map(String));
  const hasNull = values.includes(null);
  return (scope) => {
    const text = template.fill(scope);
    return (text === null ? hasNull : texts.has(text)) === isEqual;
  };
}

/** Reads an MQTT filter: `+` is one level, `#` at the end any number of them. */
function compileTopicFilter(filter: string): (topic: string) => boolean {
  const levels = filter.split("/");
  const rest = levels.at(-1) === "#" ? levels.length - 1 : -1;
  return (topic) => {
    const given = topic.split("/");
    if (rest < 0 ? given.length !== levels.length : given.length < rest) return false;
    const fixed = rest < 0 ? levels : levels.slice(0, rest);
    return fixed.every((level, i) => level === "+" || level === given[i]);
  };
}
