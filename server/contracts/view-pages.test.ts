import { expect, test } from "vitest";
import { addressOf, viewQueryOf } from "./view-pages";

test("a view keeps what the page is narrowed to, in one order, and leaves out what is open on it", () => {
  const address = new URLSearchParams("view=3&sort=-value:battery&label=a:1&label=b:2&search=&where=battery < 20&x=1");
  const query = viewQueryOf("devices", address);
  expect(query).toBe("label=a%3A1&label=b%3A2&where=battery+%3C+20&sort=-value%3Abattery");
  expect(viewQueryOf("devices", new URLSearchParams(query))).toBe(query);
  expect(viewQueryOf("events", new URLSearchParams("event=a1&span=24h&kinds=note"))).toBe("kinds=note&span=24h");
  expect(addressOf({ id: 3, page: "devices", query })).toBe(`/devices?view=3&${query}`);
  expect(addressOf({ id: 3, page: "alerts", query: "" })).toBe("/alerts?view=3");
});
