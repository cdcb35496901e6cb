// Writes the seeds of the fuzzer: small documents, each rich in one thing, and some hostile ones.
//   node seeds.js FOLDER
import fs from 'node:fs'
import path from 'node:path'
import * as Y from 'yjs'
import { fill, newDoc, ymap } from './documents.js'

const table = (doc, cells) => {
  fill(doc, 'items', { one: cells, two: { plain: 'text', n: 2 } })
  return doc.getMap('tables').get('items').get('one')
}

const xml = (doc) => {
  const page = new Y.XmlElement('p')
  page.setAttribute('class', 'wide')
  const text = new Y.XmlText('some bold text')
  text.format(5, 4, { bold: true })
  page.insert(0, [text, new Y.XmlElement('br')])
  const fragment = new Y.XmlFragment()
  fragment.insert(0, [page])
  table(doc, { fragment, text: new Y.XmlText('alone') })
}

const richText = (doc) => {
  const row = table(doc, { body: new Y.Text('one two three four') })
  const text = row.get('body')
  text.format(4, 3, { italic: true, link: { href: 'x' } })
  text.insertEmbed(8, { image: 'y' })
  text.delete(0, 4)
  text.insert(3, '🌱 grün ')
}

const lists = (doc) => {
  const row = table(doc, { list: Y.Array.from(['a', 1, null, ymap({ deep: Y.Array.from([true]) })]) })
  row.get('list').insert(1, [[1, [2, { three: [3] }]], new Uint8Array([1, 2, 3])])
  row.get('list').delete(0, 2)
  row.get('list').push(['end'])
}

const numbers = (doc) => table(doc, {
  big: 2n ** 62n, small: -1n, half: 0.5, single: 1.5, huge: 1e300, zero: -0, wide: 2 ** 53, nan: NaN
})

const subDocuments = (doc) => table(doc, { page: new Y.Doc({ guid: 'page-1' }), meta: { a: [1, 2] } })

const writers = (doc) => {
  const peers = [newDoc(500), newDoc(70000), newDoc(2 ** 31 + 5)]
  peers.forEach((peer, n) => fill(peer, 'items', { [`r${n}`]: { who: n }, shared: { who: n } }))
  for (const peer of [...peers, ...peers]) {
    for (const other of peers) Y.applyUpdate(peer, Y.encodeStateAsUpdate(other))
    fill(peer, 'items', { late: { from: peer.clientID } })
  }
  for (const peer of peers) Y.applyUpdate(doc, Y.encodeStateAsUpdate(peer))
}

const edits = (doc) => {
  const row = table(doc, { title: 'first', body: new Y.Text('abc') })
  for (let n = 0; n < 10; n++) row.set('title', `title ${n}`)
  for (let n = 0; n < 5; n++) fill(doc, 'items', { [`gone${n}`]: { n } })
  for (let n = 0; n < 5; n++) doc.getMap('tables').get('items').delete(`gone${n}`)
}

const keyed = (doc) => {
  const entries = doc.getArray('table:notes')
  for (let n = 0; n < 6; n++) entries.insert(n % 3, [{ key: `k${n % 4}`, val: { n }, ts: n }])
  entries.delete(1, 2)
  entries.push(['no entry', { key: 'k9', val: { n: 9 }, ts: 9 }])
}

const nested = (doc) => {
  let value = 'core'
  for (let n = 0; n < 60; n++) value = n % 2 ? [value] : { in: value }
  table(doc, { value })
}

const seeds = { xml, richText, lists, numbers, subDocuments, writers, edits, keyed, nested }

// ---------------------------------------------------------------- what is no whole V1 update

const later = () => {
  const doc = newDoc()
  table(doc, { title: 'first' })
  const before = Y.encodeStateVector(doc)
  fill(doc, 'items', { three: { title: 'later' } })
  return Y.encodeStateAsUpdate(doc, before)
}

const pending = () => {
  const doc = newDoc(9)
  table(doc, { title: 'mine' })
  Y.applyUpdate(doc, later())
  return Y.encodeStateAsUpdate(doc)
}

const plainDocument = () => {
  const doc = newDoc()
  table(doc, { title: 'first' })
  return doc
}

const oldDocument = (longer) => {
  const shorter = Y.encodeStateAsUpdate(plainDocument())
  return Buffer.concat([shorter, Buffer.from(longer).subarray(shorter.length)])
}

/** A row whose cell is `levels` arrays inside each other; Yjs itself could not write it. */
const deep = (levels) => {
  const doc = newDoc()
  table(doc, { value: 'PLACEHOLDER' })
  const [before, after] = Buffer.from(Y.encodeStateAsUpdate(doc)).toString('latin1')
    .split('w\u000bPLACEHOLDER')
  return Buffer.from(before + 'u\u0001'.repeat(levels) + '~' + after, 'latin1')
}

const MOST = [0xff, 0xff, 0xff, 0xff, 0x0f]
const others = {
  empty: () => Buffer.from([0, 0]),
  later,
  pending,
  version2: () => Y.encodeStateAsUpdateV2(plainDocument()),
  version2Empty: () => Y.encodeStateAsUpdateV2(newDoc()),
  staleTail: () => {
    const doc = plainDocument()
    for (let n = 0; n < 9; n++) fill(doc, 'items', { [`more${n}`]: { n } })
    return oldDocument(Y.encodeStateAsUpdate(doc))
  },
  zeros: () => Buffer.alloc(64),
  deep600: () => deep(600),
  deep20000: () => deep(20000),
  manyWriters: () => Buffer.from([...MOST, 1, 1, 0]),
  manyStructs: () => Buffer.from([1, ...MOST, 1, 0]),
  manyValues: () => Buffer.from([1, 1, 1, 0, 8, 1, 1, 0x61, ...MOST]),
  manyDeletions: () => Buffer.from([0, 1, 1, ...MOST]),
  longString: () => Buffer.from([1, 1, 1, 0, 4, 1, 1, 0x61, ...MOST, 0x62]),
  longGap: () => Buffer.from([1, 1, 1, 0, 10, ...MOST, 0]),
  html: () => Buffer.from('<!doctype html><title>404</title>'),
  json: () => Buffer.from('{"tables": {}}')
}

const [folder] = process.argv.slice(2)
const name = (key) => key.replace(/[A-Z]|[0-9]+/g, (part) => '_' + part.toLowerCase())
for (const [key, make] of Object.entries(seeds)) {
  const doc = newDoc()
  make(doc)
  fs.writeFileSync(path.join(folder, `${name(key)}.yjs`), Y.encodeStateAsUpdate(doc))
}
for (const [key, make] of Object.entries(others)) {
  fs.writeFileSync(path.join(folder, `${name(key)}.yjs`), make())
}
