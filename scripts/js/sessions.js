// An app at work, saved after each step: node sessions.js FOLDER '{"seed": 1, "saves": 100, ...}'
// Writes 0000.yjs, 0001.yjs ... and steps.json, which says what was done before each save.
// The same options give the same files. `weights` says how often each kind of step is taken;
// `script`, a list, says which ones instead.
import fs from 'node:fs'
import path from 'node:path'
import * as Y from 'yjs'

const folder = process.argv[2]
const options = { seed: 1, saves: 50, gc: false, layout: 'maps', rows: 40, undo: true, script: null, weights: {}, ...JSON.parse(process.argv[3] ?? '{}') }

/** mulberry32, so that a run can be had again. */
let state = options.seed >>> 0
const random = () => {
  state = (state + 0x6d2b79f5) | 0
  let t = Math.imul(state ^ (state >>> 15), 1 | state)
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
  return ((t ^ (t >>> 14)) >>> 0) / 4294967296
}
const below = (n) => Math.floor(random() * n)
const pick = (items) => items[below(items.length)]
const word = () => pick(['alpha', 'béta', 'gamma 😀', 'delta', 'x', '', 'a longer piece of text', 'omega\n'])
const freshId = () => below(2 ** 32)

let clock = 1_700_000_000_000
let app, undo
let device = null

const open = (update, clientID = freshId()) => {
  const doc = new Y.Doc({ gc: options.gc })
  doc.clientID = clientID
  if (update) Y.applyUpdate(doc, update)
  return doc
}
const use = (doc) => {
  app = doc
  undo = options.undo && new Y.UndoManager([doc.getMap('tables'), doc.getArray('table:notes')], { captureTimeout: 0 })
}
/** The state of an earlier save; some were torn. */
const earlier = () => {
  for (;;) {
    const at = below(saved)
    if (!steps[at].some((kind) => ['torn', 'zeros'].includes(kind))) return fs.readFileSync(path.join(folder, name(at)))
  }
}
const bytes = () => Y.encodeStateAsUpdate(app)
const tables = (doc) => [...doc.getMap('tables').values()].filter((table) => table instanceof Y.Map)
const rowsOf = (table) => [...table.entries()].filter(([, row]) => row instanceof Y.Map)
const rowId = () => `row-${below(100000)}`

const scalar = () => pick([word, () => below(1000), () => random(), () => random() < 0.5, () => null])()
const value = () => pick([scalar, scalar, scalar, () => [word(), word()], () => ({ b: word(), a: [1, { c: null }] })])()

const fields = {
  id: { type: 'id' }, title: { type: 'text' }, count: { type: 'integer', nullable: true },
  price: { type: 'real' }, done: { type: 'boolean' }, tags: { type: 'tags' }, meta: { type: 'json' },
  body: { type: 'ytext' }, page: { type: 'richtext' }, list: { type: 'json' }
}

const page = () => {
  const fragment = new Y.XmlFragment()
  const paragraph = new Y.XmlElement('p')
  paragraph.setAttribute('class', word())
  paragraph.insert(0, [new Y.XmlText(word())])
  fragment.insert(0, [paragraph])
  return fragment
}

const newRow = (id) => {
  const row = new Y.Map()
  row.set('id', id)
  row.set('title', word())
  if (random() < 0.9) row.set('count', below(100))
  row.set('price', below(100) / 8)
  row.set('done', random() < 0.5)
  row.set('tags', [word()])
  row.set('body', new Y.Text(word()))
  if (random() < 0.3) row.set('page', page())
  if (random() < 0.3) row.set('list', Y.Array.from([word(), below(9)]))
  return row
}

const entry = (key) => ({ key, val: { id: key, title: word(), count: below(50), tags: [word()] }, ts: ++clock })

const fill = (doc) => doc.transact(() => {
  const root = doc.getMap('tables')
  if (options.layout !== 'arrays') {
    doc.getMap('definition').set('tables', { tasks: { name: 'Tasks', fields } })
    for (const name of ['tasks', 'loose']) {
      const table = new Y.Map()
      root.set(name, table)
      for (let n = 0; n < options.rows; n++) { const id = rowId(); table.set(id, newRow(id)) }
    }
  }
  if (options.layout !== 'maps') {
    for (const name of ['table:notes', 'table:tags']) {
      const array = doc.getArray(name)
      for (let n = 0; n < options.rows; n++) array.push([entry(rowId())])
    }
  }
})

const someRow = (doc) => {
  const rows = tables(doc).flatMap((table) => rowsOf(table).map(([, row]) => row))
  return rows.length ? pick(rows) : null
}
const nested = (doc, kind) => {
  const found = tables(doc).flatMap((table) => rowsOf(table).flatMap(([, row]) => [...row.values()].filter((v) => v instanceof kind)))
  return found.length ? pick(found) : null
}
const arrayOf = (doc) => doc.getArray(pick(['table:notes', 'table:tags']))

const type = (doc, text, letters) => {
  let at = below(text.length + 1)
  for (const letter of letters) { text.insert(at, letter); at += letter.length }
}

