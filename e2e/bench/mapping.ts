import { compileMapping } from "@/server/domain/mapping/compile";
import type { Delivery } from "@/server/domain/mapping/delivery";
import { decodeMessage } from "@/server/domain/decode-message";
import { createPlainReader } from "@/server/pipeline/plain-message";
import { mappingSchema } from "@/server/domain/mapping/mapping";
import { DECODER_OF } from "@/server/sources/decoders/decoders";
import { ttnV3 } from "@/server/sources/templates/ttn-v3";
import { measureRates } from "./mapping-rates";
import { messageLine } from "./messages";

const ROUNDS = 7;
const MESSAGES = 20_000;
const ANY_TIME = { now: Number.MAX_SAFE_INTEGER, futureToleranceMs: 0, retentionMs: null };

/** Measures the processor time of mappings: a TTN message through its template, and what the worker spends on what comes of it; and rates of the built product. */
export async function main(): Promise<number> {
  const map = compileMapping(mappingSchema.parse(ttnV3.mapping));
  const decode = DECODER_OF[ttnV3.mapping.decode];
  const deliveries = Array.from({ length: 200 }, (_, i) => ttnDelivery(i));
  const parts = deliveries.map((delivery) => decode(delivery));
  const mapped = deliveries.map((delivery, i) => map(parts[i]!, delivery));
  const message = mapped[0]!.messages[0];
  if (!message) throw new Error(JSON.stringify(mapped[0]!.refused));
  console.log(`${deliveries[0]!.body.length} bytes → ${new TextDecoder().decode(message.bytes)}`);

  const made = mapped.flatMap(({ messages }) => messages.map(({ bytes }) => bytes));
  const canonical = Array.from({ length: 200 }, (_, i) => Buffer.from(messageLine(i, Date.now()).line));
  const readPlain = createPlainReader();
  const read = (bytes: Uint8Array) => readPlain(bytes, ANY_TIME) ?? decodeMessage(bytes, ANY_TIME);
  report("map a TTN v3 message (limit 15)", (i) => map(parts[i % 200]!, deliveries[i % 200]!));
  report("decode its JSON", (i) => decode(deliveries[i % 200]!));
  report("both: what a door spends", (i) => map(decode(deliveries[i % 200]!), deliveries[i % 200]!));
  report("judge a canonical message at the door", (i) => decodeMessage(canonical[i % 200]!, ANY_TIME));
  report("worker reads a mapped message", (i) => read(made[i % made.length]!));
  report("worker reads a canonical message", (i) => read(canonical[i % 200]!));
  await measureRates((i) => new TextDecoder().decode(ttnDelivery(i % 50).body));
  return 0;
}

/** Prints the median of several rounds. */
function report(what: string, run: (i: number) => unknown): void {
  const rounds = Array.from({ length: ROUNDS }, () => {
    const began = process.cpuUsage();
    for (let i = 0; i < MESSAGES; i++) run(i);
    const { user, system } = process.cpuUsage(began);
    return (user + system) / MESSAGES;
  }).sort((a, b) => a - b);
  console.log(`${rounds[Math.floor(ROUNDS / 2)]!.toFixed(2).padStart(8)} µs CPU  ${what}`);
}

function ttnDelivery(i: number): Delivery {
  const body = JSON.stringify({
    end_device_ids: {
      device_id: `tank-${i}`,
      application_ids: { application_id: "tanks" },
      dev_eui: "70B3D57ED0001234",
      join_eui: "70B3D57ED0000000",
      dev_addr: "260B1234",
    },
    correlation_ids: ["gs:uplink:01HZXR0000000000000000000"],
    received_at: "2026-11-28T10:00:00.456123456Z",
    uplink_message: {
      session_key_id: "AYfXfP0000000000000000==",
      f_port: 2,
      f_cnt: 1000 + i,
      frm_payload: "AQIDBAUGBwg=",
      decoded_payload: {
        temperature: 20 + i / 10,
        humidity: 40.5,
        battery: 3.61,
        level: { distance_mm: 1200 + i, percent: "47.50" },
        alarm: false,
        status: "ok",
      },
      rx_metadata: [
        {
          gateway_ids: { gateway_id: "gw-1", eui: "B827EBFFFE000001" },
          time: "2026-11-28T10:00:00.345678901Z",
          timestamp: 3_456_789_012,
          rssi: -71,
          channel_rssi: -71,
          snr: 9.2,
          location: { latitude: 52.51, longitude: 13.4, altitude: 34 },
        },
      ],
      settings: { data_rate: { lora: { bandwidth: 125_000, spreading_factor: 7 } }, frequency: "868100000" },
      received_at: "2026-11-28T10:00:00.234567890Z",
      consumed_airtime: "0.061696s",
      network_ids: { net_id: "000013", tenant_id: "ttn", cluster_id: "eu1" },
    },
  });
  return {
    body: new TextEncoder().encode(body),
    arrived: Date.parse("2026-11-28T10:00:01Z"),
    beside: {
      ...{
        contentType: "application/json",
        topic: null,
        retained: false,
        path: [],
        query: {},
        headers: {},
        kafka: null,
      },
    },
  };
}
