import { expect, test } from "vitest";
import { addressForPeople } from "./address";
import { loadConfig } from "./config";

test.each([
  ["127.0.0.1", "http://localhost:3000"],
  ["localhost", "http://localhost:3000"],
  ["0.0.0.0", "http://localhost:3000"],
  ["::", "http://localhost:3000"],
  ["127.0.0.2", "http://127.0.0.2:3000"],
  ["::1", "http://[::1]:3000"],
])("what listens at %s is opened at %s", (HOST, address) => {
  const { server, frontDoor } = loadConfig({ PORT: "3000" }, "");
  expect(addressForPeople({ server: { ...server, HOST }, frontDoor })).toBe(address);
});
