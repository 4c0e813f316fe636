// Writes tar archives entry by entry, also such as no tar program would write.

const BLOCK = 512;

function header({ name, type = "0", size = 0, mode = 0o644, link = "" }) {
  const block = Buffer.alloc(BLOCK);
  const octal = (value, offset, length) => block.write(value.toString(8).padStart(length - 1, "0"), offset, "latin1");
  block.write(name, 0, 100, "latin1");
  octal(mode, 100, 8);
  octal(0, 108, 8);
  octal(0, 116, 8);
  octal(size, 124, 12);
  octal(0, 136, 12);
  block.fill(" ", 148, 156);
  block.write(type, 156, "latin1");
  block.write(link, 157, 100, "latin1");
  block.write("ustar\x0000", 257, "latin1");
  octal(block.reduce((sum, byte) => sum + byte, 0), 148, 7);
  return block;
}

/** Entries are {name, content} or {name, type, link, mode, size}; `size` may lie. */
export function tar(...entries) {
  const pieces = [];
  for (const entry of entries) {
    const content = Buffer.from(entry.content ?? "");
    pieces.push(header({ ...entry, size: entry.size ?? content.length }), content);
    pieces.push(Buffer.alloc((BLOCK - (content.length % BLOCK)) % BLOCK));
  }
  return Buffer.concat([...pieces, Buffer.alloc(2 * BLOCK)]);
}

export const file = (name, content) => ({ name, content });
export const folder = (name) => ({ name, type: "5", mode: 0o755 });
export const symlink = (name, link) => ({ name, type: "2", link });
export const hardLink = (name, link) => ({ name, type: "1", link });
