// Writes documents with libraries that apps keep their data in, and what those libraries say they
// hold: NAME.yjs and NAME.json {tables: {name: {id: {field: value}}}, texts: {root: text}}.
//   node write.mjs FOLDER
import fs from 'node:fs'
import path from 'node:path'
import * as Y from 'yjs'
import { createStore } from 'tinybase'
import { createYjsPersister } from 'tinybase/persisters/persister-yjs'
import syncedstore, { getYjsDoc } from '@syncedstore/core'
import { schema } from 'prosemirror-schema-basic'
import { prosemirrorToYXmlFragment } from 'y-prosemirror'
import { YKeyValue } from 'y-utility/y-keyvalue'
import * as Y14 from '@y/y'

const folder = process.argv[2]

const put = (name, doc, { tables = {}, texts = {} }) => {
  fs.writeFileSync(path.join(folder, `${name}.yjs`), Y.encodeStateAsUpdate(doc))
  fs.writeFileSync(path.join(folder, `${name}.json`), JSON.stringify({ tables, texts }, null, 1) + '\n')
}

const settings = (values) => Object.fromEntries(Object.entries(values).map(([key, value]) => [key, { value }]))

const listed = (rows) => Object.fromEntries(rows.map((row, n) =>
  [String(n).padStart(10, '0'), { ...row, _position: n }]))

// ---------------------------------------------------------------- TinyBase: tables and values

const pets = async () => {
  const doc = new Y.Doc()
  const store = createStore()
    .setTables({
      pets: { fido: { species: 'dog', age: 3 }, felix: { species: 'cat', age: 2, vaccinated: true } },
      owners: { o1: { name: 'Ann' } }
    })
    .setValues({ open: true, currency: 'EUR' })
  const persister = createYjsPersister(store, doc, 'tinybase')
  await persister.save()
  store.setCell('pets', 'fido', 'age', 4)
  store.delRow('owners', 'o1')
  store.setRow('owners', 'o2', { name: 'Bo' })
  await persister.save()
  put('tinybase', doc, { tables: { ...store.getTables(), v: settings(store.getValues()) } })
}

// ---------------------------------------------------------------- SyncedStore: arrays, maps, texts

const todos = () => {
  const store = syncedstore({ todos: [], settings: {}, title: 'text' })
  store.todos.push({ title: 'One', done: false, tags: ['a'] }, { title: 'Two', done: true }, { title: 'Three', done: false })
  store.todos[0].done = true
  store.todos.splice(1, 1)
  store.settings.theme = 'dark'
  store.settings.size = 12
  store.title.insert(0, 'Things to do')
  const plain = JSON.parse(JSON.stringify(store))
  put('syncedstore', getYjsDoc(store), {
    tables: { todos: listed(plain.todos), settings: settings(plain.settings) },
    texts: { title: store.title.toString() }
  })
}

// ---------------------------------------------------------------- y-utility: entries without ts

const keyValues = () => {
  const doc = new Y.Doc()
  const users = new YKeyValue(doc.getArray('users'))
  users.set('u1', { name: 'Ann', age: 3 })
  users.set('u2', { name: 'Bo' })
  users.set('u1', { name: 'Anna', age: 4 })
  users.delete('u2')
  users.set('u3', { name: 'Cy' })
  const prefs = new YKeyValue(doc.getArray('prefs'))
  prefs.set('theme', 'light')
  prefs.set('theme', 'dark')
  const valuesOf = (kv) => Object.fromEntries([...kv.map].map(([key, entry]) => [key, entry.val]))
  put('y-utility', doc, { tables: { users: valuesOf(users), prefs: settings(valuesOf(prefs)) } })
}

// ---------------------------------------------------------------- ProseMirror: one XML fragment

const page = () => {
  const doc = new Y.Doc()
  const text = schema.node('doc', null, [
    schema.node('heading', { level: 1 }, [schema.text('Title')]),
    schema.node('paragraph', null, [schema.text('plain '), schema.text('bold', [schema.mark('strong')])])
  ])
  const fragment = doc.getXmlFragment('prosemirror')
  prosemirrorToYXmlFragment(text, fragment)
  put('y-prosemirror', doc, { texts: { prosemirror: fragment.toString() } })
}

// ---------------------------------------------------------------- Yjs 14: types with entries and children

const save14 = (name, doc, told) => {
  fs.writeFileSync(path.join(folder, `${name}.yjs`), Y14.encodeStateAsUpdate(doc))
  fs.writeFileSync(path.join(folder, `${name}.json`), JSON.stringify(told, null, 1) + '\n')
}

const plainOf14 = () => {
  const doc = new Y14.Doc()
  const [list, prefs, keyed] = [doc.get('list'), doc.get('prefs'), doc.get('table:notes')]
  list.insert(0, [{ title: 'Two' }, { title: 'Three' }])
  list.insert(0, [{ title: 'One', done: true }])
  list.delete(1, 1)
  prefs.setAttr('theme', 'light')
  prefs.setAttr('theme', 'dark')
  prefs.setAttr('size', 12)
  keyed.push([{ key: 'n1', val: { title: 'Old' }, ts: 1 }, { key: 'n1', val: { title: 'New' }, ts: 2 }])
  doc.get('title').insert(0, 'Things')
  doc.get('title').insert(6, ' to do')
  const { key, val } = keyed.toArray()[1]
  save14('yjs14', doc, {
    tables: { list: listed(list.toArray()), prefs: settings(prefs.getAttrs()), notes: { [key]: val } },
    texts: { title: doc.get('title').toString() }
  })
}

const nestedOf14 = () => {
  const doc = new Y14.Doc()
  const notes = new Y14.Type()
  doc.get('tables').setAttr('notes', notes)
  doc.get('prefs').setAttr('theme', 'dark')
  for (const id of ['n1', 'n2']) {
    const row = new Y14.Type()
    notes.setAttr(id, row)
    row.setAttr('title', `Title of ${id}`)
  }
  save14('yjs14-nested', doc, { tables: { prefs: settings(doc.get('prefs').getAttrs()) }, texts: {} })
}

fs.mkdirSync(folder, { recursive: true })
await pets()
todos()
keyValues()
page()
plainOf14()
nestedOf14()
