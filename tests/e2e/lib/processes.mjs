/** Processes of a test: started together, found by their environment, ended for sure. Linux only. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, readdirSync, readlinkSync } from "node:fs";
import { createServer } from "node:net";
import { until } from "./wait.mjs";

/** A port of the loopback interface that nobody uses now. */
export async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Starts a program; what it prints is kept in `.log` and shown when a test asks for it. */
export function start(program, args, options = {}) {
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"], ...options });
  child.log = "";
  for (const pipe of [child.stdout, child.stderr]) {
    pipe?.setEncoding("utf8").on("data", (text) => (child.log += text));
  }
  child.on("error", (error) => (child.log += `\n${error}`));
  return child;
}

/** Ends a program that `start` started: politely, then not. */
export async function end(child) {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const gone = once(child, "exit");
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), 5_000);
  await gone;
  clearTimeout(timer);
}

/** Every live process that was started with `key=value` in its environment. */
export function withEnvironment(key, value) {
  const found = [];
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const environment = readFileSync(`/proc/${name}/environ`, "utf8").split("\0");
      if (!environment.includes(`${key}=${value}`)) continue;
      // pid (name) state parent …; the name may hold blanks and brackets.
      const [state, parent] = readFileSync(`/proc/${name}/stat`, "utf8").replace(/^.*\) /s, "").split(" ");
      if (state === "Z") continue;
      const line = readFileSync(`/proc/${name}/cmdline`, "utf8").split("\0").filter(Boolean);
      found.push({ pid: Number(name), parent: Number(parent), program: readlinkSync(`/proc/${name}/exe`), line });
    } catch {
      // It ended meanwhile, or belongs to somebody else.
    }
  }
  return found;
}

/** A virtual screen with a display number of its own. */
export async function startScreen(size = "1280x800") {
  const screen = start("Xvfb", ["-displayfd", "3", "-screen", "0", `${size}x24`, "-nolisten", "tcp"], {
    stdio: ["ignore", "pipe", "pipe", "pipe"],
  });
  let number = "";
  screen.stdio[3].setEncoding("utf8").on("data", (text) => (number += text));
  await until("Xvfb to open a display", () => {
    if (screen.exitCode !== null) throw new Error(screen.log);
    return number.endsWith("\n");
  });
  return { display: `:${number.trim()}`, end: () => end(screen) };
}
