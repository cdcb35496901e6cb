// Writes documents with random histories that decoders read otherwise than Yjs does.
//   node histories.js KIND SEED COUNT FOLDER     writes FOLDER/KIND-SEED-0.yjs and so on
// Kinds: lossy (updates that never came), merged (Y.mergeUpdates), rich (texts with formats,
// embeds and cut emoji), twins (two sessions under one client id).
// The kind moments writes snapshots beside each: NAME-K.ysnap, in V2 NAME-K.v2snap, and the document
// as it was, NAME-K.state.
import fs from 'node:fs'
import path from 'node:path'
import * as Y from 'yjs'

const generator = (seed) => () => { // mulberry32: the same histories on every machine
  seed = (seed + 0x6d2b79f5) | 0
  let t = Math.imul(seed ^ (seed >>> 15), 1 | seed)
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
  return ((t ^ (t >>> 14)) >>> 0) / 4294967296
}

let random = generator(1)
const below = (n) => Math.floor(random() * n)
const one = (list) => list[below(list.length)]
const chance = (p) => random() < p

const WORDS = ['a', 'word', '🌱', '🌱🌱', 'grün', 'é', '👩‍👩‍👧', 'x\u0000y', '', 'two words', '\u2028', '🙂🙃 mixed']
const HALVES = ['\ud83d', 'a\udf31b', '\udf31', 'whole 🌱']
const word = () => one(WORDS)

const value = () => one([
  word, () => below(100), () => below(100) / 8, () => null, () => chance(0.5), () => BigInt(below(1000)),
  () => 2n ** 60n + BigInt(below(9)), () => ({ [word()]: word(), n: below(9) }), () => [word(), below(9), null],
  () => new Uint8Array([below(9), 255]), () => -0, () => 1e21 * below(9), () => undefined,
  () => new Y.Text(word()), () => Y.Array.from([below(9), word()]), () => new Y.Map([[word(), below(9)]]),
  () => new Y.Doc({ guid: `g${below(9)}` }), hook
])()

const element = () => { // arrays take no undefined and no bare BigInt
  const found = value()
  return found === undefined || typeof found === 'bigint' ? { found } : found
}

const json = () => {
  let deep = one(HALVES)
  for (let n = below(3) ? below(3) : below(200); n; n--) deep = chance(0.5) ? [deep] : { a: deep }
  return one([{ src: word() }, { src: one(HALVES) }, { deep }, { n: 1e19, m: 1e21, k: 0.1 }, {}])
}

const hook = () => {
  const made = new Y.XmlHook(word())
  made.set(word(), below(9))
  return made
}

const editText = (text, rich) => {
  const length = text.length
  const at = below(length + 1)
  const count = Math.min(length - at, 1 + below(3))
  const what = below(rich ? 6 : 3)
  if (what === 0 && count) text.delete(at, count)
  else if (what === 1 && rich) text.format(at, count, { [one(['bold', 'link'])]: one([true, null, json(), { x: one(HALVES) }]) })
  else if (what === 2 && rich) text.insertEmbed(at, one([json(), json(), '']))
  else text.insert(at, word(), rich && chance(0.2) ? { bold: one([true, json()]) } : undefined)
}

const editArray = (array) => {
  const at = below(array.length + 1)
  if (chance(0.3) && at < array.length) array.delete(at, 1)
  else array.insert(at, [element(), element()])
}

const edit = (doc, rich) => {
  const tables = doc.getMap('tables')
  const roll = random()
  if (roll < 0.1) return editArray(doc.getArray('table:list'))
  if (roll < 0.2) {
    return doc.getArray('table:keyed').push([{ key: one(['k', 'l', '🌱']), val: { v: word(), n: below(9) }, ts: below(50) }])
  }
  const name = one(['t', 'u'])
  if (!(tables.get(name) instanceof Y.Map)) return tables.set(name, new Y.Map())
  const rows = tables.get(name)
  const id = one(['r0', 'r1', 'r2', '🌱'])
  if (!(rows.get(id) instanceof Y.Map)) return rows.set(id, new Y.Map([['id', id], ['body', new Y.Text(word())]]))
  const row = rows.get(id)
  if (chance(0.05)) return rows.delete(id)
  const cell = row.get(one(['body', 'c1', 'c2']))
  if (cell instanceof Y.Text && chance(0.9)) return editText(cell, rich)
  if (cell instanceof Y.Array && chance(0.8)) return editArray(cell)
  if (cell instanceof Y.Map && chance(0.8)) return cell.set(word(), value())
  if (chance(0.1)) return row.delete(one(['c1', 'c2']))
  return row.set(one(['body', 'c1', 'c2', 'c3']), chance(0.3) ? new Y.Text(word()) : value())
}

// Of an embed '' Yjs makes a text of nothing, over which it stumbles itself when that is deleted;
// lengths that it has counted in that transaction stay wrong.
const STUMBLES = ['Unexpected case', 'Length exceeded!']
const attempt = (change) => {
  try {
    change()
  } catch (error) {
    if (!STUMBLES.includes(error.message) && !(error instanceof TypeError)) throw error
  }
}

