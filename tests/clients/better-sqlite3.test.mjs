// node better-sqlite3.test.mjs FOLDER_WITH_NODE_MODULES FOLDER
//
// Two mirrors stand in FOLDER, old.sqlite and new.sqlite, of 3 and 5 rows in `notes`.

import assert from 'node:assert/strict'
import { copyFileSync, readdirSync, readlinkSync, renameSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { test } from 'node:test'

import { openMirror } from '../../sidecar/host/better-sqlite3.mjs'

const [modules, folder] = [process.env.MODULES, process.env.FOLDER]
const Database = createRequire(join(modules, 'x.js'))('better-sqlite3')
const path = join(folder, 'tables.sqlite')

function publish (name) {
  copyFileSync(join(folder, name), join(folder, 'candidate'))
  renameSync(join(folder, 'candidate'), path)
}

function openFiles () {
  return readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).startsWith(path)
    } catch {
      return false
    }
  }).length
}

test('a statement that is kept reads the newest mirror', () => {
  publish('old.sqlite')
  const mirror = openMirror(Database, path)
  const count = mirror.prepare('SELECT count(*) FROM notes').pluck()
  const rows = mirror.prepare('SELECT id, n FROM notes WHERE n >= ?').raw()
  for (const [name, expected] of [['new.sqlite', 5], ['old.sqlite', 3], ['new.sqlite', 5]]) {
    publish(name)
    assert.equal(count.get(), expected)
    assert.equal(rows.all(0).length, expected)
    assert.equal(openFiles(), 1)
  }
  assert.deepEqual(rows.columns().map(({ name }) => name), ['id', 'n'])
  mirror.close()
  assert.equal(openFiles(), 0)
})

test('an iterator reads its file to the end, which is closed then', () => {
  publish('old.sqlite')
  const mirror = openMirror(Database, path)
  const all = mirror.prepare('SELECT n FROM notes').pluck()
  const reading = all.iterate()
  reading.next()
  publish('new.sqlite')
  assert.equal(all.all().length, 5)
  assert.equal(openFiles(), 2)
  assert.equal([...reading].length, 2)
  assert.equal(openFiles(), 1)
  for (const row of all.iterate()) { assert.equal(row, 0); break }
  mirror.close()
  assert.equal(openFiles(), 0)
})

test('what runs together reads one state', () => {
  publish('old.sqlite')
  const mirror = openMirror(Database, path)
  const count = mirror.prepare('SELECT count(*) FROM notes').pluck()
  mirror.read(() => {
    assert.equal(count.get(), 3)
    publish('new.sqlite')
    assert.equal(count.get(), 3)
  })
  assert.equal(count.get(), 5)
  assert.throws(() => mirror.read(() => { throw new Error('mine') }), /mine/)
  assert.equal(count.get(), 5)
  mirror.close()
})

test('a mirror that is gone for a moment is read on, and nothing is written', () => {
  publish('old.sqlite')
  const mirror = openMirror(Database, path)
  const count = mirror.prepare('SELECT count(*) FROM notes').pluck()
  rmSync(path)
  assert.equal(count.get(), 3)
  publish('new.sqlite')
  assert.equal(count.get(), 5)
  assert.throws(() => mirror.prepare('SELECT absent FROM notes'), /no such column/)
  assert.throws(() => mirror.prepare('DELETE FROM notes').all(), /readonly|return data/)
  mirror.close()
  assert.throws(() => count.get(), /closed/)
  assert.throws(() => openMirror(Database, join(folder, 'nothing.sqlite')))
})

test('wide integers and bound values are kept through a rebuild', () => {
  publish('old.sqlite')
  const mirror = openMirror(Database, path)
  const count = mirror.prepare('SELECT count(*) FROM notes WHERE n >= ?').bind(1).safeIntegers().pluck()
  assert.equal(count.get(), 2n)
  publish('new.sqlite')
  assert.equal(count.get(), 4n)
  mirror.close()
})
