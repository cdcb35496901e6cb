// What a mirror of a document must hold, told by JavaScript: docs/format.md written a second
// time, on top of Yjs itself, so that the tests compare two readings that share no code.
//
// Cells: null, a string (TEXT), {i: "12"} (INTEGER), {r: "1.5"} (REAL), {b: base64} (BLOB).
import * as Y from 'yjs'
import { Added, byCodePoint, entriesOf, found, isRecord, placed, placedColumns } from './shapes.js'

const EXACT = 2 ** 53

/**
 * @returns {{tables: object, problems: Array, roots: Array}} tables by name, each with columns and
 *   rows; what could not be shown as asked; name, kind, layout and text of every root
 */
export const expected = (doc) => {
  const problems = new Problems()
  const tables = Object.create(null)
  const { tables: held, roots, claims } = found(doc)
  for (const one of placed(held)) {
    if (one.place !== one.name) problems.ofTable(one.place, 'name', 0)
    if (one.bad) problems.ofTable(one.place, 'entry', one.bad)
    if (one.notATable) problems.ofTable(one.place, 'not_a_table', 0)
    tables[one.place] = table(one, problems)
  }
  const listed = roots.map(({ name, kind, text }) => [name, kind, claims.get(name), claims.get(name) && text])
  return { tables, problems: problems.lines(), roots: listed }
}

export const decode = (bytes) => {
  const doc = new Y.Doc()
  Y.applyUpdate(doc, bytes)
  return doc
}

const plain = (value) => {
  if (value instanceof Y.Map) {
    return Object.fromEntries([...value].map(([key, inner]) => [key, plain(inner)]))
  }
  if (value instanceof Y.Array) return value.toArray().map(plain)
  return value instanceof Y.AbstractType ? value.toString() : value
}

// ---------------------------------------------------------------- one table

const SQLITE_TYPES = { integer: 'INTEGER', boolean: 'INTEGER', real: 'REAL' }

const table = ({ place, definition: raw = null, rows, added = [] }, problems) => {
  const definition = usable(raw)
  const keys = [...rows.keys()].sort(byCodePoint)
  const records = keys.map((key) => fieldsOf(rows.get(key)))
  const fields = new Set([...(definition
    ? Object.keys(definition.fields)
    : records.flatMap((record) => [...(record ?? new Map()).keys()])), ...added])
  for (const ours of ['id', ...added]) fields.delete(ours)
  const ordered = [...added, ...[...fields].sort(byCodePoint)]
  const columns = placedColumns(ordered).map((name, n) => {
    const field = ordered[n]
    if (name !== field) problems.ofTable(place, 'name', 0, field)
    return definition
      ? { ...declaredColumn(place, field, definition.fields[field], keys, records, problems), name }
      : { name, source: field, type: inferredType(records.map((record) => record?.get(field))), notNull: false }
  }).sort((a, b) => byCodePoint(a.name, b.name))
  const cells = keys.map((key, n) => row(place, key, rows.get(key), records[n], columns, problems))
  const told = columns.map(({ name, kind, type, notNull }) => ({ name, kind, type, notNull }))
  return { declared: definition !== null, columns: told, rows: cells }
}

const isPlainObject = (value) =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array)

// A definition without a map of fields declares none; a field that is no map has no type.
const usable = (raw) => {
  const fields = plain(raw)?.fields
  if (!isPlainObject(fields)) return null
  const each = Object.entries(fields).map(([name, field]) => [name, isPlainObject(field) ? field : {}])
  return { fields: Object.fromEntries(each) }
}

const declaredColumn = (table, field, definition, keys, records, problems) => {
  const { nullable } = definition
  const type = typeof definition.type === 'string' ? definition.type : undefined
  const empty = keys.filter((_, n) => content(records[n]?.get(field)) === null)
  const required = nullable !== true && type !== 'richtext'
  if (required) empty.forEach((key) => problems.add(table, field, 'missing', key))
  return {
    source: field, kind: type, type: SQLITE_TYPES[type] ?? 'TEXT', notNull: required && empty.length === 0
  }
}

const fieldsOf = (value) => {
  if (value instanceof Added) return new Map([...value.fields, ...value.added])
  return isRecord(value) ? new Map(entriesOf(value)) : null
}

const row = (table, key, value, record, columns, problems) => {
  if (record === null) {
    problems.add(table, null, 'not_a_row', key)
    return [key, ...columns.map(() => null), json(value)]
  }
  const extra = new Map()
  const known = new Set(columns.map((column) => column.source))
  for (const [field, value] of record) {
    if (field !== 'id' && !known.has(field)) extra.set(field, value)
  }
  for (const field of value instanceof Added ? value.added.keys() : []) {
    if (!value.fields.has(field)) continue
    extra.set(field, value.fields.get(field))
    problems.add(table, field, 'name', key)
  }
  const own = record.get('id') ?? null
  if (own !== null && plain(own) !== key) {
    extra.set('id', own)
    problems.add(table, 'id', 'id_mismatch', key)
  }
  const cells = columns.map((column) => {
    const cell = stored(content(record.get(column.source)), column)
    if (cell.problem) problems.add(table, column.source, cell.problem, key)
    if (cell.changed) extra.set(column.source, record.get(column.source))
    return cell.value
  })
  return [key, ...cells, extra.size ? container(extra) : null]
}

