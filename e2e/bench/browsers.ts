import { parseArgs } from "node:util";
import { io } from "socket.io-client";
import type { CDPSession, Page } from "playwright";
import { createLiveClient } from "@/components/live/client";
import type { Room } from "@/server/contracts/live";
import { setStage } from "../journeys/stage";
import { processOf } from "../processes";
import type { Product } from "../product";
import { pause, until } from "../waiting";
import { registerFleet, startFleetLoad } from "./fleet-load";
import { machine, markdownTable, median } from "./report";

const MB = 2 ** 20;
/** Viewers, in turn: the rooms each watches and the snapshots its page loads. */
const WATCHED: readonly { readonly rooms: readonly Room[]; readonly snapshot: string }[] = [
  { rooms: ["health", "overview"], snapshot: "/api/v1/pipeline" },
  { rooms: ["health", "devices"], snapshot: "/api/v1/devices?limit=50" },
  { rooms: ["health", "device:press-00004"], snapshot: "/api/v1/devices/press-00004" },
  { rooms: ["health"], snapshot: "/api/v1/health" },
];
/** Growth of the later half over the first quarter past warming up that still counts as noise. */
const FLAT = { factor: 1.1, slackMb: 24 };

interface Sample {
  readonly minute: number;
  readonly webMb: number;
  readonly workerMb: number;
  readonly pageMb: number;
  readonly frames: number;
}

/**
 * Many open browsers for a long time, while messages come in: each is the dashboard's own live client on a socket of its
 * own; one is a real browser. Prints the memory of the web process, the worker and the real page over time, and fails
 * when one of them grows, a frame is missed, or a client is cut off.
 */
export async function main(argv: string[]): Promise<number> {
  const { values } = parseArgs({
    args: argv,
    options: {
      browsers: { type: "string", default: "100" },
      minutes: { type: "string", default: "20" },
      devices: { type: "string", default: "1000" },
      rate: { type: "string", default: "200" },
    },
  });
  const [browsers, minutes, devices, rate] = [values.browsers, values.minutes, values.devices, values.rate].map(
    Number,
  ) as [number, number, number, number];
  const stage = await setStage({ DEMO_DEVICES: "0" });
  const clients: OpenBrowser[] = [];
  const samples: Sample[] = [];
  let stored = 0;
  let missedAtStart = 0;
  try {
    await registerFleet(stage.product, devices);
    const load = startFleetLoad(stage.product, devices, rate);
    try {
      for (let i = 0; i < browsers; i++)
        clients.push(openBrowser(stage.product, i, await stage.product.authorization()));
      await until(() => clients.every((client) => client.frames() > 0), {
        timeoutMs: 60_000,
        what: "a frame for each browser",
      });
      // A tab that loads its snapshot before its room is joined loads again: that is how it begins, not a gap.
      missedAtStart = sumOf(clients, "missed");
      const page = await stage.open("/");
      await page.getByRole("status").getByText("Connected").waitFor();
      const session = await page.context().newCDPSession(page);
      console.log(`${machine()}\n${browsers} browsers, ${devices} devices, ${rate} messages/s sent, ${minutes} min\n`);
      const started = performance.now();
      for (let minute = 1; minute <= minutes; minute++) {
        await pause(started + minute * 60_000 - performance.now());
        samples.push(await sample(stage.product, page, session, clients, minute));
        const { webMb, workerMb, pageMb, frames } = samples.at(-1)!;
        console.log(`${minute} min: web ${webMb} MB, worker ${workerMb} MB, page ${pageMb} MB, ${frames} frames`);
      }
    } finally {
      for (const client of clients) client.close();
      stored = await load.stop();
    }
    if (stage.errors.length > 0) throw new Error(`The page threw: ${stage.errors.join("\n")}`);
  } finally {
    await stage.close();
  }
  const grown = (["webMb", "workerMb", "pageMb"] as const).map((key) => growth(samples.map((one) => one[key])));
  const rows = [
    ["web process, resident", ...grown[0]!.cells],
    ["worker, resident", ...grown[1]!.cells],
    ["the overview in a real browser, JavaScript heap after collection", ...grown[2]!.cells],
  ];
  console.log(`\n${markdownTable(["memory, MB", "after 1 min", "first half", "second half"], rows)}`);
  const missed = sumOf(clients, "missed") - missedAtStart;
  const cut = sumOf(clients, "cuts");
  const slowest = Math.min(...clients.map((client) => client.frames()));
  console.log(
    `\n${Math.round(stored)} messages/s stored; frames missed: ${missed}; clients cut off: ${cut}; frames of the client with the fewest: ${slowest}`,
  );
  const ok = grown.every(({ flat }) => flat) && missed === 0 && cut === 0 && slowest > 0;
  console.log(ok ? "flat" : "NOT flat, or something was missed");
  return ok ? 0 : 1;
}

interface OpenBrowser {
  frames(): number;
  missed(): number;
  cuts(): number;
  close(): void;
}

/** One tab: joins its rooms, loads its snapshot, and again whenever it missed something. */
function openBrowser(product: Product, i: number, extraHeaders: Record<string, string>): OpenBrowser {
  const { rooms, snapshot } = WATCHED[i % WATCHED.length]!;
  const client = createLiveClient(() =>
    io(product.url, { transports: ["websocket"], forceNew: true, reconnectionDelayMax: 2000, extraHeaders }),
  );
  let frames = 0;
  let missed = 0;
  let cuts = 0;
  let closing = false;
  const load = () =>
    client.snapshot(
      rooms.at(-1)!,
      () => product.get<unknown>(snapshot),
      (state) => state,
    );
  client.onConnection(() => {
    if (client.connection().phase === "reconnecting" && !closing) cuts++;
  });
  client.start();
  for (const room of rooms)
    client.watch(room, {
      onFrame: () => void frames++,
      onMissed() {
        missed++;
        void load().catch(() => {});
      },
    });
  void load().catch(() => {});
  return {
    frames: () => frames,
    missed: () => missed,
    cuts: () => cuts,
    close() {
      closing = true;
      client.stop();
    },
  };
}

async function sample(
  product: Product,
  page: Page,
  session: CDPSession,
  clients: readonly OpenBrowser[],
  minute: number,
): Promise<Sample> {
  const tree = product.tree();
  const mb = (role: "web" | "worker") => Math.round((processOf(tree, role)?.rss ?? NaN) / MB);
  await session.send("HeapProfiler.collectGarbage");
  const { usedSize } = await session.send("Runtime.getHeapUsage");
  await page.getByRole("status").getByText("Connected").waitFor();
  return {
    minute,
    webMb: mb("web"),
    workerMb: mb("worker"),
    pageMb: Number((usedSize / MB).toFixed(1)),
    frames: sumOf(clients, "frames"),
  };
}

function sumOf(clients: readonly OpenBrowser[], what: "frames" | "missed" | "cuts"): number {
  return clients.reduce((sum, client) => sum + client[what](), 0);
}

/** The median of both halves past the first quarter, in which everything still warms up. */
function growth(values: readonly number[]): { flat: boolean; cells: string[] } {
  const warm = values.slice(Math.floor(values.length / 4));
  const first = median(warm.slice(0, Math.ceil(warm.length / 2)));
  const second = median(warm.slice(Math.floor(warm.length / 2)));
  return {
    flat: second <= first * FLAT.factor + FLAT.slackMb,
    cells: [values[0]!, first, second].map((value) => value.toFixed(1)),
  };
}
