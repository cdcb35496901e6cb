// Writes the sample app data folder of the demo, with real Yjs, as the app lays it out:
//   node sample.js FOLDER
import fs from 'node:fs'
import path from 'node:path'
import * as Y from 'yjs'
import { define, fill, newDoc } from './documents.js'

const root = process.argv[2]
const HOUR = 3600 * 1000
const OPENED = Date.UTC(2026, 0, 12, 9)

const encode = (fillDocument) => {
  const doc = newDoc()
  fillDocument(doc)
  return Y.encodeStateAsUpdate(doc)
}

const put = (relative, content) => {
  const target = path.join(root, relative)
  fs.mkdirSync(path.dirname(target), { recursive: true })
  const isText = !(content instanceof Uint8Array)
  fs.writeFileSync(target, isText ? JSON.stringify(content, null, 2) + '\n' : content)
}

const workspace = (id, meta, doc, snapshots, definitionFile) => {
  put(`workspaces/${id}/head.yjs`, encode((head) => {
    for (const [key, value] of Object.entries(meta)) head.getMap('meta').set(key, value)
    head.getMap('epochs').set(String(head.clientID), 0)
  }))
  put(`workspaces/${id}/head.json`, { meta, epochs: { 1: 0 } })
  put(`workspaces/${id}/0/workspace.yjs`, Y.encodeStateAsUpdate(doc))
  put(`workspaces/${id}/0/${definitionFile}`, {})
  put(`workspaces/${id}/0/kv.json`, doc.getMap('kv').toJSON())
  snapshots.forEach(({ description, snapshot }, n) => {
    const moment = OPENED + n * 24 * HOUR
    put(`workspaces/${id}/0/snapshots/${moment}.ysnap`, Y.encodeSnapshot(snapshot))
    put(`workspaces/${id}/0/snapshots/${moment}.json`, { description })
  })
}

// ---------------------------------------------------------------- a design studio

const day = (month, date) =>
  `2026-${String(month).padStart(2, '0')}-${String(date).padStart(2, '0')}T09:00:00.000Z|Europe/Dublin`

const text = (...lines) => new Y.Text(lines.join('\n'))

const STUDIO = {
  clients: {
    name: 'Clients', icon: '🤝', description: 'Who we work for',
    fields: {
      id: { type: 'id' },
      name: { type: 'text', name: 'Name' },
      city: { type: 'text', name: 'City' },
      email: { type: 'text', name: 'E-mail', nullable: true },
      since: { type: 'date', name: 'Client since' },
      vip: { type: 'boolean', name: 'VIP', default: false },
      profile: { type: 'richtext', name: 'Profile' }
    }
  },
  projects: {
    name: 'Projects', icon: '📐', description: 'What we are making',
    fields: {
      id: { type: 'id' },
      title: { type: 'text', name: 'Title' },
      client: { type: 'text', name: 'Client', description: 'Id in clients' },
      status: { type: 'select', name: 'Status', options: ['lead', 'active', 'on hold', 'done'] },
      budget: { type: 'real', name: 'Budget', description: 'In euro' },
      hours: { type: 'integer', name: 'Hours booked' },
      tags: { type: 'tags', name: 'Tags', options: ['brand', 'web', 'print', 'signage'] },
      brief: { type: 'ytext', name: 'Brief' },
      due: { type: 'date', name: 'Due', nullable: true }
    }
  },
  invoices: {
    name: 'Invoices', icon: '🧾', description: 'What we are owed',
    fields: {
      id: { type: 'id' },
      project: { type: 'text', name: 'Project' },
      number: { type: 'integer', name: 'Number' },
      total: { type: 'real', name: 'Total', description: 'In euro' },
      paid: { type: 'boolean', name: 'Paid' },
      sent: { type: 'date', name: 'Sent', nullable: true },
      lines: { type: 'json', name: 'Lines', description: 'Quantity and price of each item' }
    }
  },
  notes: {
    name: 'Notes', icon: '📝', description: 'Whatever must not be forgotten',
    fields: {
      id: { type: 'id' },
      body: { type: 'ytext', name: 'Body' },
      tags: { type: 'tags', name: 'Tags', nullable: true },
      pinned: { type: 'boolean', name: 'Pinned', nullable: true },
      written: { type: 'date', name: 'Written' }
    }
  }
}

const client = (name, city, email, since, vip) => ({ name, city, email, since, vip, profile: null })

const project = (title, client, status, budget, hours, tags, brief, due) =>
  ({ title, client, status, budget, hours, tags, brief: text(...brief), due })

const invoice = (project, number, paid, sent, ...lines) => ({
  project, number, paid, sent, lines, total: lines.reduce((sum, { quantity, price }) => sum + quantity * price, 0)
})

