// Which tables a document holds, told by JavaScript: the rules of docs/format.md for roots, layouts
// and shapes, written on top of Yjs and sharing no code with the program.
import * as Y from 'yjs'

/** A row with columns that the mirror adds; they win over fields of the same name. */
export class Added {
  constructor (fields, added) {
    this.fields = fields
    this.added = added
  }
}

export const isRecord = (value) => value instanceof Y.Map || isObject(value)

const isObject = (value) => Object.prototype.toString.call(value) === '[object Object]' &&
  !(value instanceof Y.AbstractType) && !(value instanceof Y.Doc)

export const entriesOf = (record) =>
  record instanceof Y.Map ? [...record.entries()] : isObject(record) ? Object.entries(record) : []

/** Order by code points; JavaScript's own order is by UTF-16 units. */
export const byCodePoint = (a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))

// ---------------------------------------------------------------- roots

const [JSON_, STRING, EMBED, TYPE, ANY] = [2, 4, 5, 7, 8]
const XML = [Y.XmlElement, Y.XmlText]

/** What stands in a root, read from its items, whatever type an app opens it as. */
const readRoot = (doc, name) => {
  const type = doc.share.get(name)
  const entries = [...type._map].filter(([, item]) => !item.deleted)
    .map(([key, item]) => [key, item.content.getContent()[item.length - 1]])
  const elements = []
  const apart = [] // what is no letter of a text
  const kinds = new Set()
  let text = ''
  for (let item = type._start; item !== null; item = item.right) {
    if (item.deleted || !item.countable) continue
    const found = item.content.getContent()
    kinds.add(item.content.getRef())
    if (item.content.getRef() === STRING) text += item.content.str
    for (const element of found) elements.push(element)
    if (item.content.getRef() !== STRING) apart.push(...found)
  }
  const kind = kindOf(name, kinds, elements)
  // only arrays hold plain values, and no text shows the shared types in it
  const isArrayToo = kind === 'text' && [...kinds].some((one) => one !== STRING && one !== EMBED)
  return {
    name,
    kind: entries.length ? 'map' : kind,
    entries: new Map(entries),
    elements: kind === 'array' ? elements
      : isArrayToo ? apart.filter((element) => typeof element !== 'string') : [],
    text: kind === 'text' ? text : kind === 'xml' ? elements.map(String).join('') : null
  }
}

const kindOf = (name, kinds, elements) => {
  if (!kinds.size) return 'unknown'
  // Yjs writes plain values into arrays only: a keyed array with text in it was opened as a text, too
  if (name.startsWith('table:') && (kinds.has(ANY) || kinds.has(JSON_))) return 'array'
  if (kinds.has(STRING)) return 'text'
  if (elements.every((element) => XML.some((type) => element instanceof type))) return 'xml'
  const onlyInTexts = kinds.has(EMBED) && [...kinds].every((kind) => kind === EMBED || kind === TYPE)
  return onlyInTexts ? 'text' : 'array'
}

// ---------------------------------------------------------------- layouts

/**
 * All tables of a document: {name, layout, rows: Map of key to value, added, definition, isDefined,
 * bad: elements that are no entries}; and all roots, with the layout that claims each.
 */
export const found = (doc) => {
  const roots = [...doc.share.keys()].sort(byCodePoint).map((name) => readRoot(doc, name))
  const byName = new Map(roots.map((root) => [root.name, root]))
  const claims = claimed(byName)
  const tables = mapTables(byName, claims)
  const places = []
  for (const root of roots) {
    const claim = claims.get(root.name)
    if (claim === 'keyed_arrays' && root.elements.length) {
      tables.push(keyedTable(root))
      claims.set(root.name, tables.at(-1).layout)
    }
    if (claim === 'tinybase') places.push(...storeTables(root))
    if (claim === 'shape') places.push(...shapeTables(root))
    if (claim === 'maps' && root.entries.size && root.elements.length) places.push(arrayPlace([root.name], root.elements))
  }
  return { tables: [...tables, ...named(places)], roots, claims }
}

const isMap = (root) => root !== undefined && ['map', 'unknown'].includes(root.kind)

const claimed = (roots) => {
  const claims = new Map()
  const hasTables = isMap(roots.get('tables'))
  for (const [name, root] of roots) {
    const isList = ['array', 'unknown'].includes(root.kind)
    const isDefinition = name === 'definition' || name === 'schema'
    const defines = root.kind === 'unknown' || root.entries.has('tables')
    if (name === 'tables' && hasTables) claims.set(name, 'maps')
    else if (isDefinition && (hasTables || defines)) claims.set(name, 'maps')
    else if (name.startsWith('table:') && isList) claims.set(name, 'keyed_arrays')
  }
  const known = claims.size > 0
  for (const [name, root] of roots) {
    if (claims.has(name)) continue
    const listedOnly = root.kind === 'unknown' || (name === 'kv' && known)
    claims.set(name, listedOnly ? null : isStore(root) ? 'tinybase' : 'shape')
  }
  return claims
}

