// The walls of an instance: namespaces and ids of its own, what its processes are handed, and what comes in through the project's folder.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { before, describe, it } from "node:test";
import { startCroft, until, useCroft } from "../lib/croftd.mjs";

const NAMESPACES = ["user", "mnt", "pid", "net", "ipc", "uts", "cgroup"];
const UID_RANGE = 65536;
const PROJECT_OWNER = 64390;

describe("an instance", () => {
  const croft = useCroft();
  let api, own, other;

  before(async () => {
    api = croft.admin;
    own = (await api.makeProject()).id;
    other = (await api.makeProject()).id;
  });

  const out = async (script, project = own) => {
    const { exitCode, stdout, stderr } = await api.shell(project, script);
    assert.equal(exitCode, 0, stderr);
    return stdout.trim();
  };
  const folder = (project) => path.join(croft.data, "worker/projects", project);

  it("shares no namespace with the host, nor with another", async () => {
    const script = NAMESPACES.map((name) => `readlink /proc/self/ns/${name}`).join("; ");
    const seen = [(await out(script)).split("\n"), (await out(script, other)).split("\n"),
      NAMESPACES.map((name) => fs.readlinkSync(`/proc/self/ns/${name}`))];
    for (const [i, name] of NAMESPACES.entries()) {
      const three = seen.map((links) => links[i]);
      for (const link of three) assert.match(link, new RegExp(`^${name}:\\[\\d+\\]$`));
      assert.equal(new Set(three).size, three.length, three.join(" "));
    }
  });

  it("has a range of ids of its own, and none beside it", async () => {
    const firsts = [];
    for (const project of [own, other]) {
      for (const map of ["uid_map", "gid_map"]) {
        const [inside, outside, count] = (await out(`cat /proc/self/${map}`, project)).split(/\s+/).map(Number);
        assert.deepEqual([inside, count], [0, UID_RANGE]);
        firsts.push(outside);
      }
      assert.equal(await out("stat -c %u /usr /proc/sys", project), "65534\n65534");
    }
    assert.equal(firsts[0], firsts[1]);
    assert.ok(Math.abs(firsts[0] - firsts[2]) >= UID_RANGE);
    assert.notEqual((await api.shell(own, "echo '0 0 1' >/proc/self/uid_map")).exitCode, 0);
  });

  it("hands its commands three descriptors and no secret", async () => {
    assert.equal(await out("ls /proc/$$/fd"), "0\n1\n2");
    const names = (await out("env")).split("\n").map((line) => line.split("=")[0]);
    const harmless = ["CROFT", "HOME", "LANG", "LOGNAME", "OLDPWD", "PATH", "PWD", "SHELL", "SHLVL", "TERM", "TMPDIR", "USER", "_"];
    assert.deepEqual(names.filter((name) => !harmless.includes(name)), []);
    assert.equal(await out("cat /proc/self/limits | awk '/core file/ { print $5, $6 }'"), "0 0");
  });

  it("gives its agent to nobody's hands", async () => {
    assert.equal(await out("for s in KILL TERM STOP SEGV; do kill -$s 1 2>/dev/null; done; grep -c 'State:.[SR]' /proc/1/status"), "1");
    for (const name of ["mem", "environ", "maps", "auxv", "io", "stack", "syscall", "cwd", "root", "exe", "fd", "fdinfo", "ns/mnt", "map_files"])
      assert.notEqual((await api.shell(own, `cat /proc/1/${name} || ls /proc/1/${name}/ || readlink /proc/1/${name}`)).exitCode, 0, name);
  });

  it("finds no power in what lies in the project", async () => {
    await out("true");
    const file = (name) => path.join(folder(own), name);
    fs.copyFileSync("/usr/bin/id", file("set-user-id"));
    fs.chownSync(file("set-user-id"), 0, 0);
    fs.chmodSync(file("set-user-id"), 0o6755);
    execFileSync("mknod", ["-m", "666", file("memory"), "c", "1", "5"]);
    fs.writeFileSync(file("roots"), "secret\n", { mode: 0o600 });
    assert.equal(await out("./set-user-id -u"), "1000");
    for (const script of ["head -c 1 memory", "cat roots", "echo >>roots", "chmod 644 roots"])
      assert.notEqual((await api.shell(own, script)).exitCode, 0, script);
    assert.equal(await out("stat -c %u roots"), "65534");
  });

  it("makes files of one owner on disk, which no other process has", async () => {
    await out("echo x >made; mkdir -p tree; echo y >tree/made");
    for (const name of ["made", "tree", "tree/made"]) {
      const { uid, gid } = fs.lstatSync(path.join(folder(own), name));
      assert.deepEqual([uid, gid], [PROJECT_OWNER, PROJECT_OWNER], name);
    }
  });

  it("resolves no name and talks to no kernel service of the host", async () => {
    assert.notEqual((await api.shell(own, "getent hosts example.org")).exitCode, 0);
    assert.equal(await out("cat /proc/net/route /proc/net/ipv6_route 2>/dev/null | grep -vw -e Iface -e lo | wc -l"), "0");
    for (const name of ["kcore", "keys", "key-users", "kmsg", "kallsyms", "timer_list", "sysrq-trigger"])
      assert.equal(await out(`if [ -e /proc/${name} ]; then head -c 100 /proc/${name} | wc -c; else echo 0; fi`), "0", name);
  });
});

