import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const binary = process.env.FACTORY ?? fileURLToPath(new URL("../../bin/factory", import.meta.url));

// startFactory starts a factory with an empty directory on a free port of loopback.
export async function startFactory() {
  const directory = await mkdtemp(join(tmpdir(), "conformance-"));
  const apiKey = randomBytes(16).toString("hex");
  const program = spawn(binary, ["--listen=127.0.0.1:0", `--data-dir=${directory}`], {
    env: { ...process.env, FACTORY_API_KEY: apiKey },
    stdio: ["ignore", "ignore", "pipe"],
  });
  const ended = once(program, "exit");
  const stop = async () => {
    program.kill();
    await ended;
    await rm(directory, { recursive: true });
  };
  try {
    return { serverURL: `http://${await address(program)}`, apiKey, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

// address is where a factory says that it listens.
function address(program) {
  return new Promise((resolve, reject) => {
    program.on("error", reject);
    program.on("exit", (code) => reject(new Error(`the factory ended with ${code}`)));
    createInterface(program.stderr).on("line", (line) => {
      const entry = JSON.parse(line);
      if (entry.msg === "listening" && entry.server === "api") resolve(entry.address);
    });
  });
}
