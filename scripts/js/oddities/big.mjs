// Documents too large to commit: made when the tests run.
import { define, deep, rows, table, Y } from './lib.mjs';

const fieldNames = (count) => Array.from({ length: count }, (_, index) => `f${String(index).padStart(5, '0')}`);

/** A table with many fields, of which one row fills all. */
const wide = (count, declared) => (doc) => {
	const names = fieldNames(count);
	if (declared) define(doc, 't', Object.fromEntries([['id', 'id'], ...names.map((name) => [name, 'integer?'])]));
	rows(doc, 't', { full: Object.fromEntries(names.map((name, index) => [name, index])), last: { [names.at(-1)]: -1 }, none: {} });
};

export default {
	big_fields_1998: wide(1998, true),
	big_fields_2001: wide(2001, true),
	big_fields_5000: wide(5000, true),
	big_fields_2001_undeclared: wide(2001, false),
	big_string(doc) {
		define(doc, 't', { id: 'id', a: 'text', y: 'ytext?', j: 'json?' });
		rows(doc, 't', { r1: { id: 'r1', a: 'ü'.repeat(25 * 2 ** 20) }, r2: { id: 'r2', a: 'small', y: new Y.Text('x'.repeat(2 ** 20)), j: ['y'.repeat(2 ** 20)] } });
	},
	big_many_updates(doc) {
		define(doc, 't', { id: 'id', a: 'text', n: 'integer' });
		const updates = [Y.encodeStateAsUpdate(doc)];
		doc.on('update', (update) => updates.push(update));
		for (let step = 0; step < 5_000; step++) {
			const key = `r${step % 100}`;
			if (step < 100) rows(doc, 't', { [key]: { id: key, a: 'start', n: 0 } });
			else table(doc, 't').get(key).set('n', step);
		}
		return Y.mergeUpdates(updates);
	},
	big_nesting(doc) {
		define(doc, 't', { id: 'id', j: 'json?' });
		rows(doc, 't', { r1: { id: 'r1', j: deep(5000) }, r2: { id: 'r2', j: deep(10) } });
	},
};
