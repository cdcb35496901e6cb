// Writes documents with snapshots by real Yjs, and what JavaScript says each moment held:
//   node snapshots.mjs FOLDER
// FOLDER/kept keeps what was deleted, FOLDER/collected does not; v2/ has the snapshots of kept in Yjs's other encoding.
import { mkdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const Y = createRequire(new URL('./package.json', import.meta.url))('yjs');
const root = process.argv[2];

function make(name, gc) {
	const doc = new Y.Doc({ gc });
	doc.clientID = 1;
	const folder = join(root, name);
	const moments = [];
	const tables = doc.getMap('tables');
	const snap = (description) => {
		const snapshot = Y.snapshot(doc);
		moments.push({ unix_ms: (moments.length + 1) * 1000, description, snapshot });
		return snapshot;
	};
	const notes = new Y.Map();
	snap('nothing yet');
	tables.set('notes', notes);
	for (let i = 0; i < 5; i++) {
		const row = new Y.Map(Object.entries({ id: `n${i}`, stars: i }));
		row.set('body', new Y.Text(`hello world ${i}`));
		notes.set(`n${i}`, row);
	}
	snap('five notes');
	notes.get('n1').set('stars', 100);
	snap('one changed');
	notes.delete('n2');
	snap('one deleted');
	notes.get('n3').get('body').delete(2, 3);
	snap('text cut');
	const tasks = doc.getArray('table:tasks');
	for (let i = 0; i < 10; i++) tasks.push([{ key: `t${i}`, val: { n: i }, ts: i }]);
	tasks.delete(2, 3);
	snap('tasks');
	tasks.delete(1, 3);
	snap('fewer tasks');
	save(folder, doc, moments, gc);
	notes.get('n0').set('stars', 7);
	writeFileSync(join(folder, 'newer.ysnap'), Y.encodeSnapshot(snap('newer')));
	notes.delete('n4');
	writeFileSync(join(folder, 'newer_by_a_deletion.ysnap'), Y.encodeSnapshot(snap('newer')));
}

function save(folder, doc, moments, gc) {
	mkdirSync(join(folder, 'snapshots'), { recursive: true });
	mkdirSync(join(folder, 'v2'), { recursive: true });
	const told = {};
	for (const { unix_ms, description, snapshot } of moments) {
		writeFileSync(join(folder, 'snapshots', `${unix_ms}.ysnap`), Y.encodeSnapshot(snapshot));
		writeFileSync(join(folder, 'snapshots', `${unix_ms}.json`), JSON.stringify({ description }));
		if (gc) continue;
		writeFileSync(join(folder, 'v2', `${unix_ms}.ysnap`), Y.encodeSnapshotV2(snapshot));
		const past = Y.createDocFromSnapshot(doc, snapshot);
		const tasks = past.getArray('table:tasks').toJSON().map(({ key, val }) => [key, val]);
		told[unix_ms] = { ...past.getMap('tables').toJSON(), ...(tasks.length ? { tasks: Object.fromEntries(tasks) } : {}) };
	}
	writeFileSync(join(folder, 'workspace.yjs'), Y.encodeStateAsUpdate(doc));
	if (!gc) writeFileSync(join(folder, 'told.json'), `${JSON.stringify(told, null, '\t')}\n`);
}

make('kept', false);
make('collected', true);
