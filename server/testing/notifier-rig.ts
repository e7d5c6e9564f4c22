import pino from "pino";
import { composeChannels } from "@/server/compose-notifications";
import { loadConfig } from "@/server/config/config";
import { createKeptSecrets } from "@/server/config/kept-secrets";
import type { ChannelKind } from "@/server/domain/notifications/channel";
import { channelHolder } from "@/server/notifications/channels";
import { createSender, type Sender } from "@/server/notifications/sender";
import { createTurn } from "@/server/notifications/turn";
import type { TestDatabase } from "./database";

/** The notifier's parts on a database, by a clock that stands still until it is moved. */
export function notifierRig(db: TestDatabase, dataDir: string) {
  const config = { ...loadConfig({ DATABASE_URL: db.appUrl }, ""), dataDir };
  const keptSecrets = createKeptSecrets(config);
  const clock = { now: Date.now() };
  const deps = {
    ...{
      pool: db.pool,
      now: () => clock.now,
      logger: pino({ level: "silent" }),
      publicUrl: "https://fieldwatch.example",
    },
    ...composeChannels(config),
    ...{ keptSecrets, random: () => 0.5 },
  };
  let parts = { turn: createTurn(deps), sender: createSender(deps) as Sender };
  return {
    ...{ clock, config, deps },

    /** Adds a channel. @returns its id. */
    async channel(
      name: string,
      kind: ChannelKind,
      settings: object,
      secrets: object = {},
      more: { readonly fallback?: number; readonly mostPerHour?: number } = {},
    ): Promise<number> {
      const { rows } = await db.pool.query<{ id: number }>(
        `INSERT INTO channel (name, kind, settings, fallback_id, most_per_hour) VALUES ($1, $2, $3, $4, $5) RETURNING id`,
        [name, kind, JSON.stringify(settings), more.fallback ?? null, more.mostPerHour ?? 100_000],
      );
      const { id } = rows[0]!;
      await db.pool.query(`UPDATE channel SET secret = $2 WHERE id = $1`, [
        id,
        keptSecrets.seal(JSON.stringify(secrets), channelHolder(id)),
      ]);
      return id;
    },

    /** Adds a route after those there are. */
    async route(
      name: string,
      channels: readonly number[],
      more: {
        readonly matchers?: readonly object[];
        readonly groupBy?: readonly string[];
        readonly waitMs?: number;
        readonly intervalMs?: number;
        readonly repeatMs?: number | null;
        readonly resolved?: boolean;
        readonly escalateMs?: number;
        readonly escalateTo?: readonly number[];
      } = {},
    ): Promise<number> {
      const {
        matchers = [],
        groupBy = ["rule", "site"],
        waitMs = 0,
        intervalMs = 0,
        repeatMs = null,
        resolved = true,
      } = more;
      const { rows } = await db.pool.query<{ id: number }>(
        `INSERT INTO route (place, name, matchers, channels, group_by, wait_ms, interval_ms, repeat_ms, resolved, escalate_ms, escalate_to)
         SELECT coalesce(max(place), 0) + 1, $1, $2, $3, $4, $5, $6, $7, $8, $9, $10 FROM route RETURNING id`,
        [
          ...[name, JSON.stringify(matchers), channels, groupBy, waitMs, intervalMs, repeatMs, resolved],
          ...[more.escalateMs ?? null, more.escalateTo ?? []],
        ],
      );
      return rows[0]!.id;
    },

    async silence(matchers: readonly object[], endsAt: number): Promise<number> {
      const { rows } = await db.pool.query<{ id: number }>(
        `INSERT INTO silence (matchers, reason, starts_at, ends_at, made_by)
         VALUES ($1, 'being mended', to_timestamp($2 / 1000.0), to_timestamp($3 / 1000.0), 'Ada') RETURNING id`,
        [JSON.stringify(matchers), clock.now, endsAt],
      );
      return rows[0]!.id;
    },

    /** Decides and writes what there is to tell, and sends nothing. */
    turn: () => parts.turn(),

    /** Decides and tells what there is, and waits until what is due has been tried. */
    async run(): Promise<void> {
      await parts.turn();
      await parts.sender.start();
      await parts.sender.idle();
      await parts.sender.remind();
      await parts.sender.idle();
    },

    /** Moves the clock, in steps, and does what there is at each. */
    async pass(ms: number, stepMs = ms): Promise<void> {
      for (let left = ms; left > 0; left -= stepMs) {
        clock.now += Math.min(stepMs, left);
        await this.run();
      }
    },

    /** A process anew: nothing in memory. */
    restart(): void {
      parts = { turn: createTurn(deps), sender: createSender(deps) };
    },

    async messages(): Promise<
      readonly { status: string; title: string; occasion: string; attempts: number; answer: string | null }[]
    > {
      return (await db.pool.query(`SELECT status, title, occasion, attempts, answer FROM notification ORDER BY place`))
        .rows;
    },

    async empty(): Promise<void> {
      await parts.sender.stop();
      this.restart();
      await db.pool.query(
        `TRUNCATE alert, channel, route, silence, maintenance, device, site, metric RESTART IDENTITY CASCADE`,
      );
    },
  };
}
