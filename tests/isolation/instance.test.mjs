// What a hostile command can see, change and use up: nothing but its own project and its share.

import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { before, describe, it } from "node:test";
import { until, useCroft } from "../lib/croftd.mjs";

const lines = (text) => text.split("\n").filter(Boolean);

describe("a command in an instance", () => {
  const croft = useCroft({ settings: { "instance.memory": "96M", "instance.pids": "64" } });
  let api, own, other;

  before(async () => {
    api = croft.admin;
    own = (await api.makeProject()).id;
    other = (await api.makeProject()).id;
    await api.shell(other, "echo secret >file; chmod 600 file");
  });

  const sh = async (script, project = own) => {
    const { stdout, stderr, exitCode } = await api.shell(project, script);
    return { stdout, stderr, exitCode, all: stdout + stderr };
  };
  const refused = async (script) => assert.notEqual((await sh(script)).exitCode, 0, script);

  it("has no power", async () => {
    const { stdout } = await sh("id -u; grep -E '^(Cap|NoNewPrivs|Seccomp:|Groups)' /proc/self/status");
    const [uid, ...status] = lines(stdout);
    assert.equal(uid, "1000");
    for (const line of status) {
      const [name, value] = line.split(/:\s*/);
      if (name.startsWith("Cap")) assert.equal(Number(`0x${value}`), 0, line);
      if (name === "NoNewPrivs") assert.equal(value, "1");
      if (name === "Seccomp") assert.equal(value, "2");
    }
  });

  it("gains none", async () => {
    await refused("unshare --user true");
    await refused("unshare --mount true");
    await refused("mount -t tmpfs x /tmp");
    await refused("mknod /tmp/disk b 8 0");
    await refused("chroot / true");
    await refused("nsenter --target 1 --mount true");
    await refused("cp /bin/sh /tmp/sh && chmod u+s /tmp/sh && chown 0 /tmp/sh");
  });

  it("sees its own processes alone", async () => {
    const { stdout } = await sh("cat /proc/[0-9]*/comm");
    assert.deepEqual(lines(stdout).sort(), ["croft-agent", "sh"]);
  });

  it("cannot look into its agent", async () => {
    for (const name of ["mem", "environ", "maps", "fd/", "cwd/"]) await refused(`ls /proc/1/${name} && cat /proc/1/${name}`);
    await refused("kill -STOP 1 && grep -q 'State:.T' /proc/1/status");
  });

  it("sees nothing of the host's files", async () => {
    await refused(`ls ${croft.data}`);
    await refused("cat /etc/shadow");
    const { stdout } = await sh("ls -A /root /home /sys /boot /mnt /srv /var/lib 2>/dev/null; cat /etc/passwd");
    assert.doesNotMatch(stdout, /croft|systemd|\.ssh|\.bash/);
    const host = fs.readFileSync("/etc/hostname", "utf8").trim();
    assert.notEqual((await sh("cat /proc/sys/kernel/hostname")).stdout.trim(), host);
  });

  it("writes nowhere but in the project and in what is private and in memory", async () => {
    for (const place of ["/", "/usr", "/usr/bin", "/etc", "/dev", "/proc/sys/kernel", "/lib"]) await refused(`touch ${place}/croft-test`);
    await refused("echo x >/proc/sysrq-trigger");
    await refused("echo 1 >/proc/sys/kernel/panic");
    for (const place of ["/project", "/tmp", "$HOME", "/dev/shm"]) assert.equal((await sh(`touch ${place}/mine && rm ${place}/mine`)).exitCode, 0, place);
    assert.ok(!fs.existsSync("/tmp/mine"));
  });

  it("has no devices but the harmless ones", async () => {
    const { stdout } = await sh("find /dev -type b -o -type c | sort");
    assert.deepEqual(lines(stdout).filter((name) => !/^\/dev\/(null|zero|full|random|urandom|tty|ptmx|pts\/ptmx|pts\/\d+)$/.test(name)), []);
  });

  it("has no network but its own loopback", async () => {
    const { stdout } = await sh("tail -n +3 /proc/net/dev | cut -d: -f1");
    assert.equal(stdout.trim(), "lo");
    await refused(`bash -c 'exec 3<>/dev/tcp/127.0.0.1/${croft.port}'`);
    const { stderr } = await sh("bash -c 'exec 3<>/dev/tcp/192.0.2.1/80'");
    assert.match(stderr, /unreachable/);
  });

  it("reads the instance's files, not the host's, through a link in the project", async () => {
    await sh("ln -sf /etc/shadow shadow; ln -sf /etc/passwd passwd; ln -sfn / root");
    (await api.get(`/v1/projects/${own}/files/shadow`)).problem(404);
    const passwd = await api.get(`/v1/projects/${own}/files/passwd`);
    assert.notEqual(passwd.text, fs.readFileSync("/etc/passwd", "utf8"));
    const listed = await api.run(own, "fs.list", { path: "root" });
    assert.ok(!JSON.stringify(listed.result).includes(path.basename(croft.data)));
  });

  it("reaches no other project", async () => {
    await refused("cat /project/../*/file");
    await refused("cat /proc/*/root/project/file");
    const folders = path.join(croft.data, "worker/projects");
    assert.equal(fs.statSync(folders).mode & 0o077, 0);
  });

  it("shares no user with another project's, seen from the host", async () => {
    const begin = (project) => api.operate(project, "command.run", { argv: ["sleep", "3600"] });
    const running = [(await begin(own)).expect(202).id, (await begin(other)).expect(202).id];
    const users = await until(() => {
      const sleeping = croft.descendants().filter((process) => process.name === "sleep");
      return sleeping.length === 2 && sleeping.map(({ pid }) => fs.statSync(`/proc/${pid}`).uid);
    }, "both commands to run");
    assert.notEqual(users[0], users[1]);
    for (const user of users) assert.ok(user >= 1 << 30);
    for (const id of running) await api.post(`/v1/operations/${id}/cancel`, { json: {} });
    for (const id of running) await api.finished(id);
  });

  it("that kills all it can kills its own alone", async () => {
    const { id } = (await api.operate(other, "command.run", { shell: "echo ready; read line; echo $line", stdinOpen: true })).expect(202);
    for await (const event of api.events(`/v1/operations/${id}/events`)) if (event.type === "chunk") break;
    await api.run(own, "command.run", { shell: "kill -9 -1" });
    (await api.post(`/v1/operations/${id}/input`, { json: { data: "alive\n", eof: true } })).expect(204);
    assert.equal((await api.finished(id)).result.exitCode, 0);
    assert.equal((await sh("echo again")).stdout, "again\n");
  });
});

