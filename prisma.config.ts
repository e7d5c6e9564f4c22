import { defineConfig } from "prisma/config";

// The client's generator never uses the schema engine, but Prisma's command line fetches it from its own host before
// every command. Naming an executable that exists lets `generate`, `validate` and `format` run with the npm registry
// alone. Never for `migrate`, which would do nothing and call it success: server/postgres/migrate.ts applies migrations.
if (["generate", "validate", "format"].some((command) => process.argv.includes(command))) {
  process.env.PRISMA_SCHEMA_ENGINE_BINARY ??= process.execPath;
}

export default defineConfig({ schema: "prisma/schema.prisma", migrations: { path: "prisma/migrations" } });