/** What a user may do with an open document; each takes the document. */
const edits = {
  set: (doc) => someRow(doc)?.set(pick(['title', 'count', 'price', 'done', 'tags', 'meta']), value()),
  retype: (doc) => { const row = someRow(doc); if (row) for (let n = 0; n < 4; n++) row.set('title', `t${n}`) },
  unset: (doc) => someRow(doc)?.delete(pick(['count', 'meta', 'list', 'extra'])),
  extra: (doc) => someRow(doc)?.set('extra', value()),
  insert: (doc) => { const table = tables(doc)[0] && pick(tables(doc)); if (table) { const id = rowId(); table.set(id, newRow(id)) } },
  plain: (doc) => { const table = tables(doc)[0] && pick(tables(doc)); if (table) { const id = rowId(); table.set(id, { id, title: word() }) } },
  odd: (doc) => { const table = tables(doc)[0] && pick(tables(doc)); if (table) table.set(rowId(), value()) },
  remove: (doc) => { const table = tables(doc)[0] && pick(tables(doc)); if (table?.size) table.delete(pick([...table.keys()])) },
  append: (doc) => { const text = nested(doc, Y.Text); if (text) for (const letter of 'hello') text.insert(text.length, letter) },
  type: (doc) => { const text = nested(doc, Y.Text); if (text) type(doc, text, ['a', 'b', '😀', 'c']) },
  backspace: (doc) => { const text = nested(doc, Y.Text); if (text?.length) text.delete(below(text.length), 1) },
  bold: (doc) => { const text = nested(doc, Y.Text); if (text?.length > 2) text.format(1, 2, { bold: true }) },
  push: (doc) => nested(doc, Y.Array)?.push([value(), value()]),
  shift: (doc) => { const list = nested(doc, Y.Array); if (list?.length) list.delete(below(list.length), 1) },
  xml: (doc) => {
    const fragment = nested(doc, Y.XmlFragment)
    if (!fragment) return
    const paragraph = new Y.XmlElement(pick(['p', 'h1']))
    paragraph.insert(0, [new Y.XmlText(word())])
    fragment.insert(below(fragment.length + 1), [paragraph])
  },
  xmlText: (doc) => { const fragment = nested(doc, Y.XmlFragment); const text = fragment?.length && fragment.get(0).get?.(0); if (text instanceof Y.XmlText) text.insert(0, word()) },
  import: (doc) => { const table = tables(doc)[0] && pick(tables(doc)); if (table) for (let n = 0; n < 20; n++) { const id = rowId(); table.set(id, newRow(id)) } },
  entry: (doc) => arrayOf(doc).push([entry(rowId())]),
  update: (doc) => {
    const array = arrayOf(doc)
    if (!array.length) return
    const at = below(array.length)
    const { key } = array.get(at)
    if (random() < 0.7) array.delete(at, 1)
    array.push([entry(key)])
  },
  drop: (doc) => { const array = arrayOf(doc); if (array.length) array.delete(below(array.length), 1) },
  late: (doc) => { const array = arrayOf(doc); if (array.length) array.push([{ ...array.get(below(array.length)), ts: below(2) ? clock : 5 }]) },
  badEntry: (doc) => arrayOf(doc).insert(0, [pick([{ key: 5, val: 1 }, 'x', { val: {} }, { key: 'k', ts: 'x' }])]),
  kv: (doc) => doc.getMap('kv').set(pick(['theme', 'page']), value()),
  define: (doc) => doc.getMap('definition').set('tables', { tasks: { name: word(), fields: { ...fields, ['f' + below(5)]: { type: 'text' } } } }),
  table: (doc) => { const table = new Y.Map(); doc.getMap('tables').set(pick(['late', 'loose']), table); const id = rowId(); table.set(id, newRow(id)) }
}

/** What happens to the document as a whole; each may give the bytes that are saved. */
const events = {
  undo: () => { undo && undo.undo() },
  redo: () => { undo && undo.redo() },
  reload: () => { use(open(bytes())) },
  merge: () => {
    device ??= open(bytes())
    for (let n = 0; n < 5; n++) edits[pick(usual.filter((kind) => kind !== 'kv'))](device)
    Y.applyUpdate(app, Y.encodeStateAsUpdate(device))
    if (random() < 0.5) Y.applyUpdate(device, bytes())
  },
  older: () => earlier(),
  rewrite: () => bytes(),
  torn: () => { const whole = bytes(); return whole.slice(0, below(whole.length)) },
  zeros: () => { const whole = bytes().slice(); whole.fill(0, below(whole.length)); return whole },
  stale: () => { const whole = bytes(); return Buffer.concat([whole, Buffer.from([1, 2, 3])]) },
  foreign: () => { const doc = open(); fill(doc); use(doc); device = null },
  twice: () => { const { clientID } = app; const doc = open(earlier()); doc.clientID = clientID; doc.transact(() => edits.set(doc)); use(doc) }
}

const usual = Object.keys(edits).filter((kind) => !['define', 'table', 'badEntry', 'odd', 'plain'].includes(kind))
const weights = {
  ...Object.fromEntries(Object.keys(edits).map((kind) => [kind, usual.includes(kind) ? 10 : 2])),
  ...Object.fromEntries(Object.keys(events).map((kind) => [kind, 0])),
  undo: 8, redo: 4, reload: 6, merge: 6, rewrite: 2, ...options.weights
}
const kinds = Object.keys(weights).flatMap((kind) => Array(weights[kind]).fill(kind))
const name = (number) => `${String(number).padStart(4, '0')}.yjs`

let saved = 0
const steps = []
const save = (what, data = bytes()) => {
  fs.writeFileSync(path.join(folder, name(saved++)), data)
  steps.push(what)
}

fs.mkdirSync(folder, { recursive: true })
use(open())
fill(app)
save(['fill'])
while (saved < (options.script?.length + 1 || options.saves)) {
  const what = options.script ? [options.script[saved - 1]].flat() : Array.from({ length: random() < 0.7 ? 1 : 1 + below(4) }, () => pick(kinds))
  let data
  for (const kind of what) {
    if (edits[kind]) app.transact(() => edits[kind](app))
    else data = events[kind]() ?? data
  }
  save(what, data)
}
fs.writeFileSync(path.join(folder, 'steps.json'), JSON.stringify(steps))
