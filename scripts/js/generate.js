// Writes documents of arbitrary roots, each with what its mirror must hold: N.yjs and N.json.
//   node generate.js SEED COUNT FOLDER [STEPS]
// With STEPS each document is saved so often, with edits between: N-0.yjs, N-1.yjs...
// Every kind of root under every kind of name, known ones among them, by two writers that know
// little of each other; small pools of names, so that things clash.
import fs from 'node:fs'
import path from 'node:path'
import * as Y from 'yjs'
import { newDoc, ymap } from './documents.js'
import { decode, expected } from './expected.js'

/** A random generator with a state of 32 bits (mulberry32): equal seeds give equal documents. */
const randomOf = (seed) => () => {
  seed = (seed + 0x6d2b79f5) | 0
  let mixed = Math.imul(seed ^ (seed >>> 15), 1 | seed)
  mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
  return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
}

class Generator {
  constructor (seed) {
    this.random = randomOf(seed)
  }

  below (most) { return Math.floor(this.random() * most) }

  chance (share) { return this.random() < share }

  pick (list) { return list[this.below(list.length)] }

  times (most, make) { return Array.from({ length: this.below(most + 1) }, (_, n) => make(n)) }

  // -------------------------------------------------------------- values

  scalar () {
    return this.pick([
      () => this.pick(['', 'a', 'b:c', 'naïve 🌱', 'é', '007', 'x'.repeat(300)]),
      () => this.below(5),
      () => this.pick([1.5, -0.5, 2 ** 53, -1, 1e21, 123456789]),
      () => this.pick([true, false]),
      () => null,
      () => 2n ** 60n + BigInt(this.below(9)),
      () => Uint8Array.of(this.below(256), 0),
      () => this.pick([NaN, Infinity, -Infinity])
    ])()
  }

  key () { return this.pick(['a', 'b', 'c', 'r1', 'r:a', 'r:b', 's:a', 'notes', 'Notes', '🌱', 'a.b', '', 'id', 'value']) }

  field () { return this.pick(['a', 'b', 'c', 'title', 'n', '_position', 'value', 'id', 'é']) }

  /** Plain JSON, without what JSON.stringify and the decoder show in two ways. */
  plain (depth = 2) {
    if (depth === 0 || this.chance(0.5)) return this.pick(['x', 1, 0.5, true, null, 'é'])
    return this.chance(0.5)
      ? this.times(3, () => this.plain(depth - 1))
      : Object.fromEntries(this.times(3, () => [this.key(), this.plain(depth - 1)]))
  }

  record () {
    const fields = this.times(4, () => [this.field(), this.cell()])
    const isPlain = this.chance(0.5)
    const value = isPlain ? Object.fromEntries(fields.map(([key]) => [key, this.plain()])) : ymap(Object.fromEntries(fields))
    return value
  }

  cell () {
    return this.pick([
      () => this.scalar(), () => this.scalar(), () => this.scalar(), () => this.plain(),
      () => new Y.Text(this.pick(['', 'typed', 'é🌱'])),
      () => Y.Array.from(this.times(3, () => this.plain(1))),
      () => ymap(Object.fromEntries(this.times(2, () => [this.key(), this.plain(1)])))
    ])()
  }

  map (depth) {
    const kind = this.pick(['rows', 'rows', 'many', 'group', 'settings', 'mixed'])
    const size = kind === 'many' ? 8 + this.below(14) : this.below(5)
    const entries = Array.from({ length: size }, (_, n) => {
      const key = kind === 'many' ? `k${n}` : this.key()
      if (kind === 'rows') return [key, this.record()]
      if (kind === 'many') return [key, this.chance(0.9) ? this.record() : this.scalar()]
      if (kind === 'settings') return [key, this.cell()]
      const isMap = depth > 0 && this.chance(kind === 'group' ? 0.8 : 0.4)
      return [key, isMap ? this.map(depth - 1) : this.cell()]
    })
    return ymap(Object.fromEntries(entries))
  }

  /** A scalar that Yjs takes into an array: no BigInt by itself. */
  element () {
    const value = this.scalar()
    return typeof value === 'bigint' ? 7 : value
  }

  elements () {
    const kind = this.pick(['records', 'ids', 'scalars', 'mixed', 'pairs', 'keyed', 'cells', 'odd'])
    return this.times(this.pick([4, 12]), () => {
      switch (kind) {
        case 'records': return this.record()
        case 'ids': return { id: this.pick(['a', 'b', '0000000001', '0000000002_2', 5, null]), n: this.below(9) }
        case 'scalars': return this.element()
        case 'mixed': return this.chance(0.5) ? this.record() : this.element()
        case 'pairs': return this.entry(this.chance(0.7) ? this.record() : this.scalar(), 0)
        case 'keyed': return this.entry(this.chance(0.9) ? this.record() : this.scalar(), 0.8)
        case 'cells': return this.entry(this.pick([this.scalar(), this.plain(), null]), 0.7, ['r:a', 'r:b', 's:a', 's::', ':'])
        default: return this.pick([this.entry(1, 0.5), { key: 5, val: 1, ts: 1 }, { key: 'a', ts: 'x' }, { val: 1 }, 'x', { key: 'a', val: 1, more: 2 }])
      }
    })
  }

  entry (val, withTs, keys = ['a', 'b', 'r:a', 'r:b', 'c']) {
    const ts = this.chance(withTs) ? { ts: this.pick([1, 2, 2, 3, -1, 1.5]) } : {}
    const entry = { key: this.pick(keys), val, ...ts }
    return val instanceof Y.AbstractType || this.chance(0.2) ? ymap(entry) : entry
  }

