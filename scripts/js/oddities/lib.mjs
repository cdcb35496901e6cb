// Small words for writing documents with real Yjs, and the healthy table that every document holds.
import { createRequire } from 'node:module';

const home = process.env.FIDELITY_YJS ?? new URL('../package.json', import.meta.url);
export const Y = createRequire(home)('yjs');

const PLAIN_FIELDS = { id: 'id', title: 'text', count: 'integer', score: 'real', done: 'boolean', tags: 'tags' };
const PLAIN_ROWS = {
	p1: { id: 'p1', title: 'One', count: 1, score: 1.5, done: true, tags: ['x', 'y'] },
	p2: { id: 'p2', title: 'Zwei ✓', count: -2, score: 2, done: false, tags: [] },
	p3: { id: 'p3', title: '', count: 2 ** 53 - 1, score: 0.1, done: true, tags: ['y'] },
};

/** A new document whose client id is fixed, so that the same case gives the same bytes. */
export function newDoc(client = 1, options = {}) {
	const doc = new Y.Doc({ guid: `doc-${client}`, ...options });
	doc.clientID = client;
	return doc;
}

/** Field definitions from a short form: 'text', 'text?' (nullable), or the definition itself. */
export function fieldsOf(short) {
	const expand = (value) => {
		if (typeof value !== 'string') return value;
		return value.endsWith('?') ? { type: value.slice(0, -1), nullable: true } : { type: value };
	};
	return Object.fromEntries(Object.entries(short).map(([name, value]) => [name, expand(value)]));
}

/** Writes a table's definition as plain JSON below a Y.Map of tables. */
export function define(doc, table, short, about = {}, root = 'definition') {
	const tables = child(doc.getMap(root), 'tables');
	tables.set(table, { name: table, ...about, fields: fieldsOf(short) });
}

/** The Y.Map at a key, made when it is not there. */
export function child(map, key) {
	if (!(map.get(key) instanceof Y.Map)) map.set(key, new Y.Map());
	return map.get(key);
}

/** The Y.Map of a table's rows. */
export const table = (doc, name) => child(doc.getMap('tables'), name);

/** A Y.Map row from a plain object, key by key (a list of pairs where an object cannot hold the keys). */
export function rowOf(cells) {
	const row = new Y.Map();
	for (const [field, value] of Array.isArray(cells) ? cells : Object.entries(cells)) row.set(field, value);
	return row;
}

/** Adds rows to a table: an object or a list of pairs of key and cells. */
export function rows(doc, name, byKey) {
	for (const [key, cells] of Array.isArray(byKey) ? byKey : Object.entries(byKey)) table(doc, name).set(key, rowOf(cells));
}

/** A table of one text column with one row each, for cases about names. */
export function named(doc, ...names) {
	for (const [index, name] of names.entries()) {
		define(doc, name, { id: 'id', a: 'text' });
		rows(doc, name, { [`k${index}`]: { id: `k${index}`, a: `row of table ${index}` } });
	}
}

/** Entries of a keyed array. */
export const keyed = (doc, name, entries) => doc.getArray(`table:${name}`).push(entries);

/** Arrays in arrays: [] is one level deep. */
export function deep(levels) {
	let value = [];
	for (let level = 1; level < levels; level++) value = [value];
	return value;
}

/** The healthy table; where says in which root it is defined, or 'undeclared', 'keyed', 'none'. */
export function plain(doc, where = 'definition') {
	if (where === 'none') return;
	if (where === 'keyed') {
		keyed(doc, 'plain', Object.entries(PLAIN_ROWS).map(([key, val]) => ({ key, val, ts: 1 })));
		return;
	}
	if (where !== 'undeclared') define(doc, 'plain', PLAIN_FIELDS, {}, where);
	rows(doc, 'plain', PLAIN_ROWS);
}
