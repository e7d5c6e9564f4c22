const grouped = new Intl.NumberFormat("en-US");

/** Words a number of things: "1 partition", "1,200 messages", "2 copies". */
export function counted(count: number, thing: string, things = `${thing}s`): string {
  return `${grouped.format(count)} ${count === 1 ? thing : things}`;
}
