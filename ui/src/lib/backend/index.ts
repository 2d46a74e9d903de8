import { tauriBackend } from "./tauri";
import { webBackend } from "./web";
import type { Backend } from "./backend";

export { BackendError, asIpcError, type Backend } from "./backend";
export type * from "./types";

/** The backend of this place: Aula's window, or a browser in front of `web-host`. */
export function chooseBackend(): Backend {
  return "__TAURI_INTERNALS__" in window ? tauriBackend() : webBackend();
}
