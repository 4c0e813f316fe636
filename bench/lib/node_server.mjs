import { spawn } from "node:child_process";
import http from "node:http";

const [port, program, ...args] = process.argv.slice(2);
http.createServer((_, response) => spawn(program, args, { stdio: ["ignore", "pipe", "ignore"] }).stdout.pipe(response)).listen(Number(port), "127.0.0.1");