  // -------------------------------------------------------------- documents

  name () {
    return this.pick(['tables', 'table:notes', 'table:Notes', 'table:b', 'definition', 'schema', 'kv',
      'notes', 'Notes', 'blocks', 'meta', 'app', 'store', 'a.b', 'b', 'sqlite_x', '_mirror', 'table:', '🌱'])
  }

  root (doc, name) {
    const kind = name.startsWith('table:') && this.chance(0.8) ? 'array'
      : name === 'tables' && this.chance(0.8) ? 'map' : this.pick(['map', 'map', 'map', 'array', 'array', 'text', 'xml', 'store'])
    if (name === 'definition' || name === 'schema') return this.definitions(doc, name)
    if (kind === 'array') doc.getArray(name).insert(0, this.elements())
    else if (kind === 'text') doc.getText(name).insert(0, this.pick(['words', '🌱 é']))
    else if (kind === 'xml') doc.getXmlFragment(name).insert(0, [new Y.XmlElement('p'), new Y.XmlText('words')])
    else if (kind === 'store') this.store(doc.getMap(name))
    else for (const [key, value] of this.detached(this.map(3))) doc.getMap(name).set(key, value)
  }

  /** The entries of a map that is in no document yet. */
  detached (map) { return [...map._prelimContent] }

  store (map) {
    map.set('t', this.map(2))
    map.set('v', ymap(Object.fromEntries(this.times(3, () => [this.key(), this.scalar()]))))
  }

  definitions (doc, root) {
    const fields = () => Object.fromEntries(['a', 'n', 'title'].slice(this.below(3)).map((field) =>
      [field, { type: this.pick(['text', 'integer', 'json']), ...(this.chance(0.5) ? { nullable: true } : {}) }]))
    const tables = Object.fromEntries(this.times(3, () => [this.pick(['notes', 'Notes', 'b', 'a', 'sqlite_x']), { fields: fields() }]))
    doc.getMap(root).set('tables', tables)
  }

  edit (doc, names) {
    const name = this.pick(names)
    const type = doc.share.get(name)
    if (type === undefined) return this.root(doc, name)
    const keys = [...type._map].filter(([, item]) => !item.deleted).map(([key]) => key)
    const isOther = [Y.Array, Y.Text, Y.XmlFragment].some((kind) => type instanceof kind)
    if (keys.length && !isOther && this.chance(0.3)) doc.getMap(name).delete(this.pick(keys))
    else if (type._length && !keys.length && type instanceof Y.Array && this.chance(0.5)) doc.getArray(name).delete(0, 1)
    else if (type instanceof Y.Array) doc.getArray(name).insert(this.below(type.length + 1), this.elements())
    else if (type instanceof Y.Map) doc.getMap(name).set(this.key(), this.chance(0.5) ? this.map(2) : this.cell())
  }

  document () {
    const writers = [newDoc(1 + this.below(1000)), newDoc(5000 + this.below(2 ** 31))]
    for (const doc of writers) if (this.chance(0.3)) doc.gc = false
    const names = [...new Set(Array.from({ length: 1 + this.below(5) }, () => this.name()))]
    for (const doc of this.chance(0.5) ? writers : writers.slice(1)) {
      for (const name of names) if (this.chance(0.8)) this.root(doc, name)
      for (let n = this.below(6); n > 0; n--) this.edit(doc, names)
    }
    const merged = new Y.Doc()
    for (const doc of writers) Y.applyUpdate(merged, Y.encodeStateAsUpdate(doc))
    return Y.encodeStateAsUpdate(merged)
  }

  /** The states of one document after each save; sessions and other writers come in between. */
  * history (steps) {
    const session = () => {
      const doc = newDoc(1 + this.below(2 ** 31))
      doc.gc = this.chance(0.3)
      return doc
    }
    let doc = session()
    const names = [...new Set(Array.from({ length: 2 + this.below(4) }, () => this.name()))]
    for (let step = 0; step < steps; step++) {
      if (step === 0 || this.chance(0.3)) {
        const other = session()
        for (const name of names) if (this.chance(0.5)) this.root(other, name)
        Y.applyUpdate(doc, Y.encodeStateAsUpdate(other))
      }
      for (let n = this.below(4); n >= 0; n--) this.chance(0.2) ? this.empty(doc, this.pick(names)) : this.edit(doc, names)
      const update = Y.encodeStateAsUpdate(doc)
      yield update
      if (this.chance(0.2)) {
        doc = session()
        Y.applyUpdate(doc, update)
      }
    }
  }

  /** Delete all that is in a root of this session. */
  empty (doc, name) {
    const type = doc.share.get(name)
    if (type === undefined) return
    for (const key of [...type._map.keys()]) if (type instanceof Y.Map) type.delete(key)
    if (type instanceof Y.Array || type instanceof Y.Text) type.delete(0, type.length)
  }
}

const write = (name, update) => {
  fs.writeFileSync(`${name}.yjs`, update)
  fs.writeFileSync(`${name}.json`, JSON.stringify(expected(decode(update))) + '\n')
}

const [seed, count, folder, steps] = process.argv.slice(2)
fs.mkdirSync(folder, { recursive: true })
for (let n = 0; n < Number(count); n++) {
  const generator = new Generator(Number(seed) * 100003 + n)
  const name = path.join(folder, String(n).padStart(5, '0'))
  if (steps) [...generator.history(Number(steps))].forEach((update, step) => write(`${name}-${step}`, update))
  else write(name, generator.document())
}
