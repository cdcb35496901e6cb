// What a mirror of a document must hold, told by JavaScript: docs/format.md written a second
// time, on top of Yjs itself, so that the tests compare two readings that share no code.
//
// Cells: null, a string (TEXT), {i: "12"} (INTEGER), {r: "1.5"} (REAL), {b: base64} (BLOB).
import * as Y from 'yjs'

const EXACT = 2 ** 53

/** @returns {{tables: object, problems: Array}} tables by name, each with columns and rows */
export const expected = (doc) => {
  const problems = new Problems()
  const tables = {}
  const definitions = declaredTables(doc)
  const rowsByTable = { ...mapTables(doc), ...keyedTables(doc) }
  const names = new Set([...Object.keys(definitions), ...Object.keys(rowsByTable)])
  for (const name of [...names].sort(byCodePoint)) {
    tables[name] = table(name, definitions[name] ?? null, rowsByTable[name] ?? {}, problems)
  }
  return { tables, problems: problems.lines() }
}

export const decode = (bytes) => {
  const doc = new Y.Doc()
  Y.applyUpdate(doc, bytes)
  return doc
}

// ---------------------------------------------------------------- what the document holds

const declaredTables = (doc) => {
  const older = doc.share.has('schema') ? plain(doc.getMap('schema').get('tables')) : {}
  const newer = doc.share.has('definition') ? plain(doc.getMap('definition').get('tables')) : {}
  return { ...older, ...newer }
}

const mapTables = (doc) => {
  if (!doc.share.has('tables')) return {}
  const tables = {}
  for (const [name, rows] of doc.getMap('tables')) tables[name] = Object.fromEntries(rows.entries())
  return tables
}

const keyedTables = (doc) => {
  const tables = {}
  for (const root of doc.share.keys()) {
    if (!root.startsWith('table:')) continue
    const latest = {}
    for (const entry of doc.getArray(root)) {
      const { key, val, ts } = plain(entry)
      if (!(key in latest) || ts >= latest[key].ts) latest[key] = { ts, val }
    }
    tables[root.slice('table:'.length)] = Object.fromEntries(
      Object.entries(latest).map(([key, entry]) => [key, entry.val]))
  }
  return tables
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

const table = (name, definition, rows, problems) => {
  const keys = Object.keys(rows).sort(byCodePoint)
  const records = keys.map((key) => fieldsOf(rows[key]))
  const fields = definition
    ? Object.keys(definition.fields)
    : [...new Set(records.flatMap((record) => Object.keys(record ?? {})))]
  fields.splice(0, fields.length, ...fields.filter((field) => field !== 'id').sort(byCodePoint))
  const columns = fields.map((field) => definition
    ? declaredColumn(name, field, definition.fields[field], keys, records, problems)
    : { name: field, type: inferredType(records.map((record) => record?.[field])), notNull: false })
  const cells = keys.map((key, n) => row(name, key, rows[key], records[n], columns, problems))
  return { declared: definition !== null, columns, rows: cells }
}

const declaredColumn = (table, field, definition, keys, records, problems) => {
  const { type, nullable } = definition
  const empty = keys.filter((_, n) => content(records[n]?.[field]) === null)
  const required = nullable !== true && type !== 'richtext'
  if (required) empty.forEach((key) => problems.add(table, field, 'missing', key))
  return {
    name: field, kind: type, type: SQLITE_TYPES[type] ?? 'TEXT', notNull: required && empty.length === 0
  }
}

const fieldsOf = (value) => {
  if (value instanceof Y.Map) return Object.fromEntries(value.entries())
  const isRecord = Object.prototype.toString.call(value) === '[object Object]'
  return isRecord && !(value instanceof Y.AbstractType) ? value : null
}

const row = (table, key, value, record, columns, problems) => {
  if (record === null) {
    problems.add(table, null, 'not_a_row', key)
    return [key, ...columns.map(() => null), json(value)]
  }
  const extra = {}
  const known = new Set(columns.map((column) => column.name))
  for (const [field, value] of Object.entries(record)) {
    if (field !== 'id' && !known.has(field)) extra[field] = value
  }
  if ('id' in record && plain(record.id) !== key) {
    extra.id = record.id
    problems.add(table, 'id', 'id_mismatch', key)
  }
  const cells = columns.map((column) => {
    const cell = stored(content(record[column.name]), column)
    if (cell.problem) problems.add(table, column.name, cell.problem, key)
    if (cell.changed) extra[column.name] = record[column.name]
    return cell.value
  })
  return [key, ...cells, Object.keys(extra).length ? json(extra) : null]
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

/** How SQLite keeps a value in a declared column, and whether that bends it. */
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
  if (kinds.size === 1) return { BOOLEAN: 'INTEGER' }[[...kinds][0]] ?? [...kinds][0]
  return [...kinds].every((kind) => kind === 'INTEGER' || kind === 'REAL') && kinds.size ? 'REAL' : ''
}

const sqliteKind = (value) => {
  if (typeof value === 'boolean') return 'BOOLEAN'
  if (typeof value === 'bigint') return 'INTEGER'
  if (typeof value === 'number') {
    return Number.isInteger(value) && Math.abs(value) <= EXACT ? 'INTEGER' : 'REAL'
  }
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
  const entries = value instanceof Y.Map ? [...value.entries()] : Object.entries(value)
  entries.sort(([a], [b]) => byCodePoint(a, b))
  return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${json(item)}`).join(',')}}`
}

/** Order by code points; JavaScript's own order is by UTF-16 units. */
const byCodePoint = (a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))

class Problems {
  found = new Map()

  add (table, field, kind, rowId) {
    const key = JSON.stringify([table, field, kind])
    const line = this.found.get(key) ?? { rows: 0, rowId }
    line.rows += 1
    if (byCodePoint(rowId, line.rowId) < 0) line.rowId = rowId
    this.found.set(key, line)
  }

  lines () {
    return [...this.found].map(([key, line]) => [...JSON.parse(key), line.rows, line.rowId])
  }
}
