// Documents made by real Yjs, one function each, all deterministic: equal bytes on every run.
import * as Y from 'yjs'

/** A document with a fixed client id, so that its bytes do not change from run to run. */
export const newDoc = (client = 1) => {
  const doc = new Y.Doc({ gc: true })
  doc.clientID = client
  return doc
}

export const ymap = (entries) => {
  const map = new Y.Map()
  for (const [key, value] of Object.entries(entries)) map.set(key, value)
  return map
}

/** Puts `{table: definition}` under a root, its outer `depth` levels (0 to 4) as Y.Maps. */
export const define = (doc, tables, { root = 'definition', depth = 0 } = {}) => {
  const lift = (value, levels) => levels === 0 || typeof value !== 'object' || value === null
    ? value
    : ymap(Object.fromEntries(Object.entries(value).map(([key, inner]) => {
      // Only tables, one table, its fields and one field nest as Y.Maps; labels are plain.
      return [key, lift(inner, levels - 1)]
    })))
  doc.getMap(root).set('tables', lift(tables, depth))
}

/** Adds rows as Y.Maps, as the app writes them. */
export const fill = (doc, table, rows) => {
  const tables = doc.getMap('tables')
  if (!tables.has(table)) tables.set(table, new Y.Map())
  for (const [key, row] of Object.entries(rows)) tables.get(table).set(key, ymap({ id: key, ...row }))
}

const label = (name, fields) => ({ name, icon: null, description: `All ${name.toLowerCase()}`, fields })

// ---------------------------------------------------------------- every field type

const EVERY_TYPE = {
  id: { type: 'id' },
  title: { type: 'text' },
  subtitle: { type: 'text', nullable: true },
  body: { type: 'ytext' },
  body_maybe: { type: 'ytext', nullable: true },
  page: { type: 'richtext' },
  count: { type: 'integer' },
  count_maybe: { type: 'integer', nullable: true },
  price: { type: 'real' },
  price_maybe: { type: 'real', nullable: true },
  done: { type: 'boolean', default: false },
  done_maybe: { type: 'boolean', nullable: true },
  due: { type: 'date' },
  due_maybe: { type: 'date', nullable: true },
  status: { type: 'select', options: ['open', 'closed'] },
  status_maybe: { type: 'select', options: ['open', 'closed'], nullable: true },
  labels: { type: 'tags', options: ['red', 'green', 'blue'] },
  labels_maybe: { type: 'tags', nullable: true },
  meta: { type: 'json', schema: { type: 'object' } },
  meta_maybe: { type: 'json', nullable: true }
}

const ytext = (text) => new Y.Text(text)

const fullRow = (n) => ({
  title: `Title ${n}`,
  subtitle: `Sub "${n}"`,
  body: ytext(`Line one\nline ${n} – naïve café 漢字 🌱`),
  body_maybe: ytext(''),
  page: null,
  count: n * 1000 - 7,
  count_maybe: -n,
  price: n * 1.25 + 0.1,
  price_maybe: n,
  done: n % 2 === 0,
  done_maybe: true,
  due: `2026-01-${String(n + 10)}T10:20:30.123Z|America/New_York`,
  due_maybe: '2026-02-01T00:00:00.000Z|UTC',
  status: n % 2 ? 'open' : 'closed',
  status_maybe: 'open',
  labels: ['red', `shade ${n}`],
  labels_maybe: [],
  meta: { z: 1, a: { nested: [1, 2.5, true, null, 'ü'] }, n },
  meta_maybe: n
})

const sparseRow = (n) => ({
  ...fullRow(n),
  ...Object.fromEntries(Object.keys(EVERY_TYPE).filter((f) => f.endsWith('_maybe')).map((f) => [f, null])),
  subtitle: null,
  page: 'page-guid-1'
})

const everyType = (doc) => {
  define(doc, { things: label('Things', EVERY_TYPE), empty: label('Empty', { id: { type: 'id' } }) })
  fill(doc, 'things', { a: fullRow(1), b: fullRow(2), c: sparseRow(3) })
  doc.getMap('kv').set('theme', 'dark')
}

const sharedTypeCells = (doc) => {
  const formatted = ytext('plain bold')
  formatted.format(6, 4, { bold: true })
  const list = Y.Array.from(['x', 1, ymap({ deep: Y.Array.from([true, null]) })])
  define(doc, {
    cells: label('Cells', {
      id: { type: 'id' },
      text: { type: 'text' },
      long: { type: 'ytext' },
      tags: { type: 'tags' },
      map: { type: 'json' },
      list: { type: 'json' }
    })
  })
  fill(doc, 'cells', {
    one: { text: ytext('in a text column'), long: formatted, tags: Y.Array.from(['a', 'b']), map: ymap({ b: 2, a: ymap({}) }), list },
    two: { text: '', long: ytext('x'), tags: new Y.Array(), map: ymap({ é: 'ü', Z: 1.5, '😀': [1], '\uffee': 0 }), list: [[], {}] }
  })
}

