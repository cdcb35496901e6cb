// The second layout: arrays of {key, val, ts}, alone and beside the first.
import { define, keyed, rowOf, rows, Y } from './lib.mjs';

const entry = (key, val, ts) => ({ key, val, ts });

/** A case with keyed arrays only: the healthy table is one of them. */
const alone = (make) => ({ plain: 'keyed', make });

export default {
	keyed_basic: alone((doc) => {
		keyed(doc, 't', [entry('r1', { id: 'r1', a: 'x', n: 1, done: true, tags: ['a'] }, 1), entry('r2', { id: 'r2', a: 'y', n: 2.5, done: false, tags: [], more: null }, 2)]);
	}),
	keyed_last_writer: alone((doc) => {
		keyed(doc, 't', [entry('early', { v: 'newest' }, 9), entry('early', { v: 'older' }, 3), entry('late', { v: 'older' }, 1), entry('late', { v: 'newest' }, 2), entry('tie', { v: 'first' }, 5), entry('tie', { v: 'second' }, 5), entry('frac', { v: 'low' }, 1.25), entry('frac', { v: 'high' }, 1.5), entry('big', { v: 'high' }, 2n ** 60n + 1n), entry('big', { v: 'low' }, 2n ** 60n), entry('neg', { v: 'newest' }, -1), entry('neg', { v: 'older' }, -2)]);
	}),
	keyed_bad_entries: alone((doc) => {
		keyed(doc, 't', [entry('good', { v: 1 }, 1), { val: { v: 2 }, ts: 1 }, entry(5, { v: 3 }, 1), entry('no_ts', { v: 4 }), entry('text_ts', { v: 5 }, '7'), entry('bool_ts', { v: 6 }, true), entry('nan_ts', { v: 7 }, NaN), 'nonsense', null, ['key', 'val'], entry('good', { v: 8 }, '99'), entry(null, { v: 9 }, 1), 42]);
		keyed(doc, 'only_bad', ['nonsense']);
	}),
	keyed_odd_rows: alone((doc) => {
		keyed(doc, 't', [entry('a', { id: 'other', v: 1 }, 1), entry('b', 'a string', 1), entry('c', null, 1), { key: 'd', ts: 1 }, entry('e', [1], 1), entry('f', {}, 1), { key: 'g', val: { v: 2 }, ts: 1, extra: 'ignored' }]);
	}),
	keyed_shared_entries: alone((doc) => {
		doc.getArray('table:t').push([rowOf({ key: 'r1', val: rowOf({ v: new Y.Text('text') }), ts: 2 }), rowOf({ key: 'r1', val: { v: 'older' }, ts: 1 }), { key: 'r2', val: { v: 'plain' }, ts: 1 }]);
	}),
	keyed_deleted: alone((doc) => {
		keyed(doc, 't', [entry('r1', { v: 1 }, 1), entry('r2', { v: 2 }, 2), entry('r1', { v: 3 }, 3)]);
		doc.getArray('table:t').delete(1, 1);
		keyed(doc, 'emptied', [entry('r1', { v: 1 }, 1)]);
		doc.getArray('table:emptied').delete(0, 1);
		doc.getArray('kv').push([entry('theme', 'dark', 1)]);
	}),
	keyed_odd_names: alone((doc) => {
		for (const [index, name] of ['', 'a:b', 'users', 'Users', 'sqlite_x', '_mirror', 'n\0l', '🦜', '"; DROP TABLE plain;--', 'table:x', 'n'.repeat(5000)].entries()) keyed(doc, name, [entry('k', { v: index, ID: 'x' }, 1)]);
	}),
	keyed_odd_keys: alone((doc) => {
		keyed(doc, 't', ['', 'A', 'a', 'nul\0', '🦜', '__proto__', "it's"].map((key, index) => entry(key, { id: key, v: index }, 1)));
	}),
	keyed_inferred: alone((doc) => {
		keyed(doc, 't', [entry('r1', { i: 1, f: 1, b: true, s: 'x', j: [1], m: 1, n: null }, 1), entry('r2', { i: 2, f: 0.5, b: false, s: 'y', j: {}, m: 'x' }, 1), entry('r1', { i: 3, f: 3, b: true, s: 'z', j: [], m: 2, n: null }, 2)]);
	}),
	keyed_beside_maps(doc) {
		define(doc, 'notes', { id: 'id', a: 'text' });
		rows(doc, 'notes', { m1: { id: 'm1', a: 'from the map' } });
		rows(doc, 'loose', { m1: { a: 'map only' } });
		keyed(doc, 'notes', [entry('k1', { id: 'k1', a: 'from the array' }, 1)]);
		keyed(doc, 'tasks', [entry('k1', { id: 'k1', n: 1 }, 1)]);
	},
	keyed_merged: {
		plain: 'none',
		make(doc) {
			const docs = [11, 12].map((client) => {
				const made = new Y.Doc({ guid: `merge-${client}` });
				made.clientID = client;
				return made;
			});
			docs.forEach((made, index) => keyed(made, 't', [entry('same', { v: `client ${index + 1}` }, 5), entry(`own${index + 1}`, { v: 'mine' }, 1)]));
			docs.forEach((made) => Y.applyUpdate(doc, Y.encodeStateAsUpdate(made)));
		},
	},
};
