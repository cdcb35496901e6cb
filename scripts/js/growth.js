// Shapes whose cost must grow with their size: node growth.js SHAPE SIZE FILE
import fs from 'node:fs'
import * as Y from 'yjs'

const FORMS = {
  'array written from the front': (row, n) => {
    const list = row.set('cell', new Y.Array())
    for (let i = 0; i < 10 * n; i++) list.insert(0, [i])
  },
  'maps pushed to an array': (row, n) => {
    const list = row.set('cell', new Y.Array())
    for (let i = 0; i < 3 * n; i++) list.push([new Y.Map([['k', i]])])
  },
  'arrays in an array, each from the front': (row, n) => {
    const list = row.set('cell', new Y.Array())
    for (let i = 0; i < n / 10; i++) {
      const inner = new Y.Array()
      list.insert(0, [inner])
      for (let j = 0; j < 100; j++) inner.insert(0, [j])
    }
  },
  'fields in one row': (row, n) => { for (let i = 0; i < 10 * n; i++) row.set(`field ${i}`, i) },
  'formats in a text': (row, n) => {
    const text = row.set('cell', new Y.XmlText('abcdefgh'.repeat(2 * n)))
    for (let i = 0; i < 2 * n; i++) text.format(i * 8, 3, { bold: true })
  },
  'elements of XML from the front': (row, n) => {
    const page = row.set('cell', new Y.XmlFragment())
    for (let i = 0; i < 10 * n; i++) page.insert(0, [new Y.XmlElement('p')])
  },
  'texts in elements of XML': (row, n) => {
    const page = row.set('cell', new Y.XmlFragment())
    for (let i = 0; i < 2 * n; i++) {
      const element = new Y.XmlElement('p')
      page.insert(0, [element])
      element.insert(0, [new Y.Text('word')])
    }
  }
}

const [shape, size, file] = process.argv.slice(2)
if (shape === 'list') {
  console.log(JSON.stringify(Object.keys(FORMS)))
} else {
  const doc = new Y.Doc()
  doc.clientID = 1
  doc.transact(() => {
    const table = doc.getMap('tables').set('t', new Y.Map())
    FORMS[shape](table.set('row', new Y.Map()), Number(size))
  })
  fs.writeFileSync(file, Y.encodeStateAsUpdate(doc))
}
