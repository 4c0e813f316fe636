// croft, the command line, against the real daemon.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import fs from "node:fs";
import path from "node:path";
import { before, describe, it } from "node:test";
import { useCroft } from "../lib/croftd.mjs";
import { useCli } from "../lib/cli.mjs";

describe("croft", () => {
  const croft = useCroft();
  const cli = useCli(croft);
  const local = (name) => path.join(cli.home, name);

  before(async () => {
    await cli.ok("workspace", "create", "acme");
    await cli.ok("project", "create", "demo");
    await cli.ok("project", "use", "demo");
  });

  describe("login", () => {
    it("remembers the server and the key in a file of the user alone", async () => {
      const result = await cli.run(["login", croft.url], { input: `${croft.admin.key}\n`, env: { CROFT_API_KEY: undefined, CROFT_URL: undefined } });
      assert.equal(result.status, 0, result.stderr);
      assert.equal(fs.statSync(local(".config/croft/config.json")).mode & 0o777, 0o600);
      const listed = await cli.run(["--json", "workspace", "ls"], { env: { CROFT_API_KEY: undefined, CROFT_URL: undefined } });
      assert.equal(JSON.parse(listed.stdout).items[0].name, "acme", listed.stderr);
    });

    it("refuses a key that the server does not know", async () => {
      const wrong = croft.admin.key.slice(0, -4) + "0000";
      const result = await cli.run(["login", croft.url], { input: `${wrong}\n`, env: { CROFT_API_KEY: undefined, HOME: "/nonexistent" } });
      assert.notEqual(result.status, 0);
      assert.ok(!result.stderr.includes(wrong), "the key is in the error");
    });
  });

  describe("run", () => {
    it("gives both outputs and the exit status", async () => {
      const result = await cli.run(["run", "--", "sh", "-c", "echo out; echo err >&2; exit 9"]);
      assert.deepEqual([result.status, result.stdout, result.stderr], [9, "out\n", "err\n"]);
    });

    it("answers as a shell does when a signal ended the command", async () => {
      assert.equal((await cli.run(["run", "--", "sh", "-c", "kill -TERM $$"])).status, 128 + 15);
    });

    it("ends with 124 when the time is over", async () => {
      assert.equal((await cli.run(["run", "--timeout", "1", "--", "sleep", "100"])).status, 124);
    });

    it("forwards standard input", async () => {
      const input = Buffer.alloc(300_000, "0123456789\n");
      const result = await cli.run(["run", "-i", "--", "sha256sum"], { input });
      assert.equal(result.stdout.slice(0, 64), createHash("sha256").update(input).digest("hex"));
    });

    it("forwards signals", async () => {
      const child = cli.start(["run", "--", "sh", "-c", "trap 'echo caught; exit 4' INT; echo set; while :; do sleep 0.05; done"], { input: null });
      await once(child.stdout, "data");
      child.kill("SIGINT");
      const result = await child.result;
      assert.deepEqual([result.status, result.stdout], [4, "set\ncaught\n"]);
    });

    it("gives a terminal of this one's size", async () => {
      const command = `stty cols 77 rows 22; croft run --tty -- sh -c 'tty; stty size'`;
      const result = await cli.run(["-qec", command, "/dev/null"], { input: null, program: "script", env: { PATH: `${process.env.CROFT_BUILD}:${process.env.PATH}` } });
      assert.match(result.stdout, /\/dev\/pts\/\d+\r\n22 77\r\n/);
    });

    it("loses nothing when the gateway dies", async () => {
      const child = cli.start(["run", "--", "seq", "3000000"], { input: null });
      await once(child.stdout, "data");
      croft.kill("gateway");
      const result = await child.result;
      assert.equal(result.status, 0, result.stderr);
      const expected = createHash("sha256");
      for (let i = 1; i <= 3_000_000; i++) expected.update(`${i}\n`);
      assert.equal(createHash("sha256").update(result.bytes).digest("hex"), expected.digest("hex"));
    });
  });

  describe("files", () => {
    it("go there and back byte for byte", async () => {
      const bytes = Buffer.from(Array.from({ length: 100_000 }, (_, i) => (i * 7919) % 256));
      fs.writeFileSync(local("a.bin"), bytes);
      await cli.ok("cp", "a.bin", ":sub/b.bin");
      await cli.ok("cp", ":sub/b.bin", "c.bin");
      assert.ok(fs.readFileSync(local("c.bin")).equals(bytes));
      assert.ok((await cli.run(["cat", "sub/b.bin"])).bytes.equals(bytes));
    });

    it("go there and back in folders, with links and permissions", async () => {
      const show = "find . -type f -exec sha256sum {} + | sort; find . -printf '%y %m %p %l\\n' | sort";
      execFileSync("sh", ["-c", "mkdir -p tree/a/b; seq 10000 >tree/a/b/numbers; echo x >tree/x; chmod 755 tree/x; ln -s a/b/numbers tree/link; mkdir tree/hollow"], { cwd: cli.home });
      await cli.ok("cp", "-r", "tree", ":there");
      await cli.ok("cp", "-r", ":there", "back");
      const original = execFileSync("sh", ["-c", show], { cwd: local("tree"), encoding: "utf8" });
      assert.equal(execFileSync("sh", ["-c", show], { cwd: local("back"), encoding: "utf8" }), original);
      assert.equal((await cli.run(["run", "-C", "/project/there", "--shell", show])).stdout, original);
    });

    it("are synchronised: only what changed is sent, what is gone here is removed there if asked", async () => {
      execFileSync("sh", ["-c", "mkdir -p site/css; echo one >site/index.html; echo two >site/css/main.css"], { cwd: cli.home });
      await cli.ok("sync", "site", ":www");
      assert.equal(await cli.ok("cat", "www/css/main.css"), "two\n");
      fs.writeFileSync(local("site/index.html"), "changed\n");
      fs.rmSync(local("site/css/main.css"));
      assert.match(await cli.ok("sync", "--dry-run", "--delete", "site", ":www"), /index\.html/);
      assert.equal(await cli.ok("cat", "www/index.html"), "one\n");
      const sent = await cli.ok("sync", "--delete", "site", ":www");
      assert.doesNotMatch(sent, /css\/(?!main)/);
      assert.equal(await cli.ok("cat", "www/index.html"), "changed\n");
      assert.notEqual((await cli.run(["cat", "www/css/main.css"])).status, 0);
    });

    it("are listed, also in long form and in folders below", async () => {
      fs.writeFileSync(local("x"), "x");
      await cli.ok("cp", "x", ":list/inner/x");
      assert.equal(await cli.ok("ls", "list"), "inner\n");
      assert.match(await cli.ok("ls", "-r", "list"), /inner\/x/);
      assert.match(await cli.ok("ls", "-l", "list/inner"), /0644.*\b1\b.*x\n/);
    });

    it("are removed", async () => {
      fs.writeFileSync(local("x"), "x");
      await cli.ok("cp", "x", ":gone/x");
      assert.notEqual((await cli.run(["rm", "gone"])).status, 0);
      await cli.ok("rm", "-r", "gone");
      assert.notEqual((await cli.run(["cat", "gone/x"])).status, 0);
    });

    it("are edited in the user's editor", async () => {
      fs.writeFileSync(local("x"), "one\n");
      await cli.ok("cp", "x", ":edited");
      const editor = local("editor");
      fs.writeFileSync(editor, '#!/bin/sh\necho two >>"$1"\n', { mode: 0o755 });
      const result = await cli.run(["edit", "edited"], { env: { EDITOR: editor } });
      assert.equal(result.status, 0, result.stderr);
      assert.equal(await cli.ok("cat", "edited"), "one\ntwo\n");
    });

    it("are not saved over somebody else's change", async () => {
      fs.writeFileSync(local("x"), "one\n");
      await cli.ok("cp", "x", ":contested");
      const editor = local("editor");
      fs.writeFileSync(editor, '#!/bin/sh\necho mine >>"$1"\nprintf theirs >other\ncroft cp other :contested\n', { mode: 0o755 });
      const result = await cli.run(["edit", "contested"], { env: { EDITOR: editor, PATH: `${process.env.CROFT_BUILD}:${process.env.PATH}` } });
      assert.notEqual(result.status, 0);
      assert.equal(await cli.ok("cat", "contested"), "theirs");
    });
  });

  it("lists, shows and cancels operations", async () => {
    const child = cli.start(["run", "--", "sh", "-c", "echo up; sleep 1000"], { input: null });
    await once(child.stdout, "data");
    const running = (await cli.json("ops", "ls")).items.find((operation) => operation.state === "running");
    assert.equal((await cli.json("ops", "show", running.id)).id, running.id);
    await cli.ok("ops", "cancel", running.id);
    assert.equal((await child.result).status, 125);
    assert.equal((await cli.json("ops", "show", running.id)).error.code, "cancelled");
  });

  it("prints the events of an operation, one JSON object a line", async () => {
    await cli.ok("run", "--", "echo", "hello");
    const [latest] = (await cli.json("ops", "ls")).items.filter((operation) => operation.type === "command.run");
    const lines = (await cli.ok("--json", "events", latest.id)).trim().split("\n").map((line) => JSON.parse(line));
    assert.deepEqual(lines.map((event) => event.type), ["queued", "started", "chunk", "completed"]);
    const rest = (await cli.ok("--json", "events", "--cursor", lines[1].cursor, latest.id)).trim().split("\n");
    assert.equal(rest.length, 2);
  });

  it("follows the events of the project", async () => {
    const child = cli.start(["--json", "events", "--follow"], { input: null });
    let seen = "";
    child.stdout.on("data", (chunk) => (seen += chunk));
    while (!seen.includes('"completed"')) {
      await cli.ok("run", "--", "true");
      await new Promise((resolve) => setImmediate(resolve));
    }
    child.kill("SIGINT");
    await child.result;
    assert.equal(JSON.parse(seen.split("\n")[0]).project.slice(0, 4), "prj_");
  });

  it("makes keys that work until they are revoked", async () => {
    const key = await cli.json("keys", "create", "phone", "--role", "viewer");
    assert.match(key.secret, /^croft_/);
    const env = { CROFT_API_KEY: key.secret };
    assert.equal((await cli.run(["ls"], { env })).status, 0);
    assert.notEqual((await cli.run(["run", "--", "true"], { env })).status, 0);
    assert.ok(!(await cli.ok("--json", "keys", "ls")).includes(key.secret), "the secret is shown again");
    await cli.ok("keys", "revoke", key.id);
    assert.notEqual((await cli.run(["ls"], { env })).status, 0);
  });

  it("adds and removes members", async () => {
    await cli.ok("members", "add", "ada@example.org", "developer");
    const member = (await cli.json("members", "ls")).items.find((item) => item.role === "developer");
    assert.ok(member);
    await cli.ok("members", "rm", "ada@example.org");
    assert.ok(!(await cli.json("members", "ls")).items.some((item) => item.role === "developer"));
  });

  it("exports an audit log that is proven without the server", async () => {
    await cli.ok("run", "--", "true");
    fs.writeFileSync(local("audit.jsonl"), await cli.ok("audit", "export"));
    const verify = (file) => cli.run(["audit", "verify", "--key", path.join(croft.data, "audit/key.pub"), file]);
    assert.match((await verify("audit.jsonl")).stdout, /sound/);
    const lines = fs.readFileSync(local("audit.jsonl"), "utf8").split("\n");
    const altered = lines.map((line) => line.replace('"action":"command.run"', '"action":"command.ran"')).join("\n");
    assert.notEqual(altered, lines.join("\n"));
    fs.writeFileSync(local("altered.jsonl"), altered);
    assert.notEqual((await verify("altered.jsonl")).status, 0);
    assert.match(await cli.ok("audit", "verify", path.join(croft.data, "audit")), /sound/);
  });

  it("says what is wrong, on standard error, with its own exit status", async () => {
    for (const [args, status] of [[["frobnicate"], 2], [["run"], 2], [["cp", "a"], 2], [["--url", "http://127.0.0.1:1", "workspace", "ls"], 3], [["cat", "missing"], 1]]) {
      const result = await cli.run(args);
      assert.equal(result.status, status, `${args}: ${result.stderr}`);
      assert.equal(result.stdout, "");
      assert.match(result.stderr, /\S/);
    }
  });

  it("completes in bash", async () => {
    const script = `source <(croft completion bash); COMP_WORDS=(croft wor); COMP_CWORD=1; f=$(complete -p croft | sed 's/.*-F \\([^ ]*\\).*/\\1/'); $f; echo "\${COMPREPLY[@]}"`;
    const result = await cli.run(["-c", script], { program: "bash", env: { PATH: `${process.env.CROFT_BUILD}:${process.env.PATH}` } });
    assert.match(result.stdout, /^workspace/, result.stderr);
  });
});

describe("croft with two workspaces", () => {
  const croft = useCroft();
  const cli = useCli(croft);

  before(async () => {
    for (const name of ["one", "two"]) await cli.ok("workspace", "create", name);
  });

  it("asks which, and says how to choose", async () => {
    const result = await cli.run(["project", "ls"]);
    assert.equal(result.status, 2);
    assert.match(result.stderr, /croft workspace use/);
  });

  it("remembers the chosen one, and forgets the project of the other", async () => {
    await cli.ok("workspace", "use", "one");
    await cli.ok("project", "create", "first");
    await cli.ok("project", "use", "first");
    await cli.ok("workspace", "use", "two");
    await cli.ok("project", "create", "second");
    assert.equal((await cli.json("project", "ls")).items[0].name, "second");
    assert.equal((await cli.json("project", "show")).name, "second");
    assert.equal((await cli.json("-w", "one", "project", "ls")).items[0].name, "first");
    assert.equal((await cli.run(["workspace", "use", "three"])).status, 1);
  });
});
