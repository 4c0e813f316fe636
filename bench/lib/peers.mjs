// The peers, each started as its documentation shows: isolated like an instance of Croft where it can be.

import { execFile, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import net from "node:net";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { build, until } from "../../tests/lib/croftd.mjs";

const run = promisify(execFile);
const work = path.join(build, "bench");
const agentProgram = path.join(work, "peers/node_modules/@sandbox-agent/cli-linux-x64/bin/sandbox-agent");

/** Milliseconds until the command's first byte of output. */
export async function firstOutput(argv) {
  const { stdout } = await run(path.join(work, "first_output"), argv);
  return Number(stdout) / 1e6;
}

export function freePort() {
  return new Promise((resolve) => {
    const server = net.createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

const answers = (url) => fetch(url).then(() => true, () => false);

// ---- bubblewrap ----

export const bwrap = (...command) => [
  "bwrap", "--unshare-all", "--die-with-parent", "--ro-bind", "/usr", "/usr", "--symlink", "usr/bin", "/bin", "--symlink", "usr/lib", "/lib",
  "--symlink", "usr/lib64", "/lib64", "--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp", ...command,
];

// ---- runc and podman ----

/** A root folder with the host's /usr, as Croft's default template has it. */
export function makeRoot() {
  const root = path.join(work, "root");
  fs.rmSync(root, { recursive: true, force: true });
  for (const name of ["usr", "proc", "dev", "sys", "tmp", "etc"]) fs.mkdirSync(path.join(root, name), { recursive: true });
  for (const name of ["bin", "lib", "lib64", "sbin"]) fs.symlinkSync(`usr/${name}`, path.join(root, name));
  return root;
}

export function makeBundle(root, command) {
  const bundle = path.join(work, "bundle");
  fs.rmSync(bundle, { recursive: true, force: true });
  fs.mkdirSync(bundle, { recursive: true });
  execFileSync("runc", ["spec"], { cwd: bundle });
  const file = path.join(bundle, "config.json");
  const config = JSON.parse(fs.readFileSync(file));
  config.process.terminal = false;
  config.process.args = command;
  config.root = { path: root, readonly: true };
  config.mounts.push({ destination: "/usr", type: "bind", source: "/usr", options: ["bind", "ro"] });
  fs.writeFileSync(file, JSON.stringify(config));
  return bundle;
}

let containers = 0;
export const runc = (bundle) => ["runc", "run", "--bundle", bundle, `croft-bench-${process.pid}-${containers++}`];

// The limits are below the caller's own: who may not raise them cannot start containers with podman's defaults.
const podmanOptions = (root) => ["--network", "none", "--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024", "-v", "/usr:/usr:ro", "--rootfs", root];
export const podman = (root, ...command) => ["podman", "run", "--rm", ...podmanOptions(root), ...command];

export async function startPodman() {
  const name = `croft-bench-${process.pid}`;
  await run("podman", ["run", "-d", "--name", name, ...podmanOptions(makeRoot()), "/usr/bin/sleep", "100000"]);
  return {
    exec: (...command) => run("podman", ["exec", name, ...command]),
    execArgv: (...command) => ["podman", "exec", name, ...command],
    stop: () => run("podman", ["rm", "-f", "-t", "0", name]),
  };
}

// ---- servers ----

function server(argv, options = {}) {
  const child = spawn(argv[0], argv.slice(1), { stdio: "ignore", ...options });
  const ended = once(child, "exit");
  return async () => {
    child.kill("SIGTERM");
    const timer = setTimeout(() => child.kill("SIGKILL"), 3000);
    await ended;
    clearTimeout(timer);
  };
}

export async function startSandboxAgent() {
  const port = await freePort();
  fs.mkdirSync(path.join(work, "agent-files"), { recursive: true });
  fs.chmodSync(agentProgram, 0o755);
  const stop = server([
    "bwrap", "--unshare-user", "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--die-with-parent", "--ro-bind", "/usr", "/usr", "--symlink", "usr/bin", "/bin",
    "--symlink", "usr/lib", "/lib", "--symlink", "usr/lib64", "/lib64", "--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp", "--tmpfs", "/root",
    "--bind", path.join(work, "agent-files"), "/project", "--setenv", "HOME", "/root", "--ro-bind", agentProgram, "/sandbox-agent",
    "/sandbox-agent", "server", "--no-token", "--no-telemetry", "--host", "127.0.0.1", "--port", String(port),
  ]);
  const url = `http://127.0.0.1:${port}`;
  await until(() => answers(`${url}/v1/health`), "sandbox-agent");
  return { url, stop };
}

export async function startNginx() {
  const port = await freePort();
  const folder = path.join(work, "nginx");
  fs.mkdirSync(path.join(folder, "files"), { recursive: true });
  fs.chmodSync(folder, 0o755);
  fs.writeFileSync(path.join(folder, "nginx.conf"), `
    daemon off; user root; worker_processes 1; pid ${folder}/pid; error_log ${folder}/error.log;
    events {}
    http {
      access_log off; client_body_temp_path ${folder}/temp; keepalive_requests 1000000;
      proxy_temp_path ${folder}/proxy; fastcgi_temp_path ${folder}/fastcgi; uwsgi_temp_path ${folder}/uwsgi; scgi_temp_path ${folder}/scgi;
      server { listen 127.0.0.1:${port}; root ${folder}/files; dav_methods PUT DELETE; create_full_put_path on; }
    }`);
  const url = `http://127.0.0.1:${port}`;
  const stop = server(["nginx", "-p", folder, "-c", path.join(folder, "nginx.conf")]);
  await until(() => answers(url), "nginx");
  return { url, stop };
}

/** A node HTTP server, in a process of its own, that pipes a child's output to its client: what one would write first. */
export async function startNode(command) {
  const port = await freePort();
  const stop = server([process.execPath, fileURLToPath(new URL("node_server.mjs", import.meta.url)), String(port), ...command]);
  const url = `http://127.0.0.1:${port}`;
  await until(() => new Promise((resolve) => {
    const socket = net.connect(port, "127.0.0.1", () => resolve(true)).on("error", () => resolve(false)).on("connect", () => socket.destroy());
  }), "the node server");
  return { url, stop };
}