describe("the groups of an instance", () => {
  const croft = useCroft({ settings: { "instance.memory": "80M", "instance.cpu_percent": "150", "instance.pids": "40" } });

  /** The folders of a process's groups: {controller: folder}; "" is that of the unified hierarchy. */
  const groupsOf = (pid) => {
    const mounts = fs.readFileSync("/proc/self/mounts", "utf8").split("\n").map((line) => line.split(" "));
    const point = (controller) => mounts.find(([, , type, options]) =>
      controller ? type === "cgroup" && options.split(",").includes(controller) : type === "cgroup2")[1];
    const groups = fs.readFileSync(`/proc/${pid}/cgroup`, "utf8").trim().split("\n").map((line) => /^\d+:([^:]*):(.*)$/.exec(line));
    return Object.fromEntries(groups.flatMap(([, names, group]) => names.split(",").filter((name) => !name.startsWith("name="))
      .map((name) => [name, path.join(point(name), group)])));
  };

  it("limit memory, processor and processes to what is configured, agent and commands together", async () => {
    const { id } = await croft.admin.makeProject();
    const { id: operation } = (await croft.admin.operate(id, "command.run", { argv: ["sleep", "3600"] })).expect(202);
    const [command] = await until(() => {
      const found = croft.descendants().filter((process) => process.name === "sleep");
      return found.length > 0 && found;
    }, "the command to run");
    const groups = groupsOf(command.pid);
    const content = (controller, file) => fs.readFileSync(path.join(groups[controller], file), "utf8").trim();
    const limits = "memory" in groups
      ? [content("memory", "memory.limit_in_bytes"), content("cpu", "cpu.cfs_quota_us"), content("cpu", "cpu.cfs_period_us"), content("pids", "pids.max")]
      : [content("", "memory.max"), ...content("", "cpu.max").split(" "), content("", "pids.max")];
    assert.deepEqual(limits, [String(80 << 20), "150000", "100000", "40"]);
    assert.deepEqual(groupsOf(command.parent), groups);
    assert.notDeepEqual(groupsOf(croft.pids("worker")[0]), groups);
    await croft.admin.post(`/v1/operations/${operation}/cancel`, { json: {} });
    await croft.admin.finished(operation);
  });

  it("are not told to who is in them", async () => {
    const { id } = await croft.admin.makeProject();
    const { stdout } = await croft.admin.shell(id, "cut -d: -f3 /proc/self/cgroup | sort -u");
    assert.equal(stdout, "/\n");
  });
});

describe("an instance that has nothing to do", () => {
  const croft = useCroft({ settings: { "instance.idle": "300ms" } });
  const agents = () => croft.descendants().filter((process) => process.name === "croft-agent");

  it("ends, and the next command has a new one with the same files", async () => {
    const { id } = await croft.admin.makeProject();
    assert.equal((await croft.admin.shell(id, "echo kept >file; echo gone >/tmp/file")).exitCode, 0);
    const [{ pid }] = agents();
    await until(() => agents().length === 0, "the idle instance to end");
    const { stdout } = await croft.admin.shell(id, "cat file; ls /tmp");
    assert.equal(stdout, "kept\n");
    assert.notEqual(agents()[0].pid, pid);
  });

  it("stays while a process of it works in the background", async () => {
    const { id } = await croft.admin.makeProject();
    const idle = await croft.admin.makeProject();
    await croft.admin.run(id, "command.run", { argv: ["sleep", "600"], background: true });
    const [{ parent }] = await until(() => {
      const sleeping = croft.descendants().filter((process) => process.name === "sleep");
      return sleeping.length > 0 && sleeping;
    }, "the background process");
    // One that came later and is idle has ended: this one's time was over before.
    await croft.admin.shell(idle.id, "true");
    await until(() => agents().length === 1, "the other instance to end");
    assert.equal(agents()[0].pid, parent);
  });
});

describe("two croftd that are told the same user ids", () => {
  const first = useCroft();

  it("give them to the instances of one alone", async (t) => {
    const second = await startCroft(t, { settings: { "instance.uid_base": first.settings["instance.uid_base"] } });
    const bases = [];
    for (const croft of [first, second]) {
      const { id } = await croft.admin.makeProject();
      const { stdout } = await croft.admin.shell(id, "cat /proc/self/uid_map");
      bases.push(Number(stdout.trim().split(/\s+/)[1]));
    }
    assert.equal(bases[0], Number(first.settings["instance.uid_base"]));
    assert.ok(bases[1] >= bases[0] + 64 * UID_RANGE, bases.join(" "));
  });
});
