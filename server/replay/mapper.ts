import { readJson } from "@/server/domain/json";
import { compileMapping } from "@/server/domain/mapping/compile";
import {
  type Delivery,
  type Leaf,
  type MappedMessage,
  NOTHING_BESIDE,
  type Part,
} from "@/server/domain/mapping/delivery";
import type { CommonLabels } from "@/server/domain/mapping/labels";
import type { DecoderName, Mapping } from "@/server/domain/mapping/mapping";
import type { CsvRow } from "./csv";

/** Makes parts of a delivery's bytes. @throws an error that says what is wrong with them. */
export type DecoderOf = Readonly<Record<DecoderName, (delivery: Delivery, mapping: Mapping) => readonly Part[]>>;

/** A mapping that was named: a file's, or a source's with what that says of all of its devices. */
export interface GivenMapping {
  readonly mapping: Mapping;
  readonly labels: CommonLabels;
  readonly decoderOf: DecoderOf;
}

/** What became of one item of a recording. */
export interface ReadItem {
  /** JSON texts as they go out: one, or as many as a mapping made of it. None for what isn't sent. */
  readonly texts: readonly Uint8Array[];
  /** What the texts say; null if no mapping made them. */
  readonly messages: readonly MappedMessage[] | null;
  /** Why it, or a part of it, isn't sent. Neither texts nor refusals: a row without a value. */
  readonly refused: readonly { readonly reason: string; readonly detail: string }[];
  /** What became of each of its values; null unless it was asked for, or without a mapping. */
  readonly leaves: readonly Leaf[] | null;
}

/** Reads an item: its text, or its fields. */
export type Mapper = (item: { readonly text: Buffer | null; readonly row?: CsvRow["value"] | undefined }) => ReadItem;

const NOTHING: ReadItem = { texts: [], messages: [], refused: [], leaves: [] };
const EMPTY = new Uint8Array();

/**
 * Makes the function that reads items by a mapping. A recording has no time of arrival: an item without a time is refused, whatever the mapping does with
 * one that arrives, as sent twice it would be two.
 */
export function createMapper(mapping: Mapping, given: GivenMapping | null, explain: boolean): Mapper {
  const run = compileMapping({ ...mapping, withoutTime: "refuse" }, { explain, labels: given?.labels ?? {} });
  const arrived = Date.now();
  const decode = given === null ? decodeJson : given.decoderOf[mapping.decode];
  return ({ text, row }) => {
    if (row === null) return NOTHING;
    const delivery: Delivery = { body: text ?? EMPTY, arrived, beside: NOTHING_BESIDE };
    try {
      const parts = row === undefined ? decode(delivery, mapping) : [{ value: row, path: "", beside: {} }];
      const { messages, refused, leaves } = run(parts, delivery);
      return {
        texts: messages.map(({ bytes }) => bytes),
        refused: refused.map(({ path, reason, detail }) => ({
          reason,
          detail: path === "" || detail.includes(path) ? detail : `${path}: ${detail}`,
        })),
        ...{ messages, leaves },
      };
    } catch (error) {
      return { ...NOTHING, refused: [{ reason: "unreadable", detail: (error as Error).message }] };
    }
  };
}

function decodeJson({ body }: Delivery): readonly Part[] {
  return [{ value: readJson(new TextDecoder("utf-8", { fatal: true }).decode(body)), path: "", beside: {} }];
}
