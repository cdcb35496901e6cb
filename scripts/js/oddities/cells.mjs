// Cells of every kind in columns of every type.
import { deep, define, rowOf, rows, table, Y } from './lib.mjs';

const TYPES = ['id', 'text', 'ytext', 'richtext', 'integer', 'real', 'boolean', 'date', 'select', 'tags', 'json'];

/** A table `t` with a nullable column for each type, named like its type. */
function typed(doc, types = TYPES) {
	define(doc, 't', Object.fromEntries([['id', 'id'], ...types.map((type) => [`c_${type}`, `${type}?`])]));
}

/** A row for each value, which stands in every column; made anew for each, as a shared type has one place. */
function everywhere(doc, values, types = TYPES) {
	typed(doc, types);
	for (const [key, make] of Object.entries(values)) {
		rows(doc, 't', { [key]: Object.fromEntries([['id', key], ...types.map((type) => [`c_${type}`, make()])]) });
	}
}

function formatted() {
	const text = new Y.Text();
	text.applyDelta([{ insert: 'bold', attributes: { bold: true } }, { insert: { image: 'x.png' } }, { insert: ' and plain' }]);
	return text;
}

function element(name, attributes, ...children) {
	const made = new Y.XmlElement(name);
	for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
	made.insert(0, children);
	return made;
}

function xmlText(delta) {
	const text = new Y.XmlText();
	text.applyDelta(delta);
	return text;
}

const oddKeys = JSON.parse('{"":1,"__proto__":{"a":1},"constructor":2,"a.b":3,"$":4,"[0]":5,"\\"":6,"\\\\":7,"\\u0000":8,"\\n":9,"10":10,"9":9,"Z":11,"a":12,"é":13,"e\\u0301":14,"🦜":15,"\\uffff":16,"\\u2028":17,"\\u007f":18}');

