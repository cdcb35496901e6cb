// Definitions that are missing, wrong, or written in another way.
import { child, define, fieldsOf, rowOf, rows, table, Y } from './lib.mjs';

const tableRows = { r1: { id: 'r1', a: 'x', n: 1 }, r2: { id: 'r2', a: 'y', n: 2 } };

/** One table `t` with two good rows, whose definition is the given value. */
const definedAs = (value) => (doc) => {
	rows(doc, 't', tableRows);
	child(doc.getMap('definition'), 'tables').set('t', value);
};

/** The key `tables` of the definition root holds the given value; the healthy table is defined in the other root. */
const rootHolds = (value) => ({
	plain: 'schema',
	make(doc) {
		rows(doc, 't', tableRows);
		doc.getMap('definition').set('tables', value);
	},
});

const goodFields = { id: 'id', a: 'text', n: 'integer' };

export default {
	def_none: { plain: 'undeclared', make: (doc) => rows(doc, 't', tableRows) },
	def_tables_empty: rootHolds({}),
	def_tables_null: rootHolds(null),
	def_tables_string: rootHolds('nonsense'),
	def_tables_array: rootHolds([1, 2]),
	def_root_text: {
		plain: 'schema',
		make(doc) {
			rows(doc, 't', tableRows);
			doc.getText('definition').insert(0, 'nonsense');
		},
	},
	def_root_array: {
		plain: 'schema',
		make(doc) {
			rows(doc, 't', tableRows);
			doc.getArray('definition').push([{ tables: { t: { fields: {} } } }]);
		},
	},
	def_table_null: definedAs(null),
	def_table_string: definedAs('nonsense'),
	def_table_array: definedAs([{ type: 'text' }]),
	def_table_number: definedAs(5),
	def_table_empty: definedAs({}),
	def_fields_null: definedAs({ name: 'Label', fields: null }),
	def_fields_string: definedAs({ name: 'Label', icon: '📝', fields: 'nonsense' }),
	def_fields_array: definedAs({ fields: [{ type: 'text' }] }),
	def_fields_empty: definedAs({ name: 'Label', fields: {} }),
	def_field_wrong(doc) {
		define(doc, 't', { id: 'id', a: { type: 'text' }, b: null, c: [1], d: 5, e: {}, f: { type: null }, g: { type: 7 }, h: { type: 'currency' }, i: { type: 'constructor', nullable: true }, j: { type: 'TEXT' }, k: { type: ['text'] }, l: { type: { a: 1 } } });
		doc.getMap('definition').get('tables').set('u', { fields: { id: { type: 'id' }, s: 'text' } });
		rows(doc, 't', { r1: { id: 'r1', a: 'a', b: 'b', c: 'c', d: 'd', e: 'e', f: 'f', g: 'g', h: 'h', j: 'j', k: 'k', l: 'l' } });
		rows(doc, 'u', { r1: { id: 'r1', s: 'short form' } });
	},
	def_unknown_type_numbers(doc) {
		define(doc, 't', { id: 'id', price: 'currency' });
		rows(doc, 't', { r1: { id: 'r1', price: 5 }, r2: { id: 'r2', price: '5' }, r3: { id: 'r3', price: { amount: 5 } } });
	},
	def_both_roots(doc) {
		define(doc, 't', { id: 'id', a: 'text' }, { name: 'From definition' });
		define(doc, 't', { id: 'id', b: 'text' }, { name: 'From schema' }, 'schema');
		define(doc, 'u', { id: 'id', b: 'text' }, { name: 'Only schema' }, 'schema');
		rows(doc, 't', { r1: { id: 'r1', a: 'x', b: 'y' } });
		rows(doc, 'u', { r1: { id: 'r1', b: 'y' } });
	},
	def_all_json: {
		plain: 'schema',
		make(doc) {
			rows(doc, 't', tableRows);
			doc.getMap('definition').set('tables', { t: { name: 'T', fields: fieldsOf(goodFields) }, none: { fields: { id: { type: 'id' } } } });
		},
	},
	def_all_ymap(doc) {
		const fields = rowOf({ id: rowOf({ type: 'id' }), a: rowOf({ type: 'select', name: new Y.Text('Choice'), options: Y.Array.from(['x', 'y']) }), n: rowOf({ type: 'integer', nullable: true }) });
		rows(doc, 't', tableRows);
		child(doc.getMap('definition'), 'tables').set('t', rowOf({ name: 'All maps', icon: '🗺', description: 'Y.Map at each level', fields }));
	},
	def_fields_ymap(doc) {
		rows(doc, 't', tableRows);
		child(doc.getMap('definition'), 'tables').set('t', rowOf({ name: 'Half', fields: rowOf(fieldsOf(goodFields)) }));
	},
	def_labels(doc) {
		define(doc, 't', { id: 'id', s: { type: 'select', name: 'State', description: 'Where it stands', icon: '🚦', options: ['open', 'done'] }, t: { type: 'tags', options: ['ü', 'b'], nullable: true } }, { name: 'Things', icon: '📦', description: 'All our "things"' });
		define(doc, 'odd', { id: 'id', s: { type: 'select', name: 5, icon: { type: 'emoji', value: '📝' }, options: 'none' } }, { name: null, icon: { type: 'emoji', value: '📝' }, description: ['x'] });
		rows(doc, 't', { r1: { id: 'r1', s: 'open', t: ['b'] } });
	},
	def_without_rows(doc) {
		define(doc, 'empty', { id: 'id', a: 'text', n: 'integer?' });
		define(doc, 'emptied', { id: 'id', a: 'text' });
		table(doc, 'emptied');
		define(doc, 'fieldless', {});
		table(doc, 'undeclared_empty');
	},
	def_id_field(doc) {
		define(doc, 'without', { a: 'text' });
		define(doc, 'number', { id: 'integer', a: 'text' });
		define(doc, 'nullable', { id: 'id?', a: 'text' });
		for (const name of ['without', 'number', 'nullable']) rows(doc, name, { r1: { id: 'r1', a: 'x' } });
	},
	def_inferred(doc) {
		const odd = new Uint8Array([0, 255]);
		rows(doc, 't', {
			r1: { id: 'r1', ints: 1, reals: 1, floats: 0.5, bools: true, boolint: true, texts: 'a', ytexts: 'a', mixed: 'a', nulls: null, nullint: null, lists: ['a'], jsons: {}, textlist: 'a', blobs: odd, blobtext: odd, some: 1 },
			r2: { id: 'r2', ints: 2, reals: 2.5, floats: -1.5, bools: false, boolint: 2, texts: 'b', ytexts: new Y.Text('b'), mixed: 2, nulls: null, nullint: 2, lists: [], jsons: [1], textlist: ['a'], blobs: odd, blobtext: 'a' },
		});
	},
	def_inferred_numbers(doc) {
		rows(doc, 't', {
			r1: { big: 2n ** 63n - 1n, mixed: 2n ** 63n - 1n, edge: 2 ** 53, inf: Infinity, nan: NaN },
			r2: { big: -(2n ** 63n), mixed: 0.5, edge: 2 ** 53 + 2, inf: 1, nan: 1 },
		});
	},
};