const isStore = ({ entries, elements, text }) => entries.size === 2 && !elements.length && !text &&
  entries.get('t') instanceof Y.Map && entries.get('v') instanceof Y.Map

const mapTables = (roots, claims) => {
  const definitions = new Map()
  for (const name of ['schema', 'definition']) {
    if (claims.get(name) !== 'maps') continue
    for (const [table, definition] of entriesOf(roots.get(name).entries.get('tables'))) {
      definitions.set(table, definition)
    }
  }
  const rows = claims.get('tables') === 'maps' ? roots.get('tables').entries : new Map()
  const tables = []
  for (const name of new Set([...definitions.keys(), ...rows.keys()])) {
    const value = rows.get(name)
    const isDefined = definitions.has(name)
    const isOdd = rows.has(name) && !isRecord(value)
    if (!isDefined && !isOdd && !entriesOf(value).length) continue
    const definition = definitions.get(name) ?? null
    tables.push({ name, layout: 'maps', rows: new Map(entriesOf(value)), isDefined, definition, notATable: isOdd })
  }
  return tables
}

const isEntry = (element) => {
  const entry = new Map(entriesOf(element))
  const ts = entry.get('ts')
  const isNumber = typeof ts === 'bigint' || (typeof ts === 'number' && !Number.isNaN(ts))
  return typeof entry.get('key') === 'string' && (!entry.has('ts') || isNumber)
}

const newest = (elements) => {
  const rows = new Map()
  for (const element of elements.filter(isEntry)) {
    const entry = new Map(entriesOf(element))
    const before = rows.get(entry.get('key'))
    const older = before !== undefined && before.has('ts') &&
      (!entry.has('ts') || entry.get('ts') < before.get('ts'))
    if (!older) rows.set(entry.get('key'), entry)
  }
  return new Map([...rows].map(([key, entry]) => [key, entry.get('val')]))
}

const valuesOf = (elements) =>
  elements.filter(isEntry).map((element) => new Map(entriesOf(element)).get('val') ?? null)

const keyedTable = ({ name, elements }) => {
  let rows = newest(elements)
  const values = valuesOf(elements)
  const told = values.some((value) =>
    value !== null && !isRecord(value) && !(value instanceof Uint8Array))
  const areCells = rows.size > 0 && [...rows.keys()].every((key) => key.includes(':')) && told
  if (areCells) {
    const joined = new Map()
    for (const [key, value] of rows) {
      const [row, field] = [key.slice(0, key.indexOf(':')), key.slice(key.indexOf(':') + 1)]
      joined.set(row, new Map([...(joined.get(row) ?? []), [field, value]]))
    }
    rows = new Map([...joined].map(([row, cells]) => [row, new Added(cells, new Map())]))
  }
  const bad = elements.length - elements.filter(isEntry).length
  return { name: name.slice('table:'.length), layout: areCells ? 'cells' : 'keyed_arrays', rows, bad }
}

const storeTables = ({ name, entries }) => {
  const tables = [...entries.get('t')].filter(([, rows]) => !isRecord(rows) || entriesOf(rows).length)
    .map(([table, rows]) =>
      ({ path: [name, 't', table], layout: 'tinybase', rows: new Map(entriesOf(rows)), notATable: !isRecord(rows) }))
  const values = new Map(entries.get('v').entries())
  return values.size ? [...tables, settings([name, 'v'], values, 'tinybase')] : tables
}

// ---------------------------------------------------------------- shapes

const shapeTables = (root) => [
  ...(root.entries.size ? mapPlaces([root.name], root.entries) : []),
  ...(root.elements.length ? [arrayPlace([root.name], root.elements)] : [])
]

const isEmpty = (value) => isRecord(value) && !entriesOf(value).length

const isRow = (value) => isRecord(value) && entriesOf(value).some(([, inner]) => !isRecord(inner))

const isTable = (entries) => {
  const counted = [...entries.values()].filter((value) => !isEmpty(value))
  const rows = counted.filter(isRow).length
  return rows === counted.length || (counted.length >= 8 && rows * 10 >= counted.length * 9)
}

const isGroup = (entries) => !isTable(entries) && [...entries.values()].some((value) =>
  value instanceof Y.Map && value.size > 0 && (isTable(new Map(value)) || isGroup(new Map(value))))