export default {
	cells_undefined(doc) {
		define(doc, 't', { id: 'id', a: 'text', j: 'json', n: 'integer?' });
		rows(doc, 't', { r1: { id: 'r1', a: undefined, j: undefined, n: undefined }, r2: { id: 'r2', a: 'x', j: { u: undefined, l: [undefined] }, n: 1 } });
	},
	cells_not_finite: (doc) => everywhere(doc, { inf: () => Infinity, nan: () => NaN, neg: () => -Infinity }, ['text', 'integer', 'real', 'boolean', 'tags', 'json']),
	cells_not_finite_required(doc) {
		define(doc, 't', { id: 'id', n: 'real', j: 'json', x: 'real' });
		rows(doc, 't', { r1: { id: 'r1', n: NaN, j: [NaN, Infinity, { a: -Infinity }], x: Infinity, more: NaN }, r2: { id: 'r2', n: 1, j: 1, x: -Infinity } });
	},
	cells_integers(doc) {
		define(doc, 't', { id: 'id', n: 'integer', r: 'real', j: 'json' });
		const values = { a_neg_zero: -0, b_max_safe: 2 ** 53 - 1, c_53: 2 ** 53, d_min: -(2 ** 53), e_past: 2 ** 53 + 2, f_63: 2 ** 63, g_huge: 1e300, h_int32: -(2 ** 31), i_uint32: 2 ** 32 };
		for (const [key, value] of Object.entries(values)) rows(doc, 't', { [key]: { id: key, n: value, r: value, j: value } });
	},
	cells_bigint: (doc) => everywhere(doc, { a_small: () => 5n, b_53: () => 2n ** 53n + 1n, c_max: () => 2n ** 63n - 1n, d_min: () => -(2n ** 63n), e_list: () => [2n ** 63n - 1n, 5n] }, ['text', 'integer', 'real', 'json']),
	cells_floats(doc) {
		define(doc, 't', { id: 'id', r: 'real' });
		const values = { a: Number.MAX_VALUE, b: Number.MIN_VALUE, c: Number.EPSILON, d: 0.1 + 0.2, e: 1e21, f: 0.5, g: 1 / 3, h: -2.2250738585072014e-308, i: 123456789.125, j: Math.fround(0.1) };
		for (const [key, value] of Object.entries(values)) rows(doc, 't', { [key]: { id: key, r: value } });
	},
	cells_json_numbers(doc) {
		define(doc, 't', { id: 'id', j: 'json' });
		rows(doc, 't', { r1: { id: 'r1', j: [1, 1.5, -0, 2 ** 53 - 1, 2 ** 53, 0.1, -7, 100, true, false, null] } });
	},
	cells_bytes: (doc) => everywhere(doc, { a: () => new Uint8Array([1, 2, 255]), b: () => new Uint8Array(), c: () => [new Uint8Array([0]), { k: new Uint8Array([1, 2, 3]) }] }, ['text', 'integer', 'real', 'json', 'tags']),
	cells_text(doc) {
		typed(doc, ['text', 'ytext', 'json']);
		const plainText = () => new Y.Text('line 1\nline 2 "quoted"');
		rows(doc, 't', { r1: { id: 'r1', c_text: formatted(), c_ytext: formatted(), c_json: formatted() }, r2: { id: 'r2', c_text: plainText(), c_ytext: plainText(), c_json: plainText() } });
		const edited = table(doc, 't').get('r2').get('c_ytext');
		edited.delete(0, 5);
		edited.insert(0, 'row 🦜 \0');
	},
	cells_that_name_tables(doc) {
		define(doc, 't', { id: 'id', a: 'text' });
		rows(doc, 't', { r1: { id: 'r1', a: 'table:t' }, 'table:plain': { id: 'table:plain', a: 'tables', 'table:u': 1 } });
	},
	cells_strings(doc) {
		define(doc, 't', { id: 'id', a: 'text', j: 'json' });
		const values = { a: '', b: '\0', c: 'nul\0inside', d: '\ud800', e: '\u2028\u2029', f: '🦜', g: 'null', h: '{"a":1}', i: "it's", j: '\u007f\u0001\b\f\n\r\t', k: '\ufeffbom', l: '\uffff' };
		for (const [key, value] of Object.entries(values)) rows(doc, 't', { [key]: { id: key, a: value, j: value } });
	},
	cells_shared_types(doc) {
		define(doc, 't', { id: 'id', tags: 'tags', j: 'json' });
		const nested = () => Y.Array.from([rowOf({ b: new Y.Text('text'), a: 1, c: Y.Array.from([Y.Array.from([])]) }), 'x', null, element('p', { b: '2', a: '1' }), new Y.Doc({ guid: 'inner-doc' })]);
		rows(doc, 't', { r1: { id: 'r1', tags: Y.Array.from(['a', 'b']), j: nested() }, r2: { id: 'r2', tags: nested(), j: rowOf({ z: 1, a: { y: [1], b: 2 } }) }, r3: { id: 'r3', tags: new Y.Array(), j: new Y.Map() } });
	},
	cells_xml(doc) {
		typed(doc, ['text', 'richtext', 'json']);
		const fragment = () => {
			const made = new Y.XmlFragment();
			made.insert(0, [element('p', { zeta: 'z', alpha: 'a', mid: 'm', beta: 'b' }, xmlText([{ insert: 'Hello ' }, { insert: 'bold', attributes: { strong: {} } }])), element('hr', {})]);
			return made;
		};
		const runs = () => xmlText([{ insert: 'a ' }, { insert: 'b', attributes: { i: {}, b: { y: '2', x: '1' } } }, { insert: ' c' }]);
		const values = { a_fragment: fragment, b_element: () => element('bulletList', { level: '1' }, element('listItem', {})), c_text: runs, d_empty: () => new Y.XmlFragment(), e_element: () => element('p', { n: 2, t: true }) };
		for (const [key, make] of Object.entries(values)) rows(doc, 't', { [key]: { id: key, c_text: make(), c_richtext: make(), c_json: make() } });
	},
	cells_hooks(doc) { // the decoder refuses a document with a Y.XmlHook; its entries print as a map's
		define(doc, 't', { id: 'id', a: 'text?', j: 'json?' });
		const hook = () => { const made = new Y.XmlHook('video'); made.set('src', 'x'); made.set('more', new Y.Map([['n', 1]])); return made; };
		const inXml = () => { const made = new Y.XmlFragment(); made.insert(0, [hook(), new Y.XmlText('words')]); return made; };
		rows(doc, 't', { r1: { id: 'r1', a: hook(), j: hook() }, r2: { id: 'r2', a: inXml(), j: Y.Array.from([hook()]) }, r3: { id: 'r3', a: 'kept' } });
		const row = hook();
		row.set('a', 'a row');
		table(doc, 't').set('r4', row);
		table(doc, 't').set('r5', hook());
		table(doc, 't').delete('r5');
	},
	cells_empty_embeds(doc) { // an embed '' has no length: Yjs writes a text of nothing
		define(doc, 't', { id: 'id', a: 'ytext?', b: 'text?' });
		rows(doc, 't', Object.fromEntries(['first', 'middle', 'last', 'alone', 'formatted'].map((id) => [id, { id, a: new Y.Text('abc'), b: new Y.XmlText('abc') }])));
		for (const [id, at, after] of [['first', 0, 'zz'], ['middle', 1, 'zz'], ['last', 3, ''], ['formatted', 2, 'y']]) {
			for (const text of [table(doc, 't').get(id).get('a'), table(doc, 't').get(id).get('b')]) {
				text.insertEmbed(at, '', id === 'formatted' ? { bold: true } : undefined);
				text.insert(at, after);
			}
		}
		const alone = new Y.Text();
		table(doc, 't').get('alone').set('a', alone);
		alone.insertEmbed(0, '');
	},
	cells_subdocument(doc) {
		typed(doc, ['text', 'richtext', 'json', 'integer']);
		const sub = (guid) => new Y.Doc({ guid });
		rows(doc, 't', { r1: { id: 'r1', c_text: sub('guid-1'), c_richtext: sub('guid-2'), c_json: sub('guid-3'), c_integer: sub('42') } });
		rows(doc, 'u', { r1: { body: sub('guid-4') } });
	},
	cells_deep(doc) {
		define(doc, 't', { id: 'id', j: 'json?', a: 'text?', req: 'json' });
		rows(doc, 't', {
			r1: { id: 'r1', j: deep(500), a: 'x', req: 1 },
			r2: { id: 'r2', j: deep(501), a: deep(501), req: deep(2000) },
			r3: { id: 'r3', j: [1], a: 'y', req: 3, more: deep(501), fine: deep(3) },
		});
		table(doc, 't').set('r4', deep(501));
		table(doc, 't').set('r5', { id: 'r5', j: deep(600), req: 5 });
	},
	cells_deep_shared(doc) {
		define(doc, 't', { id: 'id', j: 'json' });
		for (const [key, levels] of [['r1', 500], ['r2', 700]]) {
			rows(doc, 't', { [key]: { id: key } });
			let place = new Y.Array();
			table(doc, 't').get(key).set('j', place);
			for (let level = 1; level < levels; level++) {
				const inner = new Y.Array();
				place.push([inner]);
				place = inner;
			}
		}
	},
	cells_deep_undeclared: (doc) => rows(doc, 't', { r1: { a: deep(700), b: 1 }, r2: { a: deep(2), b: 2 } }),
	cells_json_keys(doc) {
		define(doc, 't', { id: 'id', j: 'json', s: 'text?' });
		rows(doc, 't', { r1: { id: 'r1', j: [oddKeys], s: 's', undeclared: [oddKeys] }, r2: { id: 'r2', j: { b: { d: 1, c: 2 }, a: [{ z: 1, y: 2 }] } } });
	},
	cells_wrong_kinds: (doc) => everywhere(doc, {
		a_text: () => 'word', b_int: () => 7, c_float: () => 2.5, d_true: () => true, e_false: () => false, f_bytes: () => new Uint8Array([65]), g_list: () => ['a', 1], h_object: () => ({ b: 1, a: 'x' }), i_null: () => null,
	}),
	cells_wrong_kinds_required(doc) {
		define(doc, 't', { id: 'id', n: 'integer', b: 'boolean', r: 'real', s: 'text' });
		rows(doc, 't', { r1: { id: 'r1', n: 'none', b: 'no', r: 'nil', s: 0 }, r2: { id: 'r2', n: 1, b: true, r: 1, s: 'ok' } });
	},
	cells_numeric_texts(doc) {
		define(doc, 't', { id: 'id', n: 'integer', r: 'real', b: 'boolean' });
		const values = ['007', '7', ' 7 ', '1e3', '0x10', '9223372036854775808', 'abc', '', '7.0', '7.5', '-0', '1e999', '12abc', 'Infinity', 'true', '1_000', '\u0664'];
		for (const [index, value] of values.entries()) {
			const key = `r${String(index).padStart(2, '0')}`;
			rows(doc, 't', { [key]: { id: key, n: value, r: value, b: value } });
		}
	},
	cells_date_object(doc) {
		define(doc, 't', { id: 'id', d: 'date' });
		rows(doc, 't', { r1: { id: 'r1', d: '2026-01-21' }, r2: { id: 'r2', d: new Date(0) } });
	},
};
