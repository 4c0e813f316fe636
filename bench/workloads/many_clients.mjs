// Small operations of 64 clients at once, against the same gateway answering a constant: what the operation costs beyond HTTP.

import { makeRunningProject, runCommand } from "../lib/croft.mjs";
import { alternate, throughput } from "../lib/measure.mjs";
import { row } from "../lib/table.mjs";
import { Wire } from "../lib/wire.mjs";

const CLIENTS = 64, PROJECTS = 8, SECONDS = 2;

export async function measure(croft) {
  const projects = [];
  for (let i = 0; i < PROJECTS; i++) projects.push(await makeRunningProject(croft));
  const wires = await Wire.openMany(croft.url, CLIENTS);
  const clients = wires.map((wire, i) => ({ wire, project: projects[i % PROJECTS] }));
  const stat = (client) => client.wire.request("GET", `/v1/projects/${client.project}/files/missing`, croft.headers);
  const samples = await alternate({
    commands: () => throughput(clients, SECONDS, (client) => runCommand(croft, client.wire, client.project, ["/usr/bin/true"])),
    files: () => throughput(clients, SECONDS, stat),
    constant: () => throughput(clients, SECONDS, (client) => client.wire.request("GET", "/v1/version", croft.headers)),
  }, 3);
  for (const client of clients) client.wire.close();
  return [
    row("command.run true, 64 clients", "operations/s", samples.commands, "/v1/version", samples.constant),
    row("fs.read, 64 clients", "operations/s", samples.files, "/v1/version", samples.constant),
  ];
}
