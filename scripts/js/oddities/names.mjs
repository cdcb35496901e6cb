// Names that SQL, SQLite or this program find awkward.
import { define, named, rows } from './lib.mjs';

/** One table whose fields are the given names, all of text, one row; the value says which field it was. */
function columns(doc, table, names) {
	define(doc, table, Object.fromEntries([['id', 'id'], ...names.map((name) => [name, 'text'])]));
	rows(doc, table, [['r1', [['id', 'r1'], ...names.map((name, index) => [name, `field ${index}`])]]]);
}

/** The same for names an object literal would treat as its own: the definition is read from JSON text. */
function columnsFromJson(doc, table, names) {
	const fields = names.map((name) => `${JSON.stringify(name)}:{"type":"text"}`).join(',');
	define(doc, table, {});
	const tables = doc.getMap('definition').get('tables');
	tables.set(table, JSON.parse(`{"fields":{"id":{"type":"id"},${fields}}}`));
	rows(doc, table, [['r1', [['id', 'r1'], ...names.map((name, index) => [name, `field ${index}`])]]]);
}

export default {
	names_sql(doc) {
		named(doc, `robert'); DROP TABLE "plain";--`, 'a"b', "a'b", 'a;b', 'a]b', 'a`b', '%s', '?1', ':a', '{x}');
		columns(doc, 't', ['a"b', "a'b", 'a;b', 'a]b', 'a`b', 'x" TEXT, "y', '--', '/*', '?', ':id', '$1', '%s', '{0}', '\\', 'a,b', '(a)']);
	},
	names_nul(doc) {
		named(doc, 'a\0b', 'c\0d', 'c\ufffdd', '\0');
		columns(doc, 't', ['a\0b', 'c\0d', 'c\ufffdd']);
	},
	names_empty(doc) {
		named(doc, '');
		columns(doc, 't', ['', ' ']);
	},
	names_sqlite(doc) {
		named(doc, 'sqlite_master', 'sqlite_x', 'SQLite_Y', 'sqlite_taken', '_sqlite_taken', 'sqlite', 'sqlitex');
		columns(doc, 't', ['sqlite_x', 'sqlite_master']);
	},
	names_proto(doc) {
		named(doc, 'constructor', 'toString');
		columnsFromJson(doc, '__proto__', ['__proto__', 'constructor', 'hasOwnProperty', 'length']);
	},
	names_keywords(doc) {
		named(doc, 'select', 'table', 'ORDER', 'null', 'values', 'main', 'temp', 'pragma_table_info');
		columns(doc, 'group', ['from', 'where', 'NULL', 'rowid', '_rowid_', 'oid', 'rank', 'primary', 'current_date', 'true', 'group']);
	},
	names_spaces(doc) {
		named(doc, ' ', 'two words', ' lead', 'trail ', 'tab\there', 'line\nbreak', '\u00a0');
		columns(doc, 't', ['two words', ' lead', 'trail ', 'tab\there', 'line\nbreak']);
	},
	names_emoji(doc) {
		named(doc, '🦜', '表', 'Ünïcode', 'עברית', 'n'.repeat(5000));
		columns(doc, 't', ['👩‍👩‍👧', '列', 'ß', 'c'.repeat(5000), 'lone\ud800']);
	},
	names_case(doc) {
		named(doc, 'users', 'Users', 'USERS', 'É', 'é');
		columns(doc, 't', ['name', 'Name', 'NAME', 'É', 'é']);
		rows(doc, 't', { r2: { id: 'r2', name: 'lower', NAME: 'upper' } });
	},
	names_case_taken(doc) {
		named(doc, 'Users', 'users', 'users_2', 'USERS_3');
		columns(doc, 't', ['A', 'a', 'a_2']);
	},
	names_id_beside(doc) {
		columns(doc, 't', ['ID', 'Id', 'id_2']);
	},
	names_unicode_twins(doc) {
		named(doc, 'caf\u00e9', 'cafe\u0301');
		columns(doc, 't', ['\u00e9', 'e\u0301', '\u212b', '\u00c5']);
	},
	names_ours(doc) {
		named(doc, '_mirror', '_mirror_tables', '_Mirrored', '_extra', '_');
		columns(doc, 't', ['_extra', '_EXTRA', '_mirror', '_extra_2']);
		rows(doc, 't', { r2: { id: 'r2', _extra: 'mine', undeclared: 1 } });
	},
	names_fts(doc) {
		named(doc, 'notes', 'notes_fts', 'notes_fts_data', 'other_fts');
		define(doc, 'other', { id: 'id', rowid: 'text', other: 'text', rank: 'text', body: 'text' });
		rows(doc, 'other', { r1: { id: 'r1', rowid: 'x', other: 'searchable one', rank: 'y', body: 'findable words' } });
	},
	names_undeclared: {
		plain: 'undeclared',
		make(doc) {
			rows(doc, 'T"1', [['r1', [['ID', 'x'], ['_extra', 1], ['a\0', true], ['__proto__', 'p'], ['', 'empty']]]]);
			rows(doc, 't"1', { r1: { A: 1, a: 2 } });
		},
	},
};
