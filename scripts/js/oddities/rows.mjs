// Rows that are odd in one way each.
import { define, rowOf, rows, table, Y } from './lib.mjs';

const ID_TEXTS = ['', ' ', 'line\nbreak', 'nul\0inside', '\0', `it's "quoted"; DROP TABLE t;--`, '🦜', 'lone\ud800high', '\udc00', 'A', 'a', 'Ä', 'ä', 'x'.repeat(10_000), '__proto__', '1', '01'];

export default {
	rows_missing_required(doc) {
		define(doc, 't', { id: 'id', a: 'text', b: 'integer', c: 'text' });
		rows(doc, 't', { r1: { id: 'r1', a: 'x', b: 1, c: 'c' }, r2: { id: 'r2', a: 'y', c: 'c' }, r3: { id: 'r3', a: null, b: 3, c: 'c' }, r4: { id: 'r4', c: 'c' } });
	},
	rows_nullable(doc) {
		define(doc, 't', { id: 'id', a: 'text?', b: 'integer?', n: 'tags?' });
		rows(doc, 't', { r1: { id: 'r1', a: null, b: 1, n: null }, r2: { id: 'r2' } });
	},
	rows_field_added(doc) {
		rows(doc, 't', { r1: { id: 'r1', a: 'old' }, r2: { id: 'r2', a: 'old too' } });
		define(doc, 't', { id: 'id', a: 'text', added: 'text', chosen: { type: 'select', options: ['yes', 'no'], default: 'yes' } });
		rows(doc, 't', { r3: { id: 'r3', a: 'new', added: 'here', chosen: 'no' } });
	},
	rows_richtext_null(doc) {
		define(doc, 't', { id: 'id', body: 'richtext', other: { type: 'richtext', nullable: true } });
		rows(doc, 't', { r1: { id: 'r1', body: null, other: null }, r2: { id: 'r2', body: 'doc-1', other: 'doc-2' }, r3: { id: 'r3' } });
	},
	rows_undeclared_fields(doc) {
		define(doc, 't', { id: 'id', a: 'text' });
		rows(doc, 't', { r1: { id: 'r1', a: 'x', b: 1, c: ['l', 2.5, { z: 1, a: null }] }, r2: { id: 'r2', a: 'y' }, r3: { id: 'r3', a: 'z', b: null, '': 'ü', 'q"': true } });
	},
	rows_dropped_field(doc) {
		define(doc, 't', { id: 'id', a: 'text', gone: 'integer' });
		rows(doc, 't', { r1: { id: 'r1', a: 'x', gone: 7 } });
		define(doc, 't', { id: 'id', a: 'text' });
	},
	rows_without_fields(doc) {
		rows(doc, 'bare', { r1: {}, r2: {} });
		define(doc, 'half', { id: 'id', a: 'text?' });
		rows(doc, 'half', { r1: {}, r2: { a: 'x' } });
	},
	rows_id_differs(doc) {
		define(doc, 't', { id: 'id', a: 'text' });
		rows(doc, 't', { k1: { id: 'other', a: 'x' }, k2: { id: 'k2', a: 'y' }, 3: { id: 3, a: 'z' }, k4: { id: new Y.Text('k4'), a: 'same' } });
	},
	rows_two_keys_one_id(doc) {
		define(doc, 't', { id: 'id', a: 'text' });
		rows(doc, 't', { k1: { id: 'same', a: 'x' }, k2: { id: 'same', a: 'y' }, same: { id: 'same', a: 'z' } });
	},
	rows_no_id(doc) {
		define(doc, 't', { id: 'id', a: 'text' });
		rows(doc, 't', { k1: { a: 'x' }, k2: { id: null, a: 'y' } });
	},
	rows_plain_object(doc) {
		define(doc, 't', { id: 'id', a: 'text', n: 'integer' });
		table(doc, 't').set('r1', { id: 'r1', a: 'plain', n: 1 });
		rows(doc, 't', { r2: { id: 'r2', a: 'map', n: 2 } });
		table(doc, 't').set('r3', { id: 'else', a: 'plain', n: 3, more: [1] });
	},
	rows_no_map(doc) {
		define(doc, 't', { id: 'id', a: 'text', n: 'integer?' });
		rows(doc, 't', { a0: { id: 'a0', a: 'good', n: 1 } });
		const odd = { b1: 'a string', b2: [1, 'two', null], b3: 5, b4: null, b5: true, b6: new Y.Text('text'), b7: Y.Array.from(['x', 1]), b8: new Uint8Array([1, 2, 3]), b9: NaN };
		for (const [key, value] of Object.entries(odd)) table(doc, 't').set(key, value);
	},
	rows_no_map_undeclared(doc) {
		rows(doc, 't', { a0: { id: 'a0', a: 'good' } });
		table(doc, 't').set('b1', 'a string');
		table(doc, 'only').set('x', [1]);
	},
	rows_empty_field(doc) {
		define(doc, 't', { id: 'id', '': 'text', a: 'text' });
		rows(doc, 't', { r1: { id: 'r1', '': 'x', a: 'y' } });
		table(doc, 't').set('r2', 'no map');
	},
	rows_table_no_map(doc) {
		const odd = { t_array: [1, 2], t_text: 'text', t_null: null, t_number: 5, t_yarray: Y.Array.from([{ id: 'r' }]), t_ytext: new Y.Text('hello') };
		for (const [name, value] of Object.entries(odd)) doc.getMap('tables').set(name, value);
		define(doc, 't_array', { id: 'id', a: 'text' });
		doc.getMap('tables').set('t_object', { r1: { id: 'r1', a: 'plain table' } });
	},
	rows_odd_ids(doc) {
		define(doc, 't', { id: 'id', a: 'integer' });
		rows(doc, 't', ID_TEXTS.map((id, index) => [id, [['id', id], ['a', index]]]));
	},
	rows_of_text(doc) {
		define(doc, 't', { id: 'id', a: 'text', y: 'ytext', s: 'select', d: 'date', other: 'id' });
		rows(doc, 't', { r1: { id: 'r1', a: new Y.Text('as Y.Text'), y: 'as string', s: new Y.Text('s'), d: '2026-01-21T10:00:00Z|Europe/Paris', other: 'x' } });
		table(doc, 't').set('r2', rowOf({ id: 'r2', a: 'a', y: new Y.Text(), s: '', d: 'no date', other: 'y' }));
	},
};
