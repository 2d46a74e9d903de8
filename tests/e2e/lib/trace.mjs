/** Watching programs for look-ups and connections: they run under strace, and its record is read afterwards. Linux only. */
import { readFileSync } from "node:fs";
import { basename } from "node:path";

/** Calls that show what a program asks of the network, which files it opens, and who started whom. */
const CALLS = "trace=%network,open,openat,openat2,clone,clone3,fork,vfork,execve";

/** Files that are read in order to look a name up. */
const RESOLVER_FILES = ["/etc/resolv.conf", "/etc/hosts", "/etc/gai.conf", "/etc/host.conf"];

/**
 * Services of this computer that look names up for others. nscd is not among them: programs ask it for users as well. Where
 * it runs, the tests' own look-up goes unnoticed, and the test of the watch fails.
 */
const RESOLVER_SOCKETS = ["/run/systemd/resolve/", "avahi-daemon/socket"];

/** The command line that runs `line` under strace, which writes to `record`. */
export function traced(record, line) {
  return ["strace", ["-f", "-qq", "--seccomp-bpf", "-s", "200", "-e", CALLS, "-e", "signal=none", "-o", record, ...line]];
}

/**
 * What the record tells of names and of the network: `{ program, what }` for each finding, `what` being strace's own words.
 *
 * With `loopback` sockets of the internet's families are no finding as long as they stay on this computer; port 53, where
 * names are asked for, is one always.
 */
export function findings(record, { loopback = false } = {}) {
  const found = [];
  const [programs, parents] = [new Map(), new Map()];
  for (const { pid, call } of calls(readFileSync(record, "utf8"))) {
    const [, name, rest] = call.match(/^(\w+)\((.*)$/s) ?? [];
    if (name === undefined) continue;
    const result = Number(rest.match(/\) = (-?\d+)/)?.[1]);
    if (name === "execve") {
      if (result === 0) programs.set(pid, basename(rest.match(/^"([^"]*)"/)?.[1] ?? "?"));
    } else if (/^(clone|clone3|fork|vfork)$/.test(name)) {
      if (result > 0) parents.set(result, pid);
    } else if (isFinding(name, rest, loopback)) {
      found.push({ pid, what: call });
    }
  }
  // A process without a program of its own, such as a thread, runs its parent's.
  const programOf = (pid) => programs.get(pid) ?? (parents.has(pid) ? programOf(parents.get(pid)) : `process ${pid}`);
  return found.map(({ pid, what }) => ({ program: programOf(pid), what }));
}

/** Programs that the record saw start. */
export function started(record) {
  const found = new Set();
  for (const { call } of calls(readFileSync(record, "utf8"))) {
    const path = call.match(/^execve\("([^"]*)".* = 0$/s)?.[1];
    if (path !== undefined) found.add(basename(path));
  }
  return found;
}

function isFinding(name, rest, loopback) {
  if (name.startsWith("open")) return RESOLVER_FILES.some((file) => rest.includes(`"${file}"`));
  if (name === "socket") return !loopback && /^AF_INET6?,/.test(rest);
  if (RESOLVER_SOCKETS.some((socket) => /sun_path=/.test(rest) && rest.includes(socket))) return true;
  // getsockname and the like tell an address without sending anything to it.
  if (!/^(connect|bind|sendto|sendmsg|sendmmsg)$/.test(name) || !/sa_family=AF_INET/.test(rest)) return false;
  return !loopback || /htons\(53\)/.test(rest) || !isHere(rest);
}

/** Whether every address in the call is this computer's own. */
function isHere(rest) {
  const addresses = [...rest.matchAll(/inet_addr\("([^"]+)"\)|inet_pton\(AF_INET6, "([^"]+)"/g)].map((match) => match[1] ?? match[2]);
  return addresses.length > 0 && addresses.every((address) => /^(127\.|::1$|::ffff:127\.)/.test(address));
}

/** The calls of all processes; one that others interrupted is put together again. */
function* calls(text) {
  const begun = new Map();
  for (const line of text.split("\n")) {
    const [, number, call] = line.match(/^(\d+)\s+(.*)$/) ?? [];
    if (number === undefined) continue;
    const pid = Number(number);
    const unfinished = call.match(/^(.*?) <unfinished \.\.\.>$/)?.[1];
    const resumed = call.match(/^<\.\.\. \w+ resumed>(.*)$/)?.[1];
    if (unfinished !== undefined) {
      begun.set(pid, unfinished);
    } else {
      yield { pid, call: resumed === undefined ? call : `${begun.get(pid) ?? ""}${resumed}` };
      begun.delete(pid);
    }
  }
  // What was under way at the end was asked for all the same.
  for (const [pid, call] of begun) yield { pid, call };
}