const mapPlaces = (path, entries) => {
  if (!entries.size) return []
  if (isTable(entries)) return [{ path, layout: 'shape', rows: entries }]
  if (!isGroup(entries)) return [settings(path, entries)]
  const maps = [...entries].filter(([, value]) => value instanceof Y.Map)
  const others = [...entries].filter(([, value]) => !(value instanceof Y.Map))
  return [
    ...(others.length ? [settings(path, new Map(others))] : []),
    ...maps.flatMap(([key, map]) => mapPlaces([...path, key], new Map(map)))
  ]
}

const settings = (path, entries, layout = 'shape') => ({
  path,
  layout,
  rows: new Map([...entries].map(([key, value]) => [key, new Added(new Map(), new Map([['value', value]]))])),
  added: ['value']
})

const arrayPlace = (path, elements) => {
  const plainEntry = (element) => isEntry(element) && new Map(entriesOf(element)).has('val') &&
    entriesOf(element).every(([key]) => ['key', 'val', 'ts'].includes(key))
  if (elements.every(plainEntry)) {
    const holdsRows = valuesOf(elements).some(isRecord)
    return holdsRows ? { path, layout: 'shape', rows: newest(elements) } : settings(path, newest(elements))
  }
  const isMixed = !elements.every(isRecord)
  const rows = new Map()
  elements.forEach((element, position) => {
    const fields = new Map(entriesOf(element))
    const own = fields.get('id')
    let key = own
    if (typeof own !== 'string' || rows.has(own)) {
      const digits = String(position).padStart(10, '0')
      key = digits
      for (let number = 2; rows.has(key); number++) key = `${digits}_${number}`
    }
    const added = new Map([['_position', position]])
    if (isMixed) added.set('value', isRecord(element) ? null : element)
    rows.set(key, new Added(fields, added))
  })
  return { path, layout: 'shape', rows, added: isMixed ? ['_position', 'value'] : ['_position'] }
}

const named = (places) => {
  const ends = places.map(({ path }) => path.at(-1))
  return places.map((place, n) => {
    const isAlone = ends.indexOf(ends[n]) === ends.lastIndexOf(ends[n])
    return { ...place, name: isAlone ? ends[n] : place.path.join('.') }
  })
}

// ---------------------------------------------------------------- names

const fold = (name) => name.replace(/[A-Z]/g, (letter) => letter.toLowerCase())

/** The name in the mirror of each table; `tables` comes back sorted by it. */
export const placed = (tables) => {
  const defined = new Set(tables.filter((table) => table.isDefined).map((table) => table.name))
  const isArray = ({ layout }) => layout === 'keyed_arrays' || layout === 'cells'
  const rank = (table) => ['shape', 'tinybase'].includes(table.layout) ? 2
    : table.isDefined || (isArray(table) && defined.has(table.name)) ? 0 : 1
  const ordered = tables.map((table) => ({ table, rank: rank(table) })).sort((a, b) => a.rank - b.rank ||
    byCodePoint(a.table.name, b.table.name) || Number(isArray(b.table)) - Number(isArray(a.table)))
  const taken = new Set()
  for (const level of [0, 1, 2]) {
    const group = ordered.filter((one) => one.rank === level)
    place(group.map((one) => one.table.name), taken, ofTable, (name) => name.startsWith('_mirror'))
      .forEach((name, n) => { group[n].place = name })
  }
  return ordered.map(({ table, place }) => ({ ...table, place }))
    .sort((a, b) => byCodePoint(a.place, b.place))
}

/** The column of each field, in the order given; `id` and `_extra` are taken. */
export const placedColumns = (fields) => place(fields, new Set(['id', '_extra']), withoutNul, () => false)

const withoutNul = (name) => name.replaceAll('\0', '\ufffd')

const ofTable = (name) => fold(name).startsWith('sqlite_') ? `_${withoutNul(name)}` : withoutNul(name)

/** First those that can stay as they are, then the others, with the first number that is free. */
const place = (names, taken, allowed, isOurs) => {
  const isFree = (name) => !taken.has(fold(name)) && !isOurs(fold(name))
  const places = names.map((name) => {
    if (allowed(name) !== name || !isFree(name)) return null
    taken.add(fold(name))
    return name
  })
  return places.map((before, n) => {
    if (before !== null) return before
    const name = allowed(names[n])
    let number = 2
    while (taken.has(fold(`${name}_${number}`))) number += 1
    const found = isFree(name) ? name : `${name}_${number}`
    taken.add(fold(found))
    return found
  })
}
