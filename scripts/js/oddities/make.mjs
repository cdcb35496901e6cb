// Writes the documents of the named cases: node make.mjs FOLDER [NAME...]. No names: all but the big.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import big from './big.mjs';
import cells from './cells.mjs';
import definitions from './definitions.mjs';
import histories from './histories.mjs';
import keyed from './keyed.mjs';
import { newDoc, plain, Y } from './lib.mjs';
import names from './names.mjs';
import rows from './rows.mjs';

const [folder, ...wanted] = process.argv.slice(2);
const small = { ...rows, ...names, ...definitions, ...cells, ...histories, ...keyed };
const all = { ...small, ...big };
mkdirSync(folder, { recursive: true });
for (const name of wanted.length ? wanted : Object.keys(small)) writeFileSync(join(folder, `${name}.yjs`), documentOf(all[name]));

/** A case is a function of the document, or { plain, gc, make }; make may return the update itself. */
function documentOf(spec) {
	const { make, plain: where, ...options } = typeof spec === 'function' ? { make: spec } : spec;
	const doc = newDoc(1, options);
	plain(doc, where);
	return make(doc) ?? Y.encodeStateAsUpdate(doc);
}