// ---------------------------------------------------------------- one cell

/**
 * A cell's value without the CRDT: {json} for arrays and objects, else a plain JS value. Half a
 * surrogate pair, into which Yjs cuts texts that are formats, is U+FFFD in UTF-8.
 */
const content = (value) => {
  if (value === null || value === undefined) return null
  if (value instanceof Y.Doc) return value.guid
  if (value instanceof Uint8Array) return value
  if (value instanceof Y.Text || value instanceof Y.XmlFragment) return value.toString().toWellFormed()
  if (value instanceof Y.Map || value instanceof Y.Array || typeof value === 'object') {
    return { json: value }
  }
  return value
}

/** How SQLite keeps a value in a declared column, and whether that changes it. */
const stored = (value, column) => {
  if (value === null) return { value: null }
  if (column.kind === 'tags' || column.kind === 'json') {
    return { value: json(value.json ?? value), problem: misfit(value, column.kind) }
  }
  const problem = column.kind && misfit(value, column.kind)
  if (typeof value === 'number' && Number.isNaN(value)) return { value: null, problem: 'not_finite' }
  if (typeof value === 'string') return { ...text(value, column.type), problem }
  if (value instanceof Uint8Array) {
    return { value: { b: Buffer.from(value).toString('base64') }, problem }
  }
  if (value.json !== undefined) return { value: json(value.json), problem }
  const changed = column.kind && column.type === 'TEXT' // a number as text is another value
  return { value: numeric(Number(value), value, column.type), problem, changed }
}

const text = (value, type) => {
  const read = value.split('\0')[0].trim() // SQLite reads a number up to a NUL
  const looksNumeric = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(read)
  if (type === 'TEXT' || type === '' || !looksNumeric) return { value }
  const whole = type !== 'REAL' && Number.isSafeInteger(Number(read))
  return { value: whole ? { i: String(Number(read)) } : { r: String(Number(read)) }, changed: true }
}

const numeric = (number, value, type) => {
  const whole = typeof value !== 'number' || (Number.isInteger(number) && Math.abs(number) <= EXACT)
  const digits = typeof value === 'bigint' ? String(value) : String(number === 0 ? 0 : number)
  if (type === 'TEXT') return digits
  return whole && type !== 'REAL' ? { i: digits } : { r: digits }
}

const misfit = (value, kind) => fits(value, kind) ? undefined : 'kind'

const fits = (value, kind) => {
  switch (kind) {
    case 'integer': return typeof value === 'bigint' || (Number.isInteger(value) && Math.abs(value) <= EXACT)
    case 'real': return typeof value === 'number' || typeof value === 'bigint'
    case 'boolean': return typeof value === 'boolean'
    case 'json': return true
    case 'tags': return value.json !== undefined && Array.isArray(plain(value.json))
    default: return typeof value === 'string'
  }
}

const inferredType = (values) => {
  const kinds = new Set(values.map(content).filter((value) => value !== null).map(sqliteKind))
  if (kinds.has('WIDE')) kinds.add('INTEGER')
  const [only] = kinds
  if (kinds.size === 1) return { BOOLEAN: 'INTEGER', JSON: 'TEXT' }[only] ?? only
  if (kinds.size === 2 && kinds.has('WIDE')) return 'INTEGER'
  return [...kinds].every((kind) => kind === 'INTEGER' || kind === 'REAL') && kinds.size ? 'REAL' : ''
}

const sqliteKind = (value) => {
  if (typeof value === 'boolean') return 'BOOLEAN'
  if (typeof value === 'bigint') return value <= EXACT && value >= -EXACT ? 'INTEGER' : 'WIDE'
  if (typeof value === 'number') {
    return Number.isInteger(value) && Math.abs(value) <= EXACT ? 'INTEGER' : 'REAL'
  }
  if (value.json !== undefined) return 'JSON'
  return value instanceof Uint8Array ? 'BLOB' : 'TEXT'
}

/** Canonical JSON: sorted keys, no spaces, integral floats as integers, bytes as base64. */
const json = (value) => {
  const inner = content(value)
  if (inner === null) return 'null'
  if (inner.json !== undefined) return container(inner.json)
  if (inner instanceof Uint8Array) return JSON.stringify(Buffer.from(inner).toString('base64'))
  if (typeof inner === 'bigint') return String(inner)
  return JSON.stringify(inner)
}

const container = (value) => {
  if (value instanceof Y.Array || Array.isArray(value)) {
    return `[${[...value].map(json).join(',')}]`
  }
  const isMap = value instanceof Y.Map || value instanceof Map
  const entries = isMap ? [...value.entries()] : Object.entries(value)
  entries.sort(([a], [b]) => byCodePoint(a, b))
  return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${json(item)}`).join(',')}}`
}

class Problems {
  found = new Map()

  add (table, field, kind, rowId) {
    const key = JSON.stringify([table, field, kind])
    const line = this.found.get(key) ?? { rows: 0, rowId }
    line.rows += 1
    if (byCodePoint(rowId, line.rowId) < 0) line.rowId = rowId
    this.found.set(key, line)
  }

  ofTable (table, kind, rows, field = null) {
    this.found.set(JSON.stringify([table, field, kind]), { rows, rowId: null })
  }

  lines () {
    return [...this.found].map(([key, line]) => [...JSON.parse(key), line.rows, line.rowId])
  }
}
