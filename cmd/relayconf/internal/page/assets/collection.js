// A list of items by id that is kept sorted, searched and counted only when it has changed.

export class Collection {
  // describe(item) returns {order, text, groups}: a list of strings and numbers to sort by, the lower-case text that a search
  // looks into, and the names of the groups that the item belongs to.
  constructor(describe) {
    this.describe = describe;
    this.entries = new Map();
    this.version = 0; // counts changes
    this.order = 0; // counts changes of the order
    this.cache = new Map();
  }

  get size() {
    return this.entries.size;
  }

  // set adds or replaces items. They are marked as changed at the time, unless it is 0.
  set(items, time) {
    for (const item of items) {
      const entry = { item, changed: time, ...this.describe(item) };
      const former = this.entries.get(item.id);
      if (former && compare(former.order, entry.order) === 0) {
        Object.assign(former, entry); // it keeps its place
      } else {
        this.entries.set(item.id, entry);
        this.order++;
      }
    }
    this.version++;
  }

  delete(ids) {
    for (const id of ids) this.entries.delete(id);
    this.version++;
    this.order++;
  }

  // counts returns how many items each group has.
  counts() {
    return this.once("counts", this.version, () => {
      const counts = {};
      for (const entry of this.entries.values()) {
        for (const group of entry.groups) counts[group] = (counts[group] ?? 0) + 1;
      }
      return counts;
    });
  }

  // members returns the items of a group, in no order.
  members(group) {
    return this.once(`members ${group}`, this.version, () => {
      const members = [];
      for (const entry of this.entries.values()) {
        if (entry.groups.includes(group)) members.push(entry.item);
      }
      return members;
    });
  }

  // find returns the entries of a group, or of all if it is empty, that contain each word of the query.
  find(query, group) {
    const words = query.toLowerCase().split(/\s+/).filter(Boolean);
    return this.once("found", `${this.version} ${group} ${words.join(" ")}`, () => {
      const sorted = this.sorted();
      if (!group && words.length === 0) return sorted;
      return sorted.filter(
        (entry) => (!group || entry.groups.includes(group)) && words.every((word) => entry.text.includes(word)),
      );
    });
  }

  sorted() {
    return this.once("sorted", this.order, () => [...this.entries.values()].sort((a, b) => compare(a.order, b.order)));
  }

  // once returns the value of compute, which is called again only when the key is another.
  once(name, key, compute) {
    const cached = this.cache.get(name);
    if (cached?.key === key) return cached.value;
    const value = compute();
    this.cache.set(name, { key, value });
    return value;
  }
}

function compare(a, b) {
  for (let i = 0; i < a.length; i++) {
    if (a[i] < b[i]) return -1;
    if (a[i] > b[i]) return 1;
  }
  return 0;
}
