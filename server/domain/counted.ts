const grouped = new Intl.NumberFormat("en-US");

/** A number of things, in words: "1 partition", "1,200 messages", "2 copies". */
export function counted(count: number, thing: string, things = `${thing}s`): string {
  return `${grouped.format(count)} ${count === 1 ? thing : things}`;
}
