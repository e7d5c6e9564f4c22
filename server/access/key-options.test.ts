import { expect, test } from "vitest";
import { StartError } from "@/server/postgres/start-error";
import { readKeyOptions } from "./key-options";

const read = (line: string) => readKeyOptions(["--name", "x", ...line.split(" ").filter(Boolean)]);
const whyNot = (line: string) => {
  try {
    return read(line);
  } catch (error) {
    return (error as StartError).why;
  }
};

test("the kind of a key follows from what is said of it", () => {
  expect(read("--role viewer --site north")).toMatchObject({ kind: "service", role: "viewer", site: "north" });
  expect(read("--device press-1")).toMatchObject({ kind: "device", device: "press-1", site: null, role: null });
  expect(read("--site north --network 10.0.0.0/8 --network ::1")).toMatchObject({
    ...{ kind: "site", site: "north", networks: ["10.0.0.0/8", "::1"] },
  });
  expect(read("--any-site --days never")).toMatchObject({ kind: "site", site: null, days: null });
  expect(read("--any-site --days 30").days).toBe(30);
  expect(read("--any-site").days).toBeUndefined();
});

test("what isn't right is told by its option", () => {
  expect(whyNot("")).toContain("--role makes the key of a program");
  expect(whyNot("--role boss")).toContain("--role is one of viewer, operator, editor, admin.");
  expect(whyNot("--role viewer --device d")).toContain("--device");
  expect(whyNot("--site a --any-site")).toContain("--any-site");
  expect(whyNot("--any-site --new-site")).toContain("--new-site");
  expect(whyNot("--any-site --days 0")).toContain("--days");
  expect(whyNot("--any-site --network 10.0.0.0/99")).toBe("--network must be an address or a block like 10.1.0.0/16.");
  expect(whyNot("--any-site --colour red")).toContain("--colour");
  expect(() => readKeyOptions(["--any-site"])).toThrow(StartError);
});
