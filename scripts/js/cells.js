// Random rich text, XML, arrays and maps in the cells of rows, written by several clients at once.
// Equal seeds give equal documents. One document for each seed; its rows are called after steps.
import * as Y from 'yjs'

const TAGS = ['p', 'Heading', 'li', 'UL', 'image', 'ns:x']
const NAMES = ['bold', 'em', 'a', 'Z', '\u{1f331}', '\uffee', 'link', 'color', '10', '2', '']
const WORDS = ['', 'a', 'word', 'two words', '<b>&"', '\u{1f469}\u200d\u{1f680} ok', 'ß\u0301', 'null', 'x'.repeat(40), '\n']
const NUMBERS = [0, -0, 1, -7, 0.5, 1 / 3, 1e-6, 1e-7, 1.5e-9, 2 ** 53, 2 ** 60, 1e20, 1e21, -1.25e30, 100.00000000000001, 1e21 - 131072, 2.5e-200, 7 / 3e5, NaN, Infinity, -Infinity]

/** A small generator of equal numbers everywhere (mulberry32). */
const randomOf = (seed) => () => {
  seed = (seed + 0x6D2B79F5) | 0
  let t = Math.imul(seed ^ (seed >>> 15), 1 | seed)
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
  return ((t ^ (t >>> 14)) >>> 0) / 4294967296
}

export const cells = (seed) => {
  const random = randomOf(seed)
  const below = (n) => Math.floor(random() * n)
  const one = (list) => list[below(list.length)]
  const json = (depth = 0) => {
    switch (below(depth > 3 ? 4 : 7)) {
      case 0: return one(WORDS)
      case 1: return one(NUMBERS.filter(Number.isFinite))
      case 2: return one([true, false])
      case 3: return null
      case 4: return Array.from({ length: below(4) }, () => json(depth + 1))
      default: return Object.fromEntries(Array.from({ length: below(4) }, () => [one(NAMES), json(depth + 1)]))
    }
  }
  const plain = () => {
    switch (below(7)) {
      case 0: return one(NUMBERS)
      case 1: return new Uint8Array([below(256), below(256)].slice(below(3)))
      case 2: return BigInt(below(1000)) * one([1n, 10n ** 15n])
      case 3: return undefined
      default: return json()
    }
  }
  const element = () => { // Yjs takes neither into a list
    const value = plain()
    return value === undefined || typeof value === 'bigint' ? null : value
  }
  const type = (depth) => {
    switch (below(depth > 4 ? 3 : 9)) {
      case 0: return new Y.Text(one(WORDS))
      case 1: return new Y.XmlText(one(WORDS))
      case 2: return new Y.Map([['k', json()]])
      case 3: return Y.Array.from([json(), json()])
      case 4: return new Y.XmlFragment()
      case 5: return new Y.XmlHook(one(TAGS))
      default: return new Y.XmlElement(one(TAGS))
    }
  }
  const formats = () => Object.fromEntries(
    Array.from({ length: 1 + below(2) }, () => [one(NAMES), one([true, null, null, json(), { href: json() }])]))

  const docs = [1, 2, 3].map((client) => {
    const doc = new Y.Doc({ gc: seed % 2 === 0 })
    doc.clientID = client + (seed % 3) * 2 ** 31
    return doc
  })
  const rowOf = (doc) => doc.getMap('tables').get('rich').get('row')
  docs[0].transact(() => {
    const table = new Y.Map()
    docs[0].getMap('tables').set('rich', table)
    const row = new Y.Map()
    table.set('row', row)
    for (const name of ['fragment', 'other']) row.set(name, new Y.XmlFragment())
    row.set('element', new Y.XmlElement('Top'))
    row.set('xtext', new Y.XmlText('start of it'))
    row.set('text', new Y.Text('start of it'))
    row.set('list', new Y.Array())
    row.set('map', new Y.Map())
  })
  const share = () => {
    for (const from of docs) for (const to of docs) if (from !== to) Y.applyUpdate(to, Y.encodeStateAsUpdate(from))
  }
  share()

  const inside = (found, depth = 0) => {
    // Y.XmlElement is an XmlFragment, Y.XmlText a Text: a type somewhere below one
    const parts = depth < 6 && random() < 0.7 ? below_(found) : []
    return parts.length ? inside(one(parts), depth + 1) : [found, depth]
  }
  const below_ = (found) => {
    if (found instanceof Y.XmlFragment) {
      const attributes = found instanceof Y.XmlElement ? Object.values(found.getAttributes()) : []
      return [...found.toArray(), ...attributes].filter((part) => part instanceof Y.AbstractType)
    }
    if (found instanceof Y.Text) return found.toDelta().map((op) => op.insert).filter((part) => part instanceof Y.AbstractType)
    if (found instanceof Y.Array) return found.toArray().filter((part) => part instanceof Y.AbstractType)
    if (found instanceof Y.Map) return [...found.values()].filter((part) => part instanceof Y.AbstractType)
    return []
  }
  const apply = (doc, change) => {
    try {
      doc.transact(change)
    } catch (error) { // of an embed '' Yjs makes a text of nothing, and stumbles over it when it is deleted
      if (error.message !== 'Unexpected case' && !(error instanceof TypeError)) throw error
    }
  }
  const edit = (doc) => {
    const [found, depth] = inside(one([...rowOf(doc).values()]))
    if (found instanceof Y.Text) editText(found, depth)
    else if (found instanceof Y.XmlFragment) editXml(found, depth)
    else if (found instanceof Y.Array) editList(found, depth)
    else if (found instanceof Y.Map) found.set(one(NAMES), random() < 0.4 ? type(depth) : plain())
  }
  const editText = (text, depth) => {
    const at = below(text.length + 1)
    const length = below(text.length - at + 1)
    switch (below(6)) {
      case 0: case 1: return text.insert(at, one(WORDS), one([undefined, {}, formats()]))
      case 2: return length ? text.delete(at, length) : undefined
      case 3: {
        const value = random() < 0.5 ? type(depth) : json()
        if (value === null) return // no embed for Yjs
        return text.insertEmbed(at, value, one([undefined, formats()]))
      }
      default: return length ? text.format(at, length, formats()) : undefined
    }
  }
  const editXml = (xml, depth) => {
    if (xml instanceof Y.XmlElement && random() < 0.4) {
      const value = random() < 0.3 ? type(depth) : plain()
      return xml.setAttribute(one(NAMES.filter((name) => name)), value)
    }
    const at = below(xml.length + 1)
    if (xml.length > at && random() < 0.2) return xml.delete(at, 1)
    if (random() < 0.9) return xml.insert(at, [type(depth)])
    // not null: Yjs cannot print it
    const value = one([one(WORDS), one(NUMBERS), true, new Uint8Array([1, 2]), { a: 1 }, [1, [2, null]]])
    xml.insert(at, [value])
  }
  const editList = (list, depth) => {
    const at = one([0, list.length, below(list.length + 1)])
    if (list.length > at && random() < 0.2) return list.delete(at, Math.min(list.length - at, 1 + below(3)))
    if (random() < 0.1) for (let n = 0; n < 80; n++) list.insert(at, [element()])
    list.insert(at, random() < 0.4 ? [type(depth)] : [element(), element()])
  }

  for (let step = 0; step < 4 + below(60); step++) {
    const doc = one(docs)
    apply(doc, () => { for (let n = 0; n <= below(3); n++) edit(doc) })
    if (random() < 0.15) share()
  }
  share()
  return docs[below(3)]
}