// ---------------------------------------------------------------- layouts and definitions

const POSTS = {
  id: { type: 'id' },
  title: { type: 'text', name: 'Title', description: 'Shown in lists' },
  status: { type: 'select', options: ['draft', 'published'], nullable: true },
  views: { type: 'integer' }
}

const posts = {
  p1: { title: 'First', status: 'draft', views: 3 },
  p2: { title: 'Second', status: null, views: 0 }
}

const definedUnder = (root, depth) => (doc) => {
  define(doc, { posts: label('Posts', POSTS) }, { root, depth })
  fill(doc, 'posts', posts)
}

const bothRoots = (doc) => {
  define(doc, {
    posts: label('Old posts', { id: { type: 'id' }, title: { type: 'text' }, views: { type: 'text' } }),
    pages: label('Pages', { id: { type: 'id' }, slug: { type: 'text' } })
  }, { root: 'schema', depth: 3 })
  define(doc, { posts: label('Posts', POSTS) })
  fill(doc, 'posts', posts)
  fill(doc, 'pages', { home: { slug: '/' } })
}

const plainRows = (doc) => {
  define(doc, { posts: label('Posts', POSTS) })
  doc.getMap('tables').set('posts', ymap({
    p1: { id: 'p1', title: 'Plain', status: 'draft', views: 1, more: { b: 1, a: 2 } },
    p2: ymap({ id: 'p2', title: 'A map', status: null, views: 2 })
  }))
}

const keyedArrays = (doc) => {
  const put = (table, ...entries) => doc.getArray(`table:${table}`).push(entries)
  put('tasks',
    { key: 'b', val: { id: 'b', title: 'older', done: false, effort: 1 }, ts: 10 },
    { key: 'a', val: { id: 'a', title: 'alone', done: true, effort: 2.5 }, ts: 11 },
    { key: 'b', val: { id: 'b', title: 'newest', done: true, effort: 3 }, ts: 30 },
    { key: 'b', val: { id: 'b', title: 'late but old', done: false, effort: 4 }, ts: 20 })
  put('ties',
    { key: 'k', val: { id: 'k', v: 'first' }, ts: 5 },
    { key: 'k', val: { id: 'k', v: 'second' }, ts: 5 })
}

const undeclared = (doc) => {
  fill(doc, 'loose', {
    r1: { n: 1, x: 1.5, mixed: 1, flag: true, word: 'a', blank: null, list: ['é', { b: 1, a: 2 }] },
    r2: { n: 2, x: 2, mixed: 'two', flag: false, word: 'b', later: 'only here', list: [] }
  })
}

// ---------------------------------------------------------------- rows that do not fit

const oddRows = (doc) => {
  define(doc, {
    odd: label('Odd', {
      id: { type: 'id' },
      title: { type: 'text' },
      added: { type: 'text', default: 'later' },
      n: { type: 'integer', nullable: true },
      r: { type: 'real', nullable: true },
      flag: { type: 'boolean', nullable: true },
      tags: { type: 'tags', nullable: true },
      meta: { type: 'json', nullable: true }
    }),
    fine: label('Fine', { id: { type: 'id' }, title: { type: 'text' } })
  })
  fill(doc, 'odd', {
    '01-missing': { added: 'x' },
    '02-extra': { title: 't', added: 'x', gone: { z: [1], a: 'ü' }, old: 7 },
    '03-nan': { title: 't', added: 'x', r: NaN, n: 4 },
    '04-infinite': { title: 't', added: 'x', r: -Infinity },
    '05-kinds': { title: 12, added: true, n: 'twelve', r: 'x', flag: 'yes', tags: 'one', meta: 'text' },
    '06-bent': { title: 't', added: 'x', n: '007' },
    '07-half': { title: 't', added: 'x', n: 1.5 },
    '08-big': { title: 't', added: 'x', n: 9223372036854775807n, r: 2 ** 60 },
    '085-flags': { title: 't', added: 'x', n: true, r: false, flag: 1 },
    '09-edges': { title: 't', added: 'x', n: -(2 ** 53), r: -0 }
  })
  const odd = doc.getMap('tables').get('odd')
  odd.set('10-renamed', ymap({ id: 'another', title: 't', added: 'x' }))
  odd.set('11-text', 'not a row')
  odd.set('12-list', [1, { b: 2, a: 1 }])
  fill(doc, 'fine', { a: { title: 'untouched' }, b: { title: 'as well' } })
}

