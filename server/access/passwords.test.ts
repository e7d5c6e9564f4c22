import { scryptSync } from "node:crypto";
import { expect, test } from "vitest";
import { hashPassword, isPassword } from "./passwords";

test("a hash has the parameters of OWASP, and is what scrypt makes with them", async () => {
  const kept = await hashPassword("correct horse battery");
  const [, salt, hash] = /^\$scrypt\$ln=15,r=8,p=3\$([\w+/]{22})\$([\w+/]{43})$/.exec(kept) ?? [];
  const made = scryptSync("correct horse battery", Buffer.from(salt!, "base64"), 32, {
    ...{ N: 32_768, r: 8, p: 3, maxmem: 128 * 1024 * 1024 },
  });
  expect(made.toString("base64").replaceAll("=", "")).toBe(hash);
  expect([await isPassword("correct horse battery", kept), await isPassword("another", kept)]).toEqual([true, false]);
});
