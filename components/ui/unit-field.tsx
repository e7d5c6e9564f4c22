"use client";
import { Autocomplete, type AutocompleteProps } from "@mantine/core";
import { UNIT_LENGTH } from "@/server/domain/label";

/** Offered while typing; any other short text will do. */
const OFFERED = (
  "°C °F K % %RH bar mbar hPa kPa psi mV V mA A W kW kWh Hz " +
  "rpm m/s km/h mm/s mm m l/min m³/h ppm ppb µg/m³ lx dB dBm s"
).split(" ");

/** The unit of a metric; empty is none. */
export function UnitField(props: Omit<AutocompleteProps, "data" | "limit" | "maxLength" | "placeholder">) {
  return <Autocomplete placeholder="no unit" data={OFFERED} limit={8} maxLength={UNIT_LENGTH} {...props} />;
}
