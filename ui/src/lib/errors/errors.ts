/** What the page does about each kind of failure. A new code does not compile until it has its line here and its words. */
import type { ErrorCode } from "$lib/backend";

export interface Treatment {
  /** `risk`: data or a device is in danger (red); `pause`: something stopped and can go on (clay). */
  severity: "risk" | "pause";
  /** The way out that comes first. */
  action: "retry" | "settings" | "new" | "none";
}

export const TREATMENTS: Record<ErrorCode, Treatment> = {
  model_file_damaged: { severity: "risk", action: "settings" },
  model_unsupported: { severity: "pause", action: "settings" },
  model_missing: { severity: "pause", action: "settings" },
  out_of_memory: { severity: "pause", action: "retry" },
  model_loading: { severity: "pause", action: "retry" },
  worker_crashed: { severity: "pause", action: "retry" },
  worker_hung: { severity: "pause", action: "retry" },
  queue_full: { severity: "pause", action: "retry" },
  prompt_too_long: { severity: "pause", action: "new" },
  invalid_request: { severity: "pause", action: "none" },
  device_unavailable: { severity: "pause", action: "settings" },
  not_found: { severity: "pause", action: "new" },
  store_damaged: { severity: "risk", action: "none" },
  store_newer: { severity: "risk", action: "none" },
  already_open: { severity: "pause", action: "none" },
  disk_full: { severity: "risk", action: "retry" },
  network_closed: { severity: "pause", action: "none" },
  offline: { severity: "pause", action: "retry" },
  server_refused: { severity: "pause", action: "retry" },
  transfer_corrupt: { severity: "risk", action: "retry" },
  source_gone: { severity: "pause", action: "retry" },
  locked: { severity: "pause", action: "none" },
  wrong_pin: { severity: "pause", action: "none" },
  io: { severity: "risk", action: "retry" },
  internal: { severity: "risk", action: "retry" },
};
