import { Buffer } from "node:buffer";
import {
  type DeadLetter,
  type DeadLetterChange,
  type DeadLetterEvent,
  deadLetterId,
  type DeadLetterQuery,
  type DeadLetters,
  type KeptDeadLetter,
  NEVER_RESENT,
} from "@/server/ports/dead-letters";
import type { Sites } from "@/server/domain/access";
import type { DocumentStoreFixture } from "../message-archive.contract";

/** A store, and the catalog it goes by. */
export interface DeadLettersFixture extends DocumentStoreFixture<DeadLetters> {
  /** Puts devices and sources at a site. */
  place(site: number, devices: readonly string[], sources?: readonly string[]): Promise<void>;
}

export type DeadLettersBench = ReturnType<typeof createBench>;

/** A store to test with, and devices of their own for every test. */
export function createBench(createFixture: () => Promise<DeadLettersFixture>) {
  let fixture: DeadLettersFixture | undefined;
  let devices = 0;

  return {
    get letters(): DeadLetters {
      if (!fixture) throw new Error("the suite is not set up");
      return fixture.store;
    },

    async setUp(): Promise<void> {
      fixture = await createFixture();
    },

    async tearDown(): Promise<void> {
      await fixture?.close();
    },

    newDevice(): string {
      return `device-${++devices}`;
    },

    /** Puts devices and sources at a site. */
    place(site: number, placed: readonly string[], sources?: readonly string[]): Promise<void> {
      return fixture!.place(site, placed, sources);
    },

    /** Those of all sites, if the query doesn't say of which. */
    async find(query: Omit<DeadLetterQuery, "sites"> & { readonly sites?: Sites }): Promise<readonly KeptDeadLetter[]> {
      return (await this.letters.find({ sites: "all", ...query })).map(plain);
    },

    async one(id: string): Promise<KeptDeadLetter> {
      return (await this.find({ ids: [id], limit: 1 }))[0]!;
    },
  };
}

/** Bytes of whatever class an adapter answers with, as Uint8Array. */
function plain(letter: KeptDeadLetter): KeptDeadLetter {
  return { ...letter, raw: Uint8Array.from(Buffer.from(letter.raw)) };
}

/** Returns a letter as it is found when nothing was done with it. */
export function kept(letter: DeadLetter): KeptDeadLetter {
  return { ...letter, status: "open", resentAs: null, changedAt: null };
}

export function letterOf(
  device: string | null,
  offset: number,
  over: Partial<
    Pick<DeadLetter, "delivery" | "detail" | "field" | "ingestTime" | "raw" | "reason" | "senderSite" | "source">
  > & { index?: number } = {},
): DeadLetter {
  const { index = null, ...rest } = over;
  const position = { log: `cluster/topic-of-${(device ?? "none").replace(/[^a-z0-9-]/g, "")}/0`, partition: 0, offset };
  const ingestTime = over.ingestTime ?? 1_700_000_000_000 + offset;
  return {
    id: deadLetterId(position, index),
    position,
    reason: "notJson",
    detail: "cannot be read",
    device,
    field: null,
    ingestTime,
    processedTime: ingestTime + 7,
    raw: Uint8Array.of(1, 2, 3),
    senderSite: null,
    ...{ source: null, delivery: null },
    ...NEVER_RESENT,
    ...rest,
  };
}

export function eventOf(kind: DeadLetterEvent["kind"], over: Partial<DeadLetterEvent> = {}): DeadLetterEvent {
  return { time: 1_800_000_000_000, kind, detail: "because", edited: false, ...over };
}

/** A change of an open letter that was never sent. */
export function changeOf(
  letter: DeadLetter,
  over: Partial<DeadLetterChange> & Pick<DeadLetterChange, "to">,
): DeadLetterChange {
  return { id: letter.id, from: ["open"], resends: 0, event: eventOf("sent"), ...over };
}
