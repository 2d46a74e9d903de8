/** What the page does about each kind of failure. A new code does not compile until it has its line here and its words. */
import type { ErrorCode } from "$lib/backend";

export interface Treatment {
  /** `risk`: data or a device is in danger (red); `pause`: something stopped and can go on (clay). */
  severity: "risk" | "pause";
  /** The way out that comes first. */
  action: "retry" | "settings" | "engines" | "new" | "none";
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
  name_not_found: { severity: "pause", action: "retry" },
  untrusted_server: { severity: "pause", action: "none" },
  captive_portal: { severity: "pause", action: "retry" },
  server_silent: { severity: "pause", action: "retry" },
  too_slow: { severity: "pause", action: "retry" },
  truncated: { severity: "pause", action: "retry" },
  answer_too_large: { severity: "pause", action: "retry" },
  bad_answer: { severity: "pause", action: "retry" },
  answer_looped: { severity: "pause", action: "retry" },
  result_cut: { severity: "pause", action: "retry" },
  key_missing: { severity: "pause", action: "engines" },
  key_rejected: { severity: "pause", action: "engines" },
  key_restricted: { severity: "pause", action: "engines" },
  region_blocked: { severity: "pause", action: "engines" },
  model_not_served: { severity: "pause", action: "engines" },
  quota_exceeded: { severity: "pause", action: "retry" },
  server_busy: { severity: "pause", action: "retry" },
  content_blocked: { severity: "pause", action: "none" },
  adult_only: { severity: "pause", action: "none" },
  consent_needed: { severity: "pause", action: "engines" },
  engine_off: { severity: "pause", action: "engines" },
  no_vision: { severity: "pause", action: "engines" },
  image_unreadable: { severity: "pause", action: "none" },
  io: { severity: "risk", action: "retry" },
  internal: { severity: "risk", action: "retry" },
};
