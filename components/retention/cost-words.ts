import type { CostAnswer } from "@/server/contracts/cost";
import { LEVER_DAYS, type Lever, type Store } from "@/server/domain/cost";
import { counted } from "@/server/domain/counted";

export const STORE_WORDS: Record<Store, string> = {
  raw: "Readings",
  minutes: "Minute rollups",
  hours: "Hour rollups",
  messages: "Messages in the archive",
  deadLetters: "Dead letters",
  log: "Event log",
  cold: "Readings in cold storage",
};

/** What to do, and where. */
export function leverWords(lever: Lever, { machine }: Pick<CostAnswer, "machine">): { what: string; how: string } {
  const { neededVcpus: vcpus, neededMemoryGiB: memory } = machine;
  return {
    rawRetention: {
      what: `Keep readings for ${LEVER_DAYS.rawRetention} days`,
      how: "under Kept; minutes and hours stay",
    },
    messageRetention: {
      what: `Keep messages for ${LEVER_DAYS.messageRetention} days`,
      how: `ARCHIVE_RETENTION_DAYS=${LEVER_DAYS.messageRetention}`,
    },
    coldTier: {
      what: `Move readings to cold storage after ${LEVER_DAYS.coldTier} days`,
      how: `COLD_URL, and COLD_AFTER_DAYS=${LEVER_DAYS.coldTier}`,
    },
    rightSize: {
      what: `A machine with ${counted(vcpus, "processor")} and ${memory} GiB`,
      how: "twice the load of the last 15 minutes, half as much memory again as is in use",
    },
    spot: {
      what: "A machine that may be taken back, for a worker",
      how: "whatever is killed, nothing is lost; a quarter of a processor and 0.56 GiB",
    },
  }[lever];
}

/** What stands where a figure can't be told. */
export const NOT_KNOWN = "not known yet";

/** Why some figures of what comes aren't known; null: all are. */
export function unknownWords({ messagesPerDay, stores }: Pick<CostAnswer, "messagesPerDay" | "stores">): string | null {
  if (messagesPerDay === null)
    return "It is too early to tell what will come: ask again after ten minutes of messages.";
  if (stores.every(({ perMessage }) => perMessage !== null)) return null;
  return "Where too little is there yet to say what a message takes, the sums have what it takes now.";
}

/** An amount of money with as many digits as it needs: "€1,240", "€12.40", "less than €0.01". */
export function formatMoney(amount: number, currency: string): string {
  const size = Math.abs(amount);
  const digits = size >= 100 ? 0 : 2;
  const format = new Intl.NumberFormat("en", {
    style: "currency",
    currency,
    maximumFractionDigits: digits,
    minimumFractionDigits: digits,
  });
  return size > 0 && size < 0.005 ? `less than ${format.format(0.01)}` : format.format(amount);
}
