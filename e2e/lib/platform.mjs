// The platform under test: `branchline demo`, left running after it has played its journey.
import { execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const READY_WITHIN_MS = 180_000;
const STOPPED_WITHIN_MS = 40_000;
const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');

/** Starts it on free ports with data of its own, which are gone afterwards. */
export async function startPlatform() {
  const binary = findBinary();
  // A folder that an unprivileged database account can reach, too.
  const folder = await mkdtemp(join(tmpdir(), 'branchline-e2e-'));
  const [gatewayPort, corePort] = [await freePort(), await freePort()];
  const child = spawn(
    binary,
    ['demo', '--directory', join(folder, 'demo'), '--gateway-port', gatewayPort, '--core-port', corePort].map(String),
    { stdio: ['ignore', 'pipe', 'pipe'], env: withoutDatabase(process.env) },
  );
  const said = [];
  const ready = new Promise((fulfil, reject) => {
    const late = setTimeout(() => reject(new Error('the demo did not come to its end in time')), READY_WITHIN_MS);
    const listen = (chunk) => {
      said.push(String(chunk));
      if (said.join('').includes('Ctrl-C')) fulfil(clearTimeout(late));
    };
    child.stdout.on('data', listen);
    child.stderr.on('data', listen);
    child.on('error', reject);
    child.on('exit', (code) => reject(new Error(`the demo ended with ${code} before it was left running`)));
  });
  const stop = async () => {
    await end(child);
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await ready;
  } catch (error) {
    console.error(said.join(''));
    await stop();
    throw error;
  }
  const state = {
    binary,
    config: join(folder, 'demo', 'branchline.toml'),
    gateway: `http://127.0.0.1:${gatewayPort}`,
    core: `http://127.0.0.1:${corePort}`,
  };
  return { state, stop };
}

/** What the runner hands to each file of tests. */
export function platform() {
  const state = process.env.E2E_PLATFORM;
  if (!state) throw new Error('start the tests with `npm test`: it starts the platform for them');
  return JSON.parse(state);
}

/** Runs a command as the operator of the platform. */
export async function operate(...command) {
  const { binary, config } = platform();
  const { stdout } = await promisify(execFile)(binary, ['--config', config, ...command]);
  return stdout.trim();
}

function findBinary() {
  const built = ['release', 'debug'].map((profile) => join(root, 'target', profile, 'branchline'));
  const found = process.env.BRANCHLINE_BIN ?? built.find(existsSync);
  if (!found || !existsSync(found)) {
    throw new Error('no branchline binary: run `cargo build --workspace`, or set BRANCHLINE_BIN to its path');
  }
  return resolve(found);
}

/** The demo must not meet a database that somebody else uses. */
function withoutDatabase({ DATABASE_URL: _, ...rest }) {
  return rest;
}

async function freePort() {
  const server = createServer();
  await new Promise((ready) => server.listen(0, '127.0.0.1', ready));
  const { port } = server.address();
  await new Promise((closed) => server.close(closed));
  return port;
}

async function end(child) {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((done) => child.on('exit', done));
  child.kill('SIGINT');
  const late = setTimeout(() => child.kill('SIGKILL'), STOPPED_WITHIN_MS);
  await ended;
  clearTimeout(late);
}
