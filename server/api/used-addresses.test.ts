import { readdirSync, readFileSync } from "node:fs";
import { type Argument, type Expression, parseSync, Visitor } from "oxc-parser";
import { expect, test } from "vitest";
import { PROTOCOLS } from "./source-doors/receive";
import { VERBS } from "./verbs";

/** Stands for what isn't known before a page runs. */
const ANY = "\u0000";

interface Used {
  readonly address: string;
  readonly method: string | null;
}

/** The functions by which pages ask and send, and their method; null where the call says it. */
const ASKING: Readonly<Record<string, string | null>> = {
  ...{ readJson: "GET", postJson: "POST", patchJson: "PATCH", deleteJson: "DELETE", fetchTimed: null, fetch: null },
};

/** Addresses below /api that a file of the browser's uses, by the calls that ask and by any other text of it. */
function addressesIn(file: string): readonly Used[] {
  const code = readFileSync(file, "utf8");
  const { program } = parseSync(file, code);
  const named = new Map<string, Expression>();
  const found: Used[] = [];

  new Visitor({
    VariableDeclarator({ id, init }) {
      if (id.type !== "Identifier" || init === null) return;
      const short = init.type === "ArrowFunctionExpression" && init.body.type !== "BlockStatement";
      named.set(id.name, short ? (init.body as Expression) : init);
    },
    FunctionDeclaration({ id, body }) {
      const returned = body?.body.find((one) => one.type === "ReturnStatement");
      if (id !== null && returned?.argument) named.set(id.name, returned.argument);
    },
  }).visit(program);

  /** What an expression is as text, as far as this file says. */
  function textOf(node: Argument, depth = 0): string {
    if (node.type === "Literal" && typeof node.value === "string") return node.value;
    if (node.type === "TemplateLiteral")
      return node.quasis
        .map(({ value }, i) => (i === 0 ? "" : textOf(node.expressions[i - 1]!, depth + 1)) + (value.cooked ?? ""))
        .join("");
    const callee = node.type === "CallExpression" ? node.callee : node;
    const value = callee.type === "Identifier" && depth < 5 ? named.get(callee.name) : undefined;
    return value === undefined ? ANY : textOf(value, depth + 1);
  }
  const add = (node: Expression) => found.push({ address: textOf(node), method: null });

  new Visitor({
    CallExpression({ callee, arguments: [to], start, end }) {
      if (callee.type !== "Identifier" || !Object.hasOwn(ASKING, callee.name) || to === undefined) return;
      const said = /\bmethod: "([A-Z]+)"/.exec(code.slice(start, end))?.[1];
      const method = ASKING[callee.name] ?? said ?? (callee.name === "fetch" ? null : "GET");
      found.push({ address: textOf(to), method });
    },
    Literal: add,
    TemplateLiteral: add,
  }).visit(program);
  return found.filter(({ address }) => address.startsWith("/api/"));
}

/** True if a verb answers there; of a text that no call is known to ask, also if it begins such an address. What is open at the end of a level may be a query or an ending. */
function isAnswered({ address, method }: Used): boolean {
  const [path = ""] = address.split("?", 1);
  if (PROTOCOLS.some((protocol) => protocol.path === path)) return true;
  return Object.values(VERBS).some(({ operation }) => {
    if (method !== null && operation.method !== method) return false;
    const [levels, asked] = [operation.path.split("/"), path.split("/")];
    return (
      (levels.length === asked.length || (method === null && levels.length > asked.length)) &&
      levels.slice(0, asked.length).every((level, i) => {
        const [fixed = ""] = asked[i]!.split(ANY, 1);
        if (level.startsWith("{")) return asked[i] !== "";
        return asked[i]!.includes(ANY) ? level.startsWith(fixed) : level === asked[i];
      })
    );
  });
}

const files = readdirSync("components", { recursive: true, encoding: "utf8" })
  .filter((file) => /\.tsx?$/.test(file) && !file.includes(".test."))
  .map((file) => `components/${file.replaceAll("\\", "/")}`);
const used = files.flatMap((file) => addressesIn(file).map((one) => ({ file, ...one })));

/** The document itself; and what is asked to learn whether it would be refused. */
const NO_VERBS = new Set(["/api/openapi.json", "POST /api/livez"]);

test("every address that a page asks or sends to is a verb's: no button is dead", () => {
  expect(used.length).toBeGreaterThan(40);
  const dead = used.filter((one) => !NO_VERBS.has(`${one.method ?? ""} ${one.address}`.trim()) && !isAnswered(one));
  expect(dead.map(({ file, address, method }) => `${file}: ${method ?? ""} ${address.replaceAll(ANY, "…")}`)).toEqual(
    [],
  );
});

test("tells an address that nobody answers, and a method that isn't taken", () => {
  expect(isAnswered({ address: `/api/v1/devices/${ANY}/reading${ANY}`, method: null })).toBe(true);
  expect(isAnswered({ address: `/api/v1/devices/${ANY}/gone`, method: null })).toBe(false);
  expect(isAnswered({ address: "/api/v1/metrics", method: "DELETE" })).toBe(false);
  // Addresses that are put together of several parts of a file are found, with their methods.
  const asked = used.map(({ address, method }) => `${method} ${address.replaceAll(ANY, "*")}`);
  expect(asked).toEqual(expect.arrayContaining(["POST /api/v1/jobs/*/*", "DELETE /api/v1/users/*"]));
});
