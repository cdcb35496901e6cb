// Writes one document of the bench with real Yjs: node documents.js SHAPE FILE [NUMBER]
// All are deterministic, so that a cached file and a fresh one are the same.
import fs from 'node:fs'
import * as Y from 'yjs'

const CLIENT = 2147480009 // five bytes when encoded, as the random ids of real clients are

const ymap = (entries) => {
  const map = new Y.Map()
  for (const [key, value] of Object.entries(entries)) map.set(key, value)
  return map
}

const define = (doc, names, fields) => doc.getMap('definition').set('tables', Object.fromEntries(
  names.map((name) => [name, { name, icon: null, description: '', fields: { id: { type: 'id' }, ...fields } }])))

const fill = (doc, name, count, rowOf) => doc.transact(() => {
  const table = new Y.Map()
  doc.getMap('tables').set(name, table)
  for (let n = 0; n < count; n++) {
    const id = rowId(n)
    table.set(id, ymap({ id, ...rowOf(n) }))
  }
})

const add = (doc, name, fields, count, rowOf) => {
  define(doc, [name], fields)
  fill(doc, name, count, rowOf)
}

/** Keys as unordered as the app's random ones. */
const rowId = (n) => `r${((n * 7919) % 1000003).toString(36).padStart(5, '0')}`

// Eight fields beside the id, of the kinds an app has.
const FIELDS = {
  title: { type: 'text' },
  body: { type: 'text' },
  status: { type: 'select', options: ['open', 'waiting', 'done'] },
  count: { type: 'integer' },
  price: { type: 'real' },
  done: { type: 'boolean' },
  due: { type: 'date', nullable: true },
  labels: { type: 'tags' }
}

const row = (n, edition = 0) => ({
  title: `Item ${n} – edition ${edition}`,
  body: 'All work and no play makes Jack a dull boy. '.slice(0, 10 + (n * 13) % 35) + n,
  status: ['open', 'waiting', 'done'][(n + edition) % 3],
  count: n * 3 + edition,
  price: (n + edition) * 1.25 + 0.1,
  done: (n + edition) % 3 === 0,
  due: n % 5 ? `2026-01-22T10:20:30.${String(n % 1000).padStart(3, '0')}Z|Europe/Paris` : null,
  labels: ['red', `shade ${(n + edition) % 40}`]
})

const rows = (doc, count) => add(doc, 'items', FIELDS, count, (n) => row(n))

const edited = (doc, count) => {
  rows(doc, count)
  const table = doc.getMap('tables').get('items')
  for (let edition = 1; edition <= 5; edition++) {
    for (let n = 0; n < count; n++) {
      const found = table.get(rowId(n))
      doc.transact(() => Object.entries(row(n, edition)).forEach(([key, value]) => found.set(key, value)))
    }
  }
}

const tables = (doc, count) => {
  const names = Array.from({ length: count }, (_, n) => `table_${n}`)
  define(doc, names, FIELDS)
  names.forEach((name, n) => fill(doc, name, 20, (r) => row(r + n)))
}

const wide = (doc, count) => {
  const names = Array.from({ length: 500 }, (_, n) => `field_${n}`)
  const fields = Object.fromEntries(names.map((name, n) => [name, { type: n % 2 ? 'text' : 'integer' }]))
  add(doc, 'wide', fields, count, (r) =>
    Object.fromEntries(names.map((name, n) => [name, n % 2 ? `cell ${r} ${n}` : r * n])))
}

const texts = (doc, count) => {
  const paragraph = 'Naïve café 漢字 🌱: the quick brown fox jumps over the lazy dog again. '
  add(doc, 'pages', { title: { type: 'text' }, body: { type: 'ytext' }, notes: { type: 'ytext' } }, count, (n) => ({
    title: `Page ${n}`,
    body: new Y.Text(paragraph.repeat(60 + n % 60)),
    notes: new Y.Text(`Notes ${n}\n`)
  }))
  const table = doc.getMap('tables').get('pages')
  for (let n = 0; n < count; n++) {
    const page = table.get(rowId(n))
    for (let k = 0; k < 10; k++) page.get('body').insert((k * 37) % 500, `edit ${k} `)
    page.get('notes').insert(3, 'inserted ')
  }
}

const json = (doc, count) => {
  const fields = { labels: { type: 'tags' }, people: { type: 'tags' }, meta: { type: 'json' }, tree: { type: 'json' } }
  add(doc, 'tagged', fields, count, (n) => ({
    labels: ['red', `shade ${n % 40}`, 'urgent'],
    people: Array.from({ length: n % 6 }, (_, k) => `person ${k * n}`),
    meta: { z: n, a: { nested: [n, n / 4, true, null, 'ü'] }, words: ['x', 'y'] },
    tree: { left: { value: n, children: [{ value: 1 }, { value: 2.5 }] }, right: null }
  }))
}

const shapes = { rows, edited, tables, wide, texts, json }

const [shape, file, number] = process.argv.slice(2)
const doc = new Y.Doc({ gc: false }) // as the app does, for its snapshots
doc.clientID = CLIENT
shapes[shape](doc, Number(number))
fs.writeFileSync(file, Y.encodeStateAsUpdate(doc))