const unicode = (doc) => {
  const names = { id: { type: 'id' }, 'naïve – café': { type: 'text' }, '漢字': { type: 'tags' }, '🌱': { type: 'json' } }
  define(doc, { 'Zürich 🌍': label('Ünïcode', names) })
  fill(doc, 'Zürich 🌍', {
    'é': { 'naïve – café': 'e\u0301 is not \u00e9', '漢字': ['日本', '🇯🇵'], '🌱': { '😀': 1, '\uffee': 2, z: 3 } },
    '\u{10400}': { 'naïve – café': '\t"quoted"\\\n\u0001\u007f\u2028', '漢字': ['"', '\\'], '🌱': '\u0000'.length },
    '\uffee': { 'naïve – café': '', '漢字': [], '🌱': null }
  })
}

// ---------------------------------------------------------------- histories

const history = (doc) => {
  define(doc, { posts: label('Posts', POSTS) })
  fill(doc, 'posts', posts)
  const table = doc.getMap('tables').get('posts')
  for (let n = 0; n < 50; n++) table.get('p1').set('views', n)
  for (let n = 0; n < 20; n++) fill(doc, 'posts', { [`t${n}`]: { title: `Temporary ${n}`, status: null, views: n } })
  for (let n = 0; n < 20; n += 2) table.delete(`t${n}`)
  table.delete('p2')
  fill(doc, 'posts', { p2: { title: 'Made again', status: 'published', views: 1 } })
}

const merged = (doc) => {
  const [left, right] = [newDoc(7), newDoc(3)]
  definedUnder('definition', 0)(left)
  Y.applyUpdate(right, Y.encodeStateAsUpdate(left))
  left.getMap('tables').get('posts').get('p1').set('title', 'From the left')
  right.getMap('tables').get('posts').get('p1').set('title', 'From the right')
  right.getMap('tables').get('posts').delete('p2')
  fill(right, 'posts', { p3: { title: 'Only right', status: null, views: 9 } })
  for (const peer of [left, right]) Y.applyUpdate(doc, Y.encodeStateAsUpdate(peer))
}

// ---------------------------------------------------------------- sizes

/** `rows` rows of ten fields, of the kinds an app has. */
export const many = (doc, rows) => {
  define(doc, {
    items: label('Items', {
      id: { type: 'id' },
      title: { type: 'text' },
      body: { type: 'ytext' },
      status: { type: 'select', options: ['a', 'b'] },
      count: { type: 'integer' },
      price: { type: 'real' },
      done: { type: 'boolean' },
      due: { type: 'date', nullable: true },
      tags: { type: 'tags' },
      meta: { type: 'json', nullable: true }
    })
  })
  const table = new Y.Map()
  doc.transact(() => {
    doc.getMap('tables').set('items', table)
    for (let n = 0; n < rows; n++) table.set(...manyRow((n * 7919) % 1000003, n))
  })
}

const manyRow = (scattered, n) => {
  const id = scattered.toString(36).padStart(5, '0')
  return [id, ymap({
    id,
    title: `Item ${n} – ünïcode`,
    body: n % 4 ? `${'All work and no play. '.repeat(n % 5)}${n}` : ytext(`Shared text ${n}`),
    status: n % 2 ? 'a' : 'b',
    count: n * (n % 3 ? 1 : -1),
    price: n * 1.37,
    done: n % 3 === 0,
    due: n % 5 ? `2026-01-22T10:20:30.${String(n % 1000).padStart(3, '0')}Z|Europe/Paris` : null,
    tags: ['x', `t${n % 10}`],
    meta: n % 7 ? null : { n, half: n / 2, deep: { list: [n, null, true] } }
  })]
}

/** The committed corpus: name -> what fills the document. */
export const corpus = {
  every_type: everyType,
  shared_type_cells: sharedTypeCells,
  definition_plain: definedUnder('definition', 0),
  definition_maps: definedUnder('definition', 4),
  schema_plain: definedUnder('schema', 0),
  schema_maps: definedUnder('schema', 4),
  both_roots: bothRoots,
  plain_rows: plainRows,
  keyed_arrays: keyedArrays,
  undeclared,
  odd_rows: oddRows,
  unicode,
  history,
  merged,
  small_many: (doc) => many(doc, 60)
}

/** Every root with every number of outer levels as Y.Maps. */
export const definitionLevels = Object.fromEntries(['definition', 'schema'].flatMap((root) =>
  [0, 1, 2, 3, 4].map((depth) => [`${root}_${depth}`, definedUnder(root, depth)])))
