import "@fontsource/atkinson-hyperlegible-next/latin-400.css";
import "@fontsource/atkinson-hyperlegible-next/latin-600.css";
import "@fontsource/atkinson-hyperlegible-next/latin-700.css";
import "@fontsource/atkinson-hyperlegible-next/latin-ext-400.css";
import "@fontsource/atkinson-hyperlegible-next/latin-ext-600.css";
import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/controls.css";
import "./styles/panels.css";
import "./styles/prose.css";
import { mount } from "svelte";
import { chooseBackend } from "$lib/backend";
import { loadMath } from "$lib/markdown/math.svelte";
import { applyRememberedLooks } from "$features/settings/settings.svelte";
import AppPage from "./App.svelte";
import { App } from "./app.svelte";

declare global {
  interface Window {
    /** How often the page tried what its content security policy forbids; tests expect 0. */
    __aulaCspViolations: number;
  }
}

window.__aulaCspViolations = 0;
document.addEventListener("securitypolicyviolation", (event) => {
  window.__aulaCspViolations += 1;
  console.error(`content security policy: ${event.violatedDirective} ${event.blockedURI}`);
});

applyRememberedLooks();

const app = new App(chooseBackend());
const target = document.getElementById("app");
if (!target) throw new Error("index.html has no #app");
mount(AppPage, { target, props: { app } });

afterPaint(() => {
  app.backend.pageReady().catch(() => undefined);
  void loadMath();
});

/** The second frame begins when the first has been painted. A window that is not shown draws none, and is ready too. */
function afterPaint(run: () => void): void {
  let ran = false;
  const once = () => {
    if (!ran) run();
    ran = true;
  };
  requestAnimationFrame(() => requestAnimationFrame(once));
  setTimeout(once, 1000);
}
