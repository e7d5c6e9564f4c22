import { expect, test } from "vitest";
import { CHANNEL_KINDS, CHANNELS } from "@/server/domain/notifications/channel";
import { CHANNEL_FIELDS, filledFrom, partOf } from "./channel-fields";

test.each(CHANNEL_KINDS)("the form of %s has exactly what the kind takes", (kind) => {
  for (const part of ["settings", "secrets"] as const) {
    const { shape } = CHANNELS[kind][part];
    const own = CHANNEL_FIELDS[kind].filter((field) => field.part === part).map(({ name }) => name);
    expect(own.sort()).toEqual(Object.keys(shape).sort());
  }
});

test("what is filled in becomes settings, and back", () => {
  const filled = {
    ...{ "settings.host": "mail", "settings.port": "2525", "settings.from": " a@example.com " },
    "settings.to": "b@example.com\nc@example.com,d@example.com\n",
  };
  const settings = partOf("email", "settings", filled);
  expect(settings).toEqual({
    ...{ host: "mail", port: 2525, user: null, ca: null, from: "a@example.com" },
    to: ["b@example.com", "c@example.com", "d@example.com"],
  });
  expect(partOf("email", "settings", filledFrom("email", settings))).toEqual(settings);
  expect(partOf("email", "secrets", { "secrets.password": "" })).toEqual({});
});
