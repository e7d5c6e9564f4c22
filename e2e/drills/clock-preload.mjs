// Loaded by `node --import` before a role: shifts its Date by the milliseconds a file names for that role, as when somebody sets the
// machine's clock. Timers and performance.now() go on evenly, as they do then.
import { readFileSync } from "node:fs";

const file = process.env.DRILL_CLOCK_FILE;
const role = process.argv[2];
if (file && (role === "web" || role === "worker")) {
  const RealDate = Date;
  let offset = 0;
  const look = () => {
    offset = JSON.parse(readFileSync(file, "utf8"))[role] ?? 0;
  };
  look();
  setInterval(look, 25).unref();
  const now = () => RealDate.now() + offset;
  globalThis.Date = new Proxy(RealDate, {
    construct: (target, args, made) => Reflect.construct(target, args.length === 0 ? [now()] : args, made),
    apply: () => new RealDate(now()).toString(),
    get: (target, name, self) => (name === "now" ? now : Reflect.get(target, name, self)),
  });
}
