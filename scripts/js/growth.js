// Shapes whose cost must grow with their size: node growth.js SHAPE SIZE FILE
import fs from 'node:fs'
import * as Y from 'yjs'

const FORMS = {
  'array written from the front': (row, n) => {
    const list = row.set('cell', new Y.Array())
    for (let i = 0; i < 10 * n; i++) list.insert(0, [i])
  },
  'maps pushed to an array': (row, n) => {
    const list = row.set('cell', new Y.Array())
    for (let i = 0; i < 3 * n; i++) list.push([new Y.Map([['k', i]])])
  },
  'arrays in an array, each from the front': (row, n) => {
    const list = row.set('cell', new Y.Array())
    for (let i = 0; i < n / 10; i++) {
      const inner = new Y.Array()
      list.insert(0, [inner])
      for (let j = 0; j < 100; j++) inner.insert(0, [j])
    }
  },
  'fields in one row': (row, n) => { for (let i = 0; i < 10 * n; i++) row.set(`field ${i}`, i) },
  'formats in a text': (row, n) => {
    const text = row.set('cell', new Y.XmlText('abcdefgh'.repeat(2 * n)))
    for (let i = 0; i < 2 * n; i++) text.format(i * 8, 3, { bold: true })
  },
  'elements of XML from the front': (row, n) => {
    const page = row.set('cell', new Y.XmlFragment())
    for (let i = 0; i < 10 * n; i++) page.insert(0, [new Y.XmlElement('p')])
  },
  'texts in elements of XML': (row, n) => {
    const page = row.set('cell', new Y.XmlFragment())
    for (let i = 0; i < 2 * n; i++) {
      const element = new Y.XmlElement('p')
      page.insert(0, [element])
      element.insert(0, [new Y.Text('word')])
    }
  }
}

const tableOf = (doc, name) => doc.getMap('tables').set(name, new Y.Map())
const rowOf = (table, id, fields) => table.set(id, new Y.Map(Object.entries(fields)))

/** A name in one of its forms that differ in case alone. */
const inCase = (n) => [...'abcdefghijklmnop'].map((letter, bit) => n >> bit & 1 ? letter.toUpperCase() : letter).join('')

const define = (doc, name, fields) => {
  const tables = doc.getMap('definition').get('tables') ?? doc.getMap('definition').set('tables', new Y.Map())
  const definitions = Object.fromEntries(Object.entries(fields).map(([field, type]) => [field, { type, name: field, description: '', icon: null }]))
  tables.set(name, { name, description: '', icon: null, fields: definitions })
}

/** Documents, where FORMS are cells of one row. */
const DOCUMENTS = {
  'rows': (doc, n) => {
    const table = tableOf(doc, 't')
    for (let i = 0; i < 4 * n; i++) rowOf(table, `row ${i}`, { title: `title ${i}`, n: i })
  },
  'rows beside one BigInt': (doc, n) => {
    DOCUMENTS.rows(doc, n)
    rowOf(tableOf(doc, 'u'), 'r', { big: 2n ** 60n })
  },
  'one cell, overwritten': (doc, n) => {
    const row = rowOf(tableOf(doc, 't'), 'r', {})
    for (let i = 0; i < 20 * n; i++) row.set('cell', `value ${i}`)
  },
  'tables': (doc, n) => { for (let i = 0; i < n; i++) rowOf(tableOf(doc, `table ${i}`), 'r', { title: 'a title' }) },
  'tables that are declared': (doc, n) => {
    for (let i = 0; i < n / 2; i++) {
      define(doc, `table ${i}`, { id: 'id', title: 'text' })
      rowOf(tableOf(doc, `table ${i}`), 'r', { id: 'r', title: 'a title' })
    }
  },
  'tables with --fts': (doc, n) => DOCUMENTS['tables that are declared'](doc, n / 4),
  'tables equal but for case': (doc, n) => { for (let i = 0; i < n; i++) rowOf(tableOf(doc, inCase(i)), 'r', { a: 1 }) },
  'fields equal but for case': (doc, n) => {
    rowOf(tableOf(doc, 't'), 'r', Object.fromEntries(Array.from({ length: 2 * n }, (_, i) => [inCase(i), i])))
  },
  'keyed arrays': (doc, n) => { for (let i = 0; i < n; i++) doc.getArray(`table:${i}`).push([{ key: 'r', val: { a: i }, ts: 1 }]) },
  'a keyed array from the front': (doc, n) => {
    for (let i = 0; i < 10 * n; i++) doc.getArray('table:t').insert(0, [{ key: `k${i % 100}`, val: { n: i }, ts: i }])
  },
  'texts called table:... beside a keyed array': (doc, n) => {
    doc.getArray('table:t').push([{ key: 'r', val: { a: 1 }, ts: 1 }])
    for (let i = 0; i < 5 * n; i++) doc.getText(`table:text ${i}`).insert(0, 'words')
  },
  'roots by their shape': (doc, n) => { for (let i = 0; i < n; i++) rowOf(doc.getMap(`root ${i}`), 'r', { a: i }) },
  'a root array from the front': (doc, n) => { for (let i = 0; i < 10 * n; i++) doc.getArray('list').insert(0, [{ n: i }]) },
  'maps in a group': (doc, n) => {
    const group = doc.getMap('app').set('group', new Y.Map())
    for (let i = 0; i < n; i++) rowOf(group.set(`table ${i}`, new Y.Map()), 'r', { a: i })
  },
  'writers': (doc, n) => writers(doc, n, () => Math.floor(Math.random() * 2 ** 32)),
  'writers, equal in their low bits': (doc, n) => writers(doc, n, (i) => 7 + i * 2 ** 16),
  'rows beside half an emoji in an embed': (doc, n) => { // made plain in Python
    DOCUMENTS.rows(doc, n / 2)
    tableOf(doc, 'u').set('r', new Y.Map()).set('text', new Y.Text()).insertEmbed(0, { half: '\ud83d' })
  }
}

const writers = (doc, n, client) => {
  tableOf(doc, 't')
  const made = Y.encodeStateAsUpdate(doc)
  for (let i = 0; i < 2 * n; i++) {
    const other = new Y.Doc()
    other.clientID = client(i)
    Y.applyUpdate(other, made)
    const since = Y.encodeStateVector(other)
    rowOf(other.getMap('tables').get('t'), `row ${i}`, { a: i })
    Y.applyUpdate(doc, Y.encodeStateAsUpdate(other, since))
  }
}

const [shape, size, file] = process.argv.slice(2)
if (shape === 'list') {
  console.log(JSON.stringify([...Object.keys(FORMS), ...Object.keys(DOCUMENTS)]))
} else {
  const doc = new Y.Doc()
  doc.clientID = 1
  if (shape in DOCUMENTS) DOCUMENTS[shape](doc, Number(size))
  else doc.transact(() => FORMS[shape](rowOf(tableOf(doc, 't'), 'row', {}), Number(size)))
  fs.writeFileSync(file, Y.encodeStateAsUpdate(doc))
}
