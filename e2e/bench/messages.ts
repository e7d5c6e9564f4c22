/** The `i`-th of an endless stream of messages of so many devices, in the shape of the recorded file: 7 readings, about 190 bytes. */
export function messageLine(i: number, time: number, devices = 200): { device: string; line: string } {
  const v = (i % 997) / 10;
  const device = `bench-${String(i % devices).padStart(3, "0")}`;
  const readings = {
    co: v / 1e4,
    humidity: 40 + v / 3,
    light: i % 2 === 0,
    lpg: v / 1e3,
    motion: i % 7 === 0,
    smoke: v / 900,
    temperature: 20 + v / 9,
  };
  return { device, line: JSON.stringify({ device, time: new Date(time).toISOString(), readings }) };
}
