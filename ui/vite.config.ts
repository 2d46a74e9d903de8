import { fileURLToPath } from "node:url";
import { svelte } from "@sveltejs/vite-plugin-svelte";
import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";

/** KaTeX names each font in three formats; every web view that Aula runs in reads woff2, so the others stay out of the build. */
function woff2Only(): Plugin {
  return {
    name: "aula:woff2-only",
    enforce: "pre",
    transform(code, id) {
      if (!/\.css(\?|$)/.test(id) || !code.includes("woff2")) return null;
      return code.replace(/,\s*url\([^)]*\.(?:woff|ttf)\)\s*format\(["'][a-z]+["']\)/g, "");
    },
  };
}

const source = (folder: string) => fileURLToPath(new URL(`./src/${folder}`, import.meta.url));

export default defineConfig({
  plugins: [woff2Only(), svelte()],
  resolve: {
    alias: { $lib: source("lib"), $features: source("features") },
    // Component tests run in jsdom and need Svelte's browser build.
    conditions: process.env.VITEST ? ["browser"] : undefined,
  },
  clearScreen: false,
  server: { port: 1420, strictPort: true, host: "127.0.0.1" },
  build: {
    target: "es2022",
    // The page's CSP allows no data: fonts or images, so nothing is inlined.
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 400,
  },
  test: {
    environment: "jsdom",
    include: ["src/**/*.test.ts"],
  },
});
