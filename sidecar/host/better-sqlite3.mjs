/**
 * Mirrors of epicenter-sidecar through better-sqlite3, always the newest one.
 *
 * A rebuilt mirror is a new file under the old name, and a connection that stays open reads the old
 * one for ever. Here each call looks whether the file is another one and opens that. Statements may
 * be kept for as long as you like: each is prepared anew where it must be. An iterator that has
 * begun reads its file to the end, and an old connection is closed when its last iterator ends.
 *
 *     epicenter-sidecar protocol --better-sqlite3 > src/mirror.mjs
 *
 *     import Database from 'better-sqlite3'
 *     import { openMirror } from './mirror.mjs'
 *
 *     const mirror = openMirror(Database, 'path/to/tables.sqlite')
 *     const byTag = mirror.prepare('SELECT title FROM projects, json_each(tags) AS t WHERE t.value = ?')
 *     byTag.all('print')
 */
import { statSync } from 'node:fs'

const BUSY_MS = 5000
/** A mirror is not there for a moment where a system cannot rename over an open file. */
const MISSING = new Set(['ENOENT', 'EACCES', 'EPERM'])

/** Opens a mirror, read-only; `Database` is the default export of better-sqlite3. */
export function openMirror (Database, path, options = {}) {
  return new Mirror(Database, path, options)
}

class Mirror {
  #Database
  #path
  #options
  #connection = null
  /** While `read` runs: the connection that all statements use. */
  #pinned = null

  constructor (Database, path, options) {
    this.#Database = Database
    this.#path = path
    this.#options = { timeout: BUSY_MS, ...options, readonly: true, fileMustExist: true }
    this._newest()
  }

  /** Gives a statement that reads the newest mirror with each call, and may be kept. */
  prepare (sql) {
    return new Statement(this, sql)
  }

  /** Runs a function whose statements all read one state of the mirror. */
  read (work) {
    if (this.#pinned !== null) return work()
    const connection = this._newest()
    this.#pinned = connection
    connection.users += 1
    try {
      return connection.database.transaction(work)()
    } finally {
      this.#pinned = null
      this._release(connection)
    }
  }

  /** Closes the mirror; iterators that have begun may go on to their end. */
  close () {
    const connection = this.#connection
    this.#connection = null
    this.#path = null
    if (connection !== null && connection.users === 0) connection.database.close()
  }

  _newest () {
    if (this.#pinned !== null) return this.#pinned
    if (this.#path === null) throw new TypeError('the mirror is closed')
    const file = this.#file()
    const before = this.#connection
    if (before !== null && (file === null || file === before.file)) return before
    const database = new this.#Database(this.#path, this.#options)
    this.#connection = { database, file, users: 0 }
    if (before !== null && before.users === 0) before.database.close()
    return this.#connection
  }

  _release (connection) {
    connection.users -= 1
    if (connection.users === 0 && connection !== this.#connection) connection.database.close()
  }

  /** Says which file is there; null where there is none, and the last one is read on. */
  #file () {
    try {
      const { dev, ino } = statSync(this.#path, { bigint: true })
      return `${dev}:${ino}`
    } catch (error) {
      if (this.#connection !== null && MISSING.has(error.code)) return null
      throw error
    }
  }
}

class Statement {
  #mirror
  #sql
  #modes = new Map()
  #bound = []
  #prepared = null

  constructor (mirror, sql) {
    this.#mirror = mirror
    this.#sql = sql
    this.#on(() => undefined) // what is wrong with the SQL is said at once
  }

  get (...values) { return this.#on((statement) => statement.get(...values)) }
  all (...values) { return this.#on((statement) => statement.all(...values)) }
  columns () { return this.#on((statement) => statement.columns()) }

  * iterate (...values) {
    const { connection, statement } = this.#prepare()
    connection.users += 1
    this.#prepared = null // it is busy until the end: another call prepares its own
    try {
      yield * statement.iterate(...values)
    } finally {
      this.#mirror._release(connection)
    }
  }

  bind (...values) { this.#bound = values; this.#prepared = null; return this }
  pluck (on = true) { return this.#mode('pluck', on) }
  raw (on = true) { return this.#mode('raw', on) }
  expand (on = true) { return this.#mode('expand', on) }
  safeIntegers (on = true) { return this.#mode('safeIntegers', on) }

  #mode (name, on) {
    if (on && name !== 'safeIntegers') for (const other of ['pluck', 'raw', 'expand']) this.#modes.delete(other)
    this.#modes.set(name, on)
    this.#prepared = null
    return this
  }

  #on (use) {
    const { connection, statement } = this.#prepare()
    connection.users += 1
    try {
      return use(statement)
    } finally {
      this.#mirror._release(connection)
    }
  }

  #prepare () {
    const connection = this.#mirror._newest()
    if (this.#prepared?.connection !== connection) {
      const statement = connection.database.prepare(this.#sql)
      for (const [name, on] of this.#modes) statement[name](on)
      if (this.#bound.length > 0) statement.bind(...this.#bound)
      this.#prepared = { connection, statement }
    }
    return this.#prepared
  }
}
