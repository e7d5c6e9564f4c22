import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import type { Delivery } from "@/server/domain/mapping/delivery";
import type { SourceKind } from "@/server/domain/source";
import { deliveryOf } from "../decoders/testing";
import type { FixtureFile } from "./samples";

/** What a sender of a kind sends, for tests: a file of its own below fixtures/<kind>/. */
export interface Fixture {
  readonly kind: SourceKind;
  readonly name: string;
  readonly delivery: Delivery;
  /** Where the table of what it becomes is. */
  readonly table: string;
}

const FOLDER = path.join(import.meta.dirname, "fixtures");

/** Reads all fixtures there are. */
export function readFixtures(): readonly Fixture[] {
  return readdirSync(FOLDER).flatMap((kind) =>
    readdirSync(path.join(FOLDER, kind))
      .filter((file) => file.endsWith(".json"))
      .map((file) => {
        const name = file.slice(0, -".json".length);
        const written = JSON.parse(readFileSync(path.join(FOLDER, kind, file), "utf8")) as FixtureFile;
        const { after: _after, json, text, base64, ...beside } = written;
        const body = base64 === undefined ? (text ?? JSON.stringify(json)) : Buffer.from(base64, "base64");
        const table = path.join(FOLDER, kind, `${name}.txt`);
        return { kind: kind as SourceKind, name, delivery: deliveryOf(body, beside), table };
      }),
  );
}
