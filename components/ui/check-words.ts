import { DEVICE_CHECKS, SERIES_CHECKS, SLOW_CHECKS } from "@/server/domain/quality/checks";

/** The name and the meaning of each check, for people. */
export const CHECKS = { ...SERIES_CHECKS, ...DEVICE_CHECKS, ...SLOW_CHECKS };
export type Check = keyof typeof CHECKS;
