// Documents with a past: the mirror shows where they ended.
import { define, newDoc, plain, rowOf, rows, table, Y } from './lib.mjs';

const fields = { id: 'id', a: 'text', n: 'integer' };

/** Rows come, change and go; the cell types change too. */
function lively(doc) {
	define(doc, 't', fields);
	for (let index = 0; index < 20; index++) rows(doc, 't', { [`r${index}`]: { id: `r${index}`, a: 'first', n: index } });
	for (let index = 0; index < 20; index += 2) table(doc, 't').delete(`r${index}`);
	for (let round = 0; round < 5; round++) for (const row of table(doc, 't').values()) row.set('a', `round ${round}`);
	table(doc, 't').get('r1').set('a', new Y.Text('was a string'));
	table(doc, 't').get('r1').get('a').delete(0, 4);
	table(doc, 't').get('r3').delete('n');
	table(doc, 't').get('r3').set('n', 33);
}

/** Two clients that start from one state and edit apart; the pieces come back in the given order. */
function concurrent(order) {
	const base = newDoc(1);
	plain(base);
	define(base, 't', fields);
	rows(base, 't', { shared: { id: 'shared', a: 'start', n: 0 }, doomed: { id: 'doomed', a: 'start', n: 0 } });
	const start = Y.encodeStateAsUpdate(base);
	const edits = [10, 20, 30].map((client) => {
		const doc = newDoc(client);
		Y.applyUpdate(doc, start);
		table(doc, 't').get('shared').set('a', `by ${client}`);
		rows(doc, 't', { [`own${client}`]: { id: `own${client}`, a: 'mine', n: client }, both: { id: 'both', a: `by ${client}`, n: client } });
		if (client === 20) table(doc, 't').delete('doomed');
		else table(doc, 't').get('doomed').set('a', 'edited');
		return Y.encodeStateAsUpdate(doc);
	});
	const merged = newDoc(99);
	for (const index of order) Y.applyUpdate(merged, edits[index]);
	return Y.encodeStateAsUpdate(merged);
}

export default {
	hist_gc_on: { gc: true, make: lively },
	hist_gc_off: { gc: false, make: lively },
	hist_deletes(doc) {
		define(doc, 't', fields);
		rows(doc, 't', { r1: { id: 'r1', a: 'x', n: 1 }, r2: { id: 'r2', a: 'y', n: 2 } });
		table(doc, 't').delete('r1');
		table(doc, 't').get('r2').delete('a');
	},
	hist_undo(doc) {
		define(doc, 't', fields);
		rows(doc, 't', { r1: { id: 'r1', a: 'kept', n: 1 }, r2: { id: 'r2', a: 'kept', n: 2 } });
		const undo = new Y.UndoManager(doc.getMap('tables'), { captureTimeout: 0 });
		table(doc, 't').get('r1').set('a', 'undone');
		table(doc, 't').delete('r2');
		undo.undo();
		undo.undo();
		table(doc, 't').get('r1').set('n', 5);
		undo.undo();
		undo.redo();
	},
	hist_concurrent_abc: { plain: 'none', make: () => concurrent([0, 1, 2]) },
	hist_concurrent_cab: { plain: 'none', make: () => concurrent([2, 0, 1]) },
	hist_rows_made_again(doc) {
		define(doc, 't', fields);
		for (const round of [1, 2, 3]) {
			rows(doc, 't', { r1: { id: 'r1', a: `life ${round}`, n: round } });
			if (round < 3) table(doc, 't').delete('r1');
		}
	},
	hist_tables_made_again(doc) {
		define(doc, 't', fields);
		rows(doc, 't', { old: { id: 'old', a: 'x', n: 1 } });
		doc.getMap('tables').delete('t');
		rows(doc, 't', { new: { id: 'new', a: 'y', n: 2 } });
		rows(doc, 'gone', { r1: { a: 1 } });
		doc.getMap('tables').delete('gone');
		define(doc, 'undefined_again', fields);
		doc.getMap('definition').get('tables').delete('undefined_again');
	},
	hist_merged_updates(doc) {
		const updates = [Y.encodeStateAsUpdate(doc)];
		doc.on('update', (update) => updates.push(update));
		define(doc, 't', fields);
		for (let index = 0; index < 50; index++) rows(doc, 't', { [`r${String(index).padStart(2, '0')}`]: { id: `r${String(index).padStart(2, '0')}`, a: `row ${index}`, n: index } });
		const text = new Y.Text();
		table(doc, 't').get('r00').set('a', text);
		for (const letter of 'typed letter by letter') text.insert(text.length, letter);
		return Y.mergeUpdates(updates.reverse());
	},
	hist_thousands(doc) {
		define(doc, 't', fields);
		rows(doc, 't', { r1: { id: 'r1', a: '', n: 0 }, r2: { id: 'r2', a: '', n: 0 } });
		for (let step = 1; step <= 3000; step++) {
			table(doc, 't').get(step % 2 ? 'r1' : 'r2').set('n', step);
			if (step % 10 === 0) table(doc, 't').set('comes', rowOf({ id: 'comes', a: `step ${step}`, n: step }));
		}
	},
	hist_redefined(doc) {
		define(doc, 't', { id: 'id', a: 'integer' });
		rows(doc, 't', { r1: { id: 'r1', a: 'now text' } });
		define(doc, 't', { id: 'id', a: 'text' }, { name: 'Renamed' });
	},
};
