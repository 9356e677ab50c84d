// The pages that most tests use. Each is started once, by the first test that needs it.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { EXAMPLE, FIXTURE, Folder, until } from './processes.mjs';

const once = make => { let made; return () => made ??= make(); };
export const PIPELINES = ['cloud_data_pipeline', 'multi_bucket_pipeline', 'advanced_cloud_sensors', 'prefix_pipeline', 'file_size_pipeline', 'multi_region_pipeline'];
/** Runs of the example: one that succeeded, one that waits for its file, and one that failed. */
export const GOOD = 'cloud_data_pipeline/backfill__2026-01-20T00:00:00Z', WAITS = 'cloud_data_pipeline/backfill__2026-01-23T00:00:00Z', BAD = 'multi_bucket_pipeline/backfill__2026-01-19T00:00:00Z';
/** Runs of the other binary: one with hostile texts, which failed, two with mappings, and one that waits. */
export const HOSTILE = 'parted/manual__2026-01-06T00:00:00Z', MAPPED = 'parted/manual__2026-01-05T00:00:00Z', KEYED = 'keyed/manual__2026-01-05T00:00:00Z', LATE = 'waiting/manual__2026-01-05T00:00:00Z';

export const state = async (site, run) => { const { run: one } = await site.get(`runs/${run}`).catch(() => ({})); return one?.state; };
const called = async (folder, ...args) => { const { code, text } = await folder.call(...args); if (code !== 0) throw new Error(`${args.join(' ')}: ${code}\n${text}`); };

/** `serve` of the example on a mock of its buckets: three days have their files, one has a wrong file, and one has none yet. */
export const example = once(async () => {
  const folder = await Folder.make(EXAMPLE), s3 = join(folder.path, 's3'), store = `store=file://${s3}`;
  for (const day of ['19', '20', '21', '22']) await called(folder, 'mock-s3', '--root', s3, '--date', `2026-01-${day}`);
  await writeFile(join(s3, 'logs-bucket/validation/data_quality_20260119.log'), 'ERROR: two rows have no customer\n');
  await called(folder, 'run', 'cloud_data_pipeline', '--logical-date', '2026-01-22', '--param', store);
  // Their schedules would start runs of today, whose files never arrive.
  for (const pipeline of PIPELINES) await called(folder, 'pause', pipeline);
  const site = await folder.serve();
  site.folder = folder; site.s3 = s3; site.store = `file://${s3}`;
  const backfill = (pipeline, from, to) => site.command({ command: 'backfill', pipeline, from: `2026-01-${from}`, to: `2026-01-${to}`, params: { store: site.store }, max_active_runs: 3, reprocess: 'none' });
  await backfill('cloud_data_pipeline', 20, 23);
  // The failing run comes last, so that it needs attention.
  await backfill('multi_bucket_pipeline', 20, 21);
  for (const day of ['20', '21']) await until('it has succeeded', async () => (await state(site, `multi_bucket_pipeline/backfill__2026-01-${day}T00:00:00Z`)) === 'success');
  await backfill('multi_bucket_pipeline', 19, 19);
  for (const run of [GOOD, BAD]) await until(`${run} has ended`, async () => ['success', 'failed'].includes(await state(site, run)));
  await until(`${WAITS} waits`, async () => (await site.get(`runs/${WAITS}`).catch(() => null))?.why);
  return site;
});

/** `serve` of the binary with hostile texts. */
export const fixture = once(async () => {
  const folder = await Folder.make(FIXTURE);
  await called(folder, 'run', 'parted', '--logical-date', '2026-01-05');
  await called(folder, 'run', 'keyed', '--logical-date', '2026-01-05');
  await folder.call('run', 'parted', '--logical-date', '2026-01-06', '--param', 'fails=true', '--param', 'label=<b>bold</b>');
  const site = await folder.serve();
  site.folder = folder;
  await site.command({ command: 'trigger', pipeline: 'waiting', logical_date: '2026-01-05T00:00:00Z', params: {} });
  await until(`${LATE} waits`, async () => (await site.get('sensors')).waiting.length);
  return site;
});

/** `serve` of the same binary with pipelines that have limits: of one, which allows one active run, a run waits and another is queued; the other's first run has failed. */
export const limits = once(async () => {
  const folder = await Folder.make(FIXTURE);
  folder.env = { DASHBOARD_LIMITS: '1' };
  const site = await folder.serve();
  site.folder = folder;
  await until('the first run waits', async () => (await site.get('sensors')).waiting.length);
  await until('the other has failed', async () => (await site.get('runs?pipeline=careful&state=failed')).runs.length);
  site.queued = (await site.command({ command: 'trigger', pipeline: 'limited', logical_date: '2026-01-10', params: {} })).run;
  return site;
});
