// GET and PUT /v1/projects/{prj}/archive: there and back in each format, and archives that are meant to do harm.

import assert from "node:assert/strict";
import { Readable } from "node:stream";
import { before, describe, it } from "node:test";
import { createGzip, gzipSync } from "node:zlib";
import { until, useCroft } from "../lib/croftd.mjs";
import { file, folder, hardLink, symlink, tar } from "../lib/tar.mjs";

const type = { "content-type": "application/octet-stream" };

describe("an archive", () => {
  const croft = useCroft();
  let api, project;

  const put = (body, query = "") => api.put(`/v1/projects/${project}/archive${query}`, { body, headers: type });
  const read = (path) => api.get(`/v1/projects/${project}/files/${path}`);
  const list = async () => (await api.shell(project, "find . | sort")).stdout;

  before(async () => {
    api = croft.admin;
    project = (await api.makeProject()).id;
  });

  for (const format of ["tar", "tar.gz", "tar.zst", "zip"])
    it(`goes there and back as ${format}`, async () => {
      const made = await api.shell(project, `mkdir -p src/a/b; head -c 300000 /dev/urandom >src/a/b/bytes; echo text >'src/a/ümlaut name'; ln -s b/bytes src/a/link;
        chmod 750 src/a/b/bytes; : >src/empty; mkdir src/hollow; cd src; find . -type f -exec sha256sum {} + | sort; find . -printf '%y %m %p %l\\n' | sort`);
      const archive = (await api.get(`/v1/projects/${project}/archive?path=/project/src&format=${format}`));
      assert.equal(archive.status, 200, archive.text.slice(0, 300));
      assert.match(archive.headers["croft-operation"], /^op_/);
      const result = (await put(archive.bytes, "?path=/project/copy")).expect(200);
      assert.equal(result.archiveBytes, archive.bytes.length);
      const copied = await api.shell(project, "cd copy; find . -type f -exec sha256sum {} + | sort; find . -printf '%y %m %p %l\\n' | sort; cd ..; rm -rf copy src");
      assert.equal(copied.stdout, made.stdout, archive.text.slice(0, 200));
    });

  it("merges into what is there and replaces files", async () => {
    await api.shell(project, "mkdir -p d/sub; echo old >d/sub/a; echo keep >d/sub/b");
    (await put(tar(folder("d"), file("d/sub/a", "new"), file("d/c", "c")))).expect(200);
    assert.equal((await read("d/sub/a")).text, "new");
    assert.equal((await read("d/sub/b")).text, "keep\n");
    assert.equal((await read("d/c")).text, "c");
  });

  it("comes as an operation as well, when it is small", async () => {
    const operation = await api.run(project, "fs.import", { contentBase64: tar(file("inline", "in")).toString("base64"), format: "tar" });
    assert.equal(operation.state, "completed", JSON.stringify(operation.error));
    assert.equal((await read("inline")).text, "in");
  });

  it("answers for what is not there before the first byte", async () => {
    (await api.get(`/v1/projects/${project}/archive?path=/project/missing`)).problem(404, "not_found");
    (await api.get(`/v1/projects/${project}/archive?format=rar`)).problem(400, "invalid_input");
  });

  const refused = {
    "an absolute name": tar(file("/tmp/evil", "x")),
    "a name that climbs": tar(file("a/../../evil", "x")),
    "a name of dots alone": tar(file("..", "x")),
    "a name with a newline": tar(file("new\nline", "x")),
    "a name that is not UTF-8": tar(file("caf\xe9", "x")),
    "a link to an absolute path": tar(symlink("l", "/etc/passwd")),
    "a link that leads out": tar(folder("d"), symlink("d/l", "../../etc")),
    "a link that leads out by way of a link": tar(folder("d"), symlink("d/up", ".."), symlink("l", "d/up/../../etc")),
    "a file through a link": tar(symlink("l", "."), file("l/x", "x")),
    "a hard link that leads out": tar(hardLink("h", "../../../etc/passwd")),
    "a hard link to what it has not brought": tar(hardLink("h", "kept")),
    "a device": tar({ name: "null", type: "3" }),
    "a block device": tar({ name: "disk", type: "4" }),
    "a fifo": tar({ name: "fifo", type: "6" }),
    "a file that becomes a folder": tar(file("x", "x"), file("x/y", "y")),
    "a size beyond its end": tar({ name: "short", content: "x", size: 5_000_000 }),
    "no bytes": Buffer.alloc(0),
    "something else": Buffer.from("this is no archive at all\n".repeat(100)),
    "a broken gzip": Buffer.concat([gzipSync(tar(file("x", "x".repeat(100_000)))).subarray(0, 90), Buffer.alloc(100)]),
  };
  for (const [what, body] of Object.entries(refused))
    it(`is refused for ${what}, and nothing has changed`, async () => {
      await api.shell(project, "echo kept >kept");
      const before = await list();
      const problem = (await put(body)).problem(400, "invalid_input");
      assert.match(problem.operation, /^op_/);
      assert.equal(await list(), before);
    });

  it("is refused where it would replace a folder by a file, or a file by a folder", async () => {
    await api.shell(project, "mkdir -p folder; echo x >plain");
    const before = await list();
    (await put(tar(file("other", "1"), file("folder", "x")))).problem(400);
    (await put(tar(file("other", "1"), file("plain/x", "x")))).problem(400);
    assert.equal(await list(), before);
  });

  it("does not follow links that the project has", async () => {
    await api.shell(project, "ln -sfn /tmp tmplink");
    (await put(tar(file("tmplink/x", "x")))).problem(400);
    assert.equal((await api.shell(project, "ls /tmp/x")).exitCode, 2);
  });

  it("is refused when it is a bomb", async () => {
    const before = await list();
    const size = 600 << 20;
    const zeros = Buffer.alloc(1 << 20);
    const archive = Readable.from((function* () {
      yield tar({ name: "bomb", size }).subarray(0, 512);
      for (let i = 0; i < size; i += zeros.length) yield zeros;
      yield Buffer.alloc(1024);
    })()).pipe(createGzip());
    const pieces = [];
    for await (const piece of archive) pieces.push(piece);
    (await put(Buffer.concat(pieces))).problem(400, "invalid_input");
    assert.equal(await list(), before);
  });

  it("changes nothing when the upload is broken off", async () => {
    const before = await list();
    const half = tar(file("one", "1"), file("two", "2".repeat(3_000_000))).subarray(0, 1_000_000);
    const body = new Readable({ read() {} });
    body.push(half);
    const sent = api.open("PUT", `/v1/projects/${project}/archive`, { body, headers: { ...type, "content-length": "3004928" } });
    sent.catch(() => {});
    const operation = await until(async () => {
      const { items } = (await api.get(`/v1/projects/${project}/operations`)).expect(200);
      return items.find((item) => item.type === "fs.import" && item.state === "running");
    }, "the import to run");
    body.destroy(new Error("the client has gone"));
    const ended = await api.finished(operation.id);
    assert.equal(ended.state, "failed", JSON.stringify(ended));
    await until(async () => (await list()) === before, "the staging folder to be gone");
  });

  it("is taken and given in constant memory", async () => {
    const size = 300 << 20;
    const block = Buffer.from(Array.from({ length: 1 << 20 }, (_, i) => (i * 31 + (i >> 8)) & 255));
    const body = Readable.from((function* () {
      yield tar({ name: "large", size }).subarray(0, 512);
      for (let i = 0; i < size; i += block.length) yield block;
      yield Buffer.alloc(1024);
    })());
    (await put(body)).expect(200);
    const response = await api.open("GET", `/v1/projects/${project}/archive?path=/project/large&format=tar`);
    let bytes = 0;
    for await (const chunk of response) bytes += chunk.length;
    assert.ok(bytes > size);
    await api.shell(project, "rm large");
    croft.assertMemory(64 << 20);
  });
});
