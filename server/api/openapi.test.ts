import { readdirSync } from "node:fs";
import { expect, test } from "vitest";
import { createOpenApi } from "./openapi";
import { PROTOCOLS } from "./source-doors/receive";
import { VERBS } from "./verbs";

const document = createOpenApi(Object.values(VERBS), PROTOCOLS, "0") as {
  paths: Record<
    string,
    Record<
      string,
      {
        parameters: { name: string; in: string }[];
        responses: Record<string, unknown>;
        security: object[];
        requestBody?: object;
      }
    >
  >;
  components: { schemas: Record<string, unknown>; securitySchemes: Record<string, unknown> };
};

test("every route under app/api is in the document, and nothing else", () => {
  const routes = readdirSync("app/api", { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith("route.ts"))
    .map(
      (file) =>
        `/api/${file
          .replaceAll("\\", "/")
          .replace("/route.ts", "")
          .replace(/\[(\w+)\]/g, "{$1}")}`,
    )
    .filter((address) => !address.includes("[...") && address !== "/api/openapi.json");
  // Doors of sources are answered without Next.
  const doors = ["/ingest/{source}", "/write", "/api/v2/write", "/ping", "/query", "/v1/metrics", "/api/v1/prom/write"];
  expect(Object.keys(document.paths).sort()).toEqual([...routes, ...doors].sort());
});

test("doors of sources tell every place a key may stand in, and the methods they take", () => {
  const { "/ingest/{source}": own, "/api/v2/write": lines, "/ping": ping } = document.paths;
  expect(Object.keys(own!)).toEqual(["post", "put", "patch", "get"]);
  const places = ["key", "token", "password", "header", "parameter"].map((scheme) => ({ [scheme]: [] }));
  expect([own!.post!.security, lines!.post!.security, ping!.get!.security]).toEqual([places, places, []]);
  expect([own!.get!.requestBody, own!.put!.requestBody]).toEqual([undefined, own!.post!.requestBody]);
});

test("every reference leads somewhere, and every name is used", () => {
  const text = JSON.stringify(document);
  const used = new Set([...text.matchAll(/"\$ref":"#\/components\/schemas\/(\w+)"/g)].map(([, name]) => name!));
  expect([...used].sort()).toEqual(Object.keys(document.components.schemas).sort());
  expect(text.match(/"#\/\$defs|"\$schema"/g)).toBeNull();
});

test("every path parameter is described, and every operation names its problems", () => {
  for (const [address, operations] of Object.entries(document.paths)) {
    for (const { parameters, responses } of Object.values(operations)) {
      const named = parameters.filter((parameter) => parameter.in === "path").map(({ name }) => `{${name}}`);
      expect(address.match(/\{\w+\}/g) ?? []).toEqual(named);
      expect(Object.keys(responses)).toContain("500");
    }
  }
});

test("a place in a path has one name everywhere: Next doesn't start with two", () => {
  const names = new Map<string, string>();
  for (const address of Object.keys(document.paths))
    for (const { 0: name, index } of address.matchAll(/\{\w+\}/g)) {
      const before = address.slice(0, index);
      expect(names.get(before) ?? name, address).toBe(name);
      names.set(before, name);
    }
});