describe("a command that takes all it can get", () => {
  const croft = useCroft({ settings: { "instance.memory": "64M", "instance.pids": "64" } });
  let api, own, other;

  before(async () => {
    api = croft.admin;
    own = (await api.makeProject()).id;
    other = (await api.makeProject()).id;
    await api.shell(other, "true");
  });

  const neighbourWorks = async () => assert.equal((await api.shell(other, "echo fine")).stdout, "fine\n");

  it("gets its processes and no more", async () => {
    const bomb = ["import os, time", "n = 0", "try:", "  while os.fork(): n += 1", "except BlockingIOError: print(n, flush=True)", "time.sleep(3600)"];
    const { id } = (await api.operate(own, "command.run", { argv: ["python3", "-c", bomb.join("\n")] })).expect(202);
    let forked;
    for await (const event of api.events(`/v1/operations/${id}/events`))
      if (event.type === "chunk") {
        forked = Number(event.data.text);
        break;
      }
    assert.ok(forked > 32 && forked < 64, `${forked} processes`);
    await neighbourWorks();
    await api.post(`/v1/operations/${id}/cancel`, { json: {} });
    assert.equal((await api.finished(id)).error.code, "cancelled");
    await until(() => croft.descendants().every((process) => !process.name.startsWith("python")), "its processes to end");
    assert.equal((await api.shell(own, "echo again")).stdout, "again\n");
  });

  it("gets its memory and no more", async () => {
    const operation = await api.run(own, "command.run", { argv: ["python3", "-c", "x = bytearray(1 << 30)"] });
    assert.equal(operation.state, "failed");
    assert.equal(operation.error.code, "oom");
    await neighbourWorks();
    assert.equal((await api.shell(own, "echo again")).stdout, "again\n");
  });

  it("cannot get it through files in memory", async () => {
    const { exitCode, operation } = await api.shell(own, "head -c 1G /dev/zero >/tmp/big || head -c 1G /dev/zero >/dev/shm/big");
    assert.ok(operation.state === "failed" || exitCode !== 0);
    await neighbourWorks();
  });
});
