// All tests in one process, so that they share one browser and the servers. To run one file: `node --test FILE`.
import { readdirSync } from 'node:fs';

for (const name of readdirSync(new URL('.', import.meta.url)).sort()) if (name.endsWith('.test.mjs')) await import(`./${name}`);
