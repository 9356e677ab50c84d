// Processes of the product, each in a folder of its own, and a test's requests to them without a browser.
import { execFile, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../../../../', import.meta.url));
const target = resolve(root, process.env.CARGO_TARGET_DIR ?? 'target', 'debug');
/** The example's binary, and the binary with hostile texts. */
export const EXAMPLE = join(target, 'cloud_data_pipeline'), FIXTURE = join(target, 'dashboard-pipelines');
/** The longest time to wait for anything. */
export const LIMIT = Number(process.env.DASHBOARD_LIMIT ?? 60_000);

/** Asks again until the answer is neither false nor null, and returns it. */
export async function until(what, ask, limit = LIMIT) {
  const end = performance.now() + limit;
  for (;;) {
    const answer = await ask();
    if (answer != null && answer !== false) return answer;
    if (performance.now() > end) throw new Error(`waited ${limit / 1000} s until ${what}`);
    await new Promise(done => { setTimeout(done, 20); });
  }
}

const started = new Set(), folders = new Set();
const environment = () => {
  const env = { ...process.env, USER: 'ada', PIPELINE_LOG: 'info' };
  for (const name of ['PIPELINE_JOURNAL', 'PIPELINE_LOG_FORMAT', 'PIPELINE_DASHBOARD', 'RUST_BACKTRACE', 'SUDO_USER']) delete env[name];
  return env;
};

/** A folder that is removed with the test process. */
export class Folder {
  static async make(binary) {
    const path = await mkdtemp(join(tmpdir(), 'dashboard-'));
    folders.add(path);
    return new Folder(binary, path);
  }
  constructor(binary, path) { this.binary = binary; this.path = path; this.env = {}; }
/** Runs a command to its end, and returns its exit code and output. */
  call(...args) {
    return new Promise(done => { execFile(this.binary, args, { cwd: this.path, env: { ...environment(), ...this.env } }, (error, out, err) => done({ code: error ? error.code : 0, text: out + err })); });
  }
/** Starts a process that serves the page, and waits until it prints the address. */
  async show(...args) {
    const child = spawn(this.binary, args, { cwd: this.path, env: { ...environment(), ...this.env }, stdio: ['ignore', 'pipe', 'pipe'] });
    started.add(child);
    const said = [], keep = line => { said.push(line); if (said.length > 2000) said.shift(); };
    createInterface({ input: child.stderr }).on('line', keep);
    const lines = createInterface({ input: child.stdout }).on('line', keep);
    const url = await new Promise((done, fail) => {
      lines.on('line', line => { if (line.startsWith('dashboard ')) done(line.slice('dashboard '.length).split(' ')[0]); });
      child.once('error', fail);
      child.once('exit', code => fail(new Error(`${args.join(' ')} ended with ${code}: ${said.join('\n')}`)));
    });
    return new Shown(child, url, said);
  }
  serve(...args) { return this.show('serve', '--dashboard', ':0', ...args); }
}

/** A process that serves the page at `url`, which ends in a slash unless it contains a token. */
export class Shown {
  constructor(child, url, said) { this.child = child; this.said = said; [this.url, this.token] = url.split('#token='); this.origin = new URL(url).origin; }
/** Returns the API's answer. */
  async get(path, headers) {
    const answer = await fetch(new URL(`api/v1/${path}`, this.url), { headers });
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
    return answer.json();
  }
/** Sends a command as the page does. */
  async command(command) {
    const answer = await fetch(new URL('api/v1/commands', this.url), { method: 'POST', headers: { 'content-type': 'application/json', origin: this.origin }, body: JSON.stringify(command) });
    if (!answer.ok) throw new Error(`${JSON.stringify(command)}: ${answer.status} ${await answer.text()}`);
    return answer.json();
  }
  signal(name) { this.child.kill(name); }
/** Ends the process by a signal, and waits until it has ended. */
  async end(name = 'SIGTERM') {
    const ended = new Promise(done => { this.child.once('exit', done); });
    if (this.child.exitCode == null && this.child.signalCode == null) { this.child.kill(name); await ended; }
    started.delete(this.child);
  }
}

/** Ends all started processes, and removes their folders. */
export async function endAll() {
  const ended = [...started].filter(child => child.exitCode == null && child.signalCode == null).map(child => new Promise(done => { child.once('exit', done); child.kill('SIGKILL'); }));
  await Promise.all(ended);
  await Promise.all([...folders].map(path => rm(path, { recursive: true, force: true })));
}