const studio = () => {
  const doc = newDoc()
  doc.gc = false // the app keeps what was deleted, so that its snapshots can be shown
  const snapshots = []
  const snap = (description) => snapshots.push({ description, snapshot: Y.snapshot(doc) })
  define(doc, STUDIO, { depth: 1 })
  fill(doc, 'clients', {
    'cl-bakery': client('Brennan & Daughters Bakery', 'Galway', 'hello@brennan.example', day(1, 3), true),
    'cl-cycles': client('Spoke Cycles', 'Dublin', 'ride@spoke.example', day(1, 5), false),
    'cl-museum': client('Museum of Small Things', 'Cork', null, day(1, 8), true),
    'cl-tea': client('Čajovna Tea Rooms', 'Praha', 'caj@tearooms.example', day(1, 9), false)
  })
  snap('First clients')
  fill(doc, 'projects', {
    'pr-bakery-brand': project('New identity', 'cl-bakery', 'active', 8400, 52, ['brand', 'print'],
      ['Warm, not rustic.', 'Must work on paper bags.'], day(2, 20)),
    'pr-bakery-signs': project('Shop signs', 'cl-bakery', 'lead', 2150.5, 0, ['signage'],
      ['Two shop fronts, hand-painted.'], null),
    'pr-cycles-web': project('Booking site', 'cl-cycles', 'active', 6300, 31, ['web'],
      ['Book a service in three taps.'], day(2, 6)),
    'pr-museum-guide': project('Pocket guide', 'cl-museum', 'done', 3900, 40, ['print'],
      ['64 pages, one object each.'], day(1, 30)),
    'pr-tea-menu': project('Menu cards', 'cl-tea', 'on hold', 980, 6, ['print', 'brand'],
      ['Czech and English, side by side.'], null)
  })
  snap('Projects planned')
  fill(doc, 'invoices', {
    'in-0101': invoice('pr-museum-guide', 101, true, day(1, 12), { item: 'Design', quantity: 40, price: 65 },
      { item: 'Proofs', quantity: 4, price: 32.5 }),
    'in-0102': invoice('pr-bakery-brand', 102, false, day(1, 19), { item: 'Design', quantity: 30, price: 65 }),
    'in-0103': invoice('pr-cycles-web', 103, false, null, { item: 'Prototype', quantity: 1, price: 1850 })
  })
  fill(doc, 'notes', {
    'no-1': { body: text('Call the bakery about the paper bags.'), tags: ['bakery', 'call'], pinned: true, written: day(1, 19) },
    'no-2': { body: text('The museum wants a second print run', 'if the first sells out.'), tags: ['museum'], pinned: null, written: day(1, 20) },
    'no-3': { body: text('Kettle is broken.'), tags: null, pinned: false, written: day(1, 21) }
  })
  doc.getMap('kv').set('theme', 'dark')
  doc.getMap('kv').set('sidebar', { open: true, width: 240 })
  return { doc, snapshots }
}

// ---------------------------------------------------------------- an older workspace

const KITCHEN = {
  recipes: {
    name: 'Recipes', icon: '🍲', description: '',
    fields: {
      id: { type: 'id' },
      title: { type: 'text' },
      serves: { type: 'integer' },
      vegetarian: { type: 'boolean' },
      ingredients: { type: 'json' },
      tags: { type: 'tags' },
      method: { type: 'ytext' }
    }
  },
  suppliers: {
    name: 'Suppliers', icon: '🚚', description: '',
    fields: { id: { type: 'id' }, name: { type: 'text' }, delivers: { type: 'select', options: ['daily', 'weekly'] } }
  }
}

const kitchen = () => {
  const doc = newDoc()
  define(doc, KITCHEN, { root: 'schema', depth: 4 })
  fill(doc, 'recipes', {
    'leek-soup': {
      title: 'Leek and potato soup', serves: 4, vegetarian: true, tags: Y.Array.from(['soup', 'winter']),
      ingredients: Y.Array.from([{ leeks: 3 }, { potatoes: 4 }, { stock: '1 l' }]), method: text('Sweat the leeks.', 'Add the rest, simmer, blend.')
    },
    'soda-bread': {
      title: 'Soda bread', serves: 8, vegetarian: true, tags: Y.Array.from(['bread']),
      ingredients: Y.Array.from([{ flour: '450 g' }, { buttermilk: '400 ml' }, { soda: '1 tsp' }]), method: text('Mix, shape, cross, bake.')
    }
  })
  fill(doc, 'suppliers', {
    mill: { name: 'Dunany Mill', delivers: 'weekly' },
    dairy: { name: 'Glen Dairy', delivers: 'daily' }
  })
  return { doc, snapshots: [] }
}

fs.rmSync(root, { recursive: true, force: true })
const registry = { 'juniper-studio': true, 'harvest-kitchen': true }
put('registry.yjs', encode((doc) => {
  for (const [id, value] of Object.entries(registry)) doc.getMap('workspaces').set(id, value)
}))
put('registry.json', { workspaces: registry })
const juniper = studio()
workspace('juniper-studio', { name: 'Juniper Studio', icon: '🌿', description: 'A small design studio' },
  juniper.doc, juniper.snapshots, 'definition.json')
const harvest = kitchen()
workspace('harvest-kitchen', { name: 'Harvest Kitchen', icon: '🥕', description: 'Recipes and suppliers' },
  harvest.doc, harvest.snapshots, 'schema.json')
