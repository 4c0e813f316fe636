// The system calls of docs/seccomp.md, made by a program that a tenant builds and runs in the instance.

import assert from "node:assert/strict";
import fs from "node:fs";
import { before, describe, it } from "node:test";
import { useCroft } from "../lib/croftd.mjs";

const allowed = ["getpid", "personality plain", "socket AF_INET", "socket AF_NETLINK route"];
const unknown = ["clone3", "fsopen", "open_tree", "move_mount", "mount_setattr", "io_uring_setup", "io_uring_enter", "io_uring_register",
  "a call that nobody has invented"];

describe("a tenant's program", () => {
  const croft = useCroft();
  let answers;

  before(async () => {
    const { id } = await croft.admin.makeProject();
    const source = fs.readFileSync(new URL("attempts.c", import.meta.url));
    (await croft.admin.put(`/v1/projects/${id}/files/attempts.c`, { body: source })).expect(201);
    const { exitCode, stdout, stderr } = await croft.admin.shell(id, "cc -o attempts attempts.c && ./attempts");
    assert.equal(exitCode, 0, stderr);
    answers = new Map(stdout.trim().split("\n").map((line) => line.split("\t")));
  });

  it("is answered what it may call", () => {
    for (const name of allowed) assert.equal(answers.get(name), "0", name);
  });

  it("is told that newer calls do not exist", () => {
    for (const name of unknown) assert.equal(answers.get(name), "ENOSYS", name);
  });

  it("is refused all others", () => {
    const others = [...answers].filter(([name]) => !allowed.includes(name) && !unknown.includes(name) && name !== "32-bit");
    assert.ok(others.length > 40);
    assert.deepEqual(others.filter(([, answer]) => answer !== "EPERM" && answer !== "ENOSYS"), []);
  });

  it("is ended when it calls as a 32-bit program", { skip: process.arch !== "x64" }, () => {
    assert.equal(answers.get("32-bit"), "SYS");
  });
});