const apply = (doc, change) => attempt(() => doc.transact(change))
const hear = (doc, other, since) => attempt(() => Y.applyUpdate(doc, Y.encodeStateAsUpdate(other, since), 'heard'))

const peer = (clientID) => {
  const doc = new Y.Doc({ gc: chance(0.5), guid: 'history' })
  doc.clientID = clientID
  return doc
}

// Peers that edit, and hear of each other now and then; gives every update in the order of writing.
const session = (peers, edits, rich, hears = 0.6) => {
  const updates = []
  for (const doc of peers) doc.on('update', (update, origin) => { if (origin !== 'heard') updates.push(update) })
  for (let n = 0; n < edits; n++) {
    const doc = one(peers)
    apply(doc, () => { for (let k = 1 + below(3); k; k--) edit(doc, rich) })
    for (const other of peers) {
      if (other !== doc && chance(hears)) hear(other, doc, Y.encodeStateVector(other))
    }
  }
  return updates
}

const shuffled = (list) => list.map((item) => [random(), item]).sort((a, b) => a[0] - b[0]).map(([, item]) => item)
const ids = (count) => Array.from({ length: count }, (_, n) => n * 1000 + 1 + below(900))

const KINDS = {
  lossy: () => {
    const updates = session(ids(1 + below(3)).map(peer), 4 + below(25), chance(0.2))
    const came = updates.filter(() => chance(0.8))
    if (chance(0.4)) return came.length ? Y.mergeUpdates(came) : new Uint8Array([0, 0])
    const doc = peer(9999)
    for (const update of chance(0.5) ? came : shuffled(came)) attempt(() => Y.applyUpdate(doc, update))
    if (chance(0.5)) edit(doc, false)
    return Y.encodeStateAsUpdate(doc)
  },
  merged: () => {
    const updates = session(ids(1 + below(3)).map(peer), 2 + below(25), chance(0.3))
    const halves = [updates.slice(0, updates.length / 2), updates].filter((part) => part.length)
    return Y.mergeUpdates(chance(0.5) ? shuffled(updates) : halves.map((part) => Y.mergeUpdates(part)))
  },
  rich: () => {
    const peers = ids(1 + below(2)).map(peer)
    const updates = session(peers, 5 + below(25), true)
    if (chance(0.5)) return Y.mergeUpdates(updates)
    for (const doc of peers) hear(peers[0], doc)
    return Y.encodeStateAsUpdate(peers[0])
  },
  twins: () => {
    const [first, second, third] = [peer(7), peer(7), peer(one([7, 8]))]
    edit(first, false)
    edit(first, false)
    if (chance(0.7)) hear(second, first)
    const updates = [...session([first], 2 + below(8), chance(0.3)), ...session([second], 2 + below(8), chance(0.3))]
    if (chance(0.3)) return Y.mergeUpdates([Y.encodeStateAsUpdate(first), Y.encodeStateAsUpdate(second)])
    if (chance(0.2)) return Y.mergeUpdates(updates)
    for (const doc of shuffled([first, second])) {
      try { Y.applyUpdate(third, Y.encodeStateAsUpdate(doc), 'heard') } catch { return Y.encodeStateAsUpdate(first) }
    }
    return Y.encodeStateAsUpdate(third)
  }
}

const [, , kind, seed, count, folder] = process.argv
console.error = console.log = console.warn = () => {} // Yjs speaks of client ids that changed

const moments = (stem) => {
  const doc = new Y.Doc({ gc: false })
  doc.clientID = 1 + below(300)
  const other = new Y.Doc({ gc: false })
  other.clientID = 1 + below(300)
  const snapshots = []
  for (let n = 2 + below(8); n; n--) {
    const one = chance(0.7) ? doc : other
    one.transact(() => { for (let k = 1 + below(4); k; k--) edit(one, false) })
    if (other.clientID !== doc.clientID && chance(0.5)) {
      hear(doc, other)
      hear(other, doc)
    }
    snapshots.push(Y.snapshot(doc))
  }
  snapshots.forEach((snapshot, k) => {
    fs.writeFileSync(`${stem}-${k}.ysnap`, Y.encodeSnapshot(snapshot))
    fs.writeFileSync(`${stem}-${k}.v2snap`, Y.encodeSnapshotV2(snapshot))
    const then = Y.createDocFromSnapshot(doc, snapshot, new Y.Doc({ gc: false }))
    fs.writeFileSync(`${stem}-${k}.state`, Y.encodeStateAsUpdate(then))
  })
  fs.writeFileSync(`${stem}.yjs`, Y.encodeStateAsUpdate(doc))
}

const written = () => {
  for (;;) {
    let update = null
    attempt(() => { // what Yjs cannot write, or not read again, is no document
      const made = KINDS[kind]()
      Y.applyUpdate(new Y.Doc(), made)
      update = made
    })
    if (update !== null) return update
  }
}

for (let n = 0; n < Number(count); n++) {
  random = generator(Number(seed) * 1000003 + n)
  const stem = path.join(folder, `${kind}-${seed}-${n}`)
  if (kind === 'moments') moments(stem)
  else fs.writeFileSync(`${stem}.yjs`, written())
}
